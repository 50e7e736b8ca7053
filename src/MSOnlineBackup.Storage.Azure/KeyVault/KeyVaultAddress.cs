using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Storage.Azure.KeyVault;

/// <summary>
/// The address of a Key Vault, or of a key in one. Only Azure's own domains are taken: nothing else can be sent a token by a slip of the pen.
/// </summary>
/// <param name="Vault"><c>https://NAME.vault.azure.net/</c>, in lower case.</param>
/// <param name="Domain">What stands behind the vault's name; tokens are issued for it.</param>
/// <param name="KeyName">The key; null where the address is that of the vault.</param>
/// <param name="KeyVersion">The version of the key; null for the newest.</param>
internal sealed record KeyVaultAddress(Uri Vault, string Domain, string? KeyName, string? KeyVersion)
{
    private const string UriCode = "100272";

    private static readonly string[] _domains = ["vault.azure.net", "vault.azure.cn", "vault.usgovcloudapi.net", "managedhsm.azure.net"];

    /// <summary>The URI of the key as key slots name it; without a version where none was given.</summary>
    public string KeyId => $"{Vault.AbsoluteUri}keys/{KeyName}{(KeyVersion is null ? null : "/" + KeyVersion)}";

    /// <summary>Reads the URI of a vault.</summary>
    /// <exception cref="BackupException">KeyVaultUriInvalid (100272).</exception>
    public static KeyVaultAddress ParseVault(string uri) =>
        TryParse(uri) is { KeyName: null } address ? address : throw Invalid(uri, "a Key Vault", "https://NAME.vault.azure.net/");

    /// <summary>Reads the URI of a key, with or without a version.</summary>
    /// <exception cref="BackupException">KeyVaultUriInvalid (100272).</exception>
    public static KeyVaultAddress ParseKey(string uri) =>
        TryParse(uri) is { KeyName: not null } address ? address : throw Invalid(uri, "a key in a Key Vault", "https://NAME.vault.azure.net/keys/KEY");

    private static KeyVaultAddress? TryParse(string text)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out Uri? uri)
            || uri.Scheme != Uri.UriSchemeHttps || !uri.IsDefaultPort || uri.UserInfo.Length > 0 || uri.Query.Length > 0 || uri.Fragment.Length > 0)
        {
            return null;
        }

        string[] host = uri.IdnHost.ToLowerInvariant().Split('.', 2);
        string[] path = uri.AbsolutePath.Split('/', StringSplitOptions.RemoveEmptyEntries);
        if (host.Length != 2 || !_domains.Contains(host[1]) || !IsName(host[0], 24) || !path.All(part => IsName(part, 127)))
        {
            return null;
        }

        var vault = new Uri($"https://{host[0]}.{host[1]}/");
        return path switch
        {
            [] => new KeyVaultAddress(vault, host[1], null, null),
            ["keys", { } name] => new KeyVaultAddress(vault, host[1], name, null),
            ["keys", { } name, { } version] => new KeyVaultAddress(vault, host[1], name, version),
            _ => null,
        };
    }

    private static bool IsName(string text, int maxLength) =>
        text.Length > 0 && text.Length <= maxLength && text.All(c => char.IsAsciiLetterOrDigit(c) || c == '-');

    private static BackupException Invalid(string uri, string what, string form) => new(
        BackupErrorId.KeyVaultUriInvalid,
        $"'{uri}' is not the URI of {what}.",
        $"Give it in the form {form}, as the Azure portal shows it.",
        uri,
        errorCode: UriCode);
}
