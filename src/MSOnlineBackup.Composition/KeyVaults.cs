using System.Net.NetworkInformation;
using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Storage.Azure.KeyVault;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Composition;

/// <summary>Azure Key Vaults, and what they keep. Nothing of Azure is loaded where none is named.</summary>
public static class KeyVaults
{
    /// <summary>What an agent needs to know of them.</summary>
    internal static KeyVaultAccess Access => new()
    {
        OpenSafe = (uri, owner, connection) => KeyVaultPassphraseSafe.Open(uri, owner, connection),
        OpenKey = OpenKey,
        DomainName = Domain(),
    };

    /// <summary>A key in a Key Vault.</summary>
    /// <param name="uri">The URI of the key, with its version or without.</param>
    /// <param name="connection">How the Key Vault is reached.</param>
    /// <exception cref="BackupException">ArgumentInvalid: it is not the URI of such a key.</exception>
    public static IKeyEncryptionKey OpenKey(string uri, VaultConnection connection) => KeyVaultKey.Open(uri, connection);

    // The kernel's word for none is "(none)". No name server is asked: an answer that comes and goes would name the machine now so, now otherwise.
    private static string? Domain() => IPGlobalProperties.GetIPGlobalProperties().DomainName is { Length: > 0 } name && name[0] != '(' ? name : null;
}
