using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Agent.Machine;

/// <summary>How Azure Key Vaults are come by: the composition's choice.</summary>
public sealed record KeyVaultAccess
{
    /// <summary>From the URI of a Key Vault, and whose passphrase is meant, to what keeps it there.</summary>
    public required Func<string, PassphraseOwner, VaultConnection, IPassphraseSafe> OpenSafe { get; init; }

    /// <summary>From the URI of a key in a Key Vault to the key.</summary>
    public required Func<string, VaultConnection, IKeyEncryptionKey> OpenKey { get; init; }

    /// <summary>The domain that this machine is in, without a dot before it; null for none. With the name it names the machine in a Key Vault.</summary>
    public string? DomainName { get; init; }
}
