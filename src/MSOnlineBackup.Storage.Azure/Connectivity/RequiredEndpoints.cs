using System.Net;
using MSOnlineBackup.Storage.Azure.Locations;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Storage.Azure.Connectivity;

/// <summary>What a machine must reach to back up into Azure: the vault, where it signs in, and what else the original lists.</summary>
public static class RequiredEndpoints
{
    private const string AsTheOriginal = "listed by the original; this agent does not need it";

    // Sign-in has no private endpoint: these must be let out in every case.
    private static readonly RequiredEndpoint _signIn = new(
        "*.MicrosoftOnline.com",
        "sign-in (Microsoft Entra ID)",
        IsVault: false,
        "AzureActiveDirectory",
        "12076:5060",
        [IPNetwork.Parse("20.190.128.0/18"), IPNetwork.Parse("40.126.0.0/18")],
        new Uri("https://login.microsoftonline.com/"));

    private static readonly RequiredEndpoint[] _original =
    [
        Listed("*.Windows.net", "https://login.windows.net/"),
        Listed("*.Microsoft.com", "https://www.microsoft.com/"),
        Listed("*.WindowsAzure.com", "https://www.windowsazure.com/"),

        // What Windows asks for to see whether there is an Internet. Both are plain HTTP by their purpose.
        Listed("www.msftncsi.com", "http://www.msftncsi.com/ncsi.txt"),
        Listed("www.msftconnecttest.com", "http://www.msftconnecttest.com/connecttest.txt"),
    ];

    /// <summary>What any vault in Azure needs.</summary>
    public static IReadOnlyList<RequiredEndpoint> ForAzure { get; } =
    [
        new RequiredEndpoint("*.blob.core.windows.net", "the vault", IsVault: true, "Storage", null, [], new Uri("https://blob.core.windows.net/")),
        _signIn,
        .. _original,
    ];

    /// <summary>What the vault at a URL needs. An emulator needs nothing but itself.</summary>
    /// <exception cref="BackupException">ArgumentInvalid: it is not the URL of a container.</exception>
    public static IReadOnlyList<RequiredEndpoint> For(string location)
    {
        BlobLocation vault = BlobLocation.Parse(location);
        bool isEmulator = vault.Url.IsLoopback;

        // With the query it is a request that Blob Storage answers under its own name; one without is malformed to the emulator.
        var probe = new UriBuilder(vault.Url) { Query = "restype=container" }.Uri;
        var endpoint = new RequiredEndpoint(vault.Url.IdnHost, "the vault", IsVault: true, isEmulator ? null : "Storage", null, [], probe);
        return isEmulator ? [endpoint] : [endpoint, _signIn, .. _original];
    }

    private static RequiredEndpoint Listed(string host, string probe) => new(host, AsTheOriginal, IsVault: false, null, null, [], new Uri(probe));
}
