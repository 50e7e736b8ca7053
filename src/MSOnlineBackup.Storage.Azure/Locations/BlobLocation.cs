using System.Net;
using Azure.Storage.Blobs;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Storage.Azure.Locations;

/// <summary>The URL of a container that holds a vault: <c>https://ACCOUNT.blob.core.windows.net/CONTAINER</c>.</summary>
public sealed class BlobLocation
{
    private BlobLocation(Uri url, string account, string container)
    {
        Url = url;
        Account = account;
        Container = container;
    }

    /// <summary>The container's URL, without a query.</summary>
    public Uri Url { get; }

    /// <summary>The storage account.</summary>
    public string Account { get; }

    /// <summary>The container.</summary>
    public string Container { get; }

    /// <summary>Reads a URL. Plain HTTP is for an emulator on this machine only.</summary>
    /// <exception cref="BackupException">ArgumentInvalid.</exception>
    public static BlobLocation Parse(string location)
    {
        ArgumentNullException.ThrowIfNull(location);
        if (!Uri.TryCreate(location, UriKind.Absolute, out Uri? url) || url.Scheme is not ("https" or "http"))
        {
            // Nothing says where in it a secret would begin.
            throw Invalid(location.AsSpan().ContainsAny('?', '#', '@') ? "…" : location, "is not the URL of a container");
        }

        string address = url.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped);
        if (url.Query.Length > 0 || url.Fragment.Length > 0 || url.UserInfo.Length > 0)
        {
            throw Invalid(address, "has more than a container's address; a shared access signature does not belong there");
        }

        if (url.Scheme == Uri.UriSchemeHttp && !IsLoopback(url))
        {
            throw Invalid(address, "uses plain HTTP, which is for an emulator on this machine only");
        }

        var parts = new BlobUriBuilder(url);
        if (string.IsNullOrEmpty(parts.AccountName) || string.IsNullOrEmpty(parts.BlobContainerName) || !string.IsNullOrEmpty(parts.BlobName))
        {
            throw Invalid(address, "does not name an account and a container");
        }

        return new BlobLocation(new Uri(address.TrimEnd('/')), parts.AccountName, parts.BlobContainerName);
    }

    /// <inheritdoc/>
    public override string ToString() => Url.AbsoluteUri;

    private static bool IsLoopback(Uri url) =>
        url.IdnHost.Equals("localhost", StringComparison.OrdinalIgnoreCase)
            || (IPAddress.TryParse(url.IdnHost, out IPAddress? address) && IPAddress.IsLoopback(address));

    private static BackupException Invalid(string location, string why) => new(
        BackupErrorId.ArgumentInvalid,
        $"'{location}' {why}.",
        "Give the vault's container as https://ACCOUNT.blob.core.windows.net/CONTAINER.",
        location);
}
