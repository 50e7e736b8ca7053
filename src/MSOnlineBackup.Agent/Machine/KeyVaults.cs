using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Machine;

/// <summary>The Azure Key Vaults that this machine uses, reached as its vault is.</summary>
/// <param name="access">How they are come by; null where this program uses none.</param>
/// <param name="connections">How they are reached.</param>
internal sealed class KeyVaults(KeyVaultAccess? access, VaultConnections connections)
{
    /// <summary>What keeps a machine's passphrase in a Key Vault.</summary>
    /// <param name="registration">Whose passphrase is meant.</param>
    /// <param name="uri"><c>https://NAME.vault.azure.net/</c>.</param>
    /// <exception cref="BackupException">NotAvailable, KeyVaultUriInvalid, …</exception>
    public IPassphraseSafe OpenSafe(MachineRegistration registration, string uri)
    {
        KeyVaultAccess keyVaults = Require();
        string name = registration.MachineName;
        string machine = keyVaults.DomainName is { Length: > 0 } domain && !name.Contains('.', StringComparison.Ordinal) ? $"{name}.{domain}" : name;
        return keyVaults.OpenSafe(uri, new PassphraseOwner(machine, registration.VaultName, registration.VaultId), connections.ConnectToKeyVault());
    }

    /// <summary>A key in a Key Vault.</summary>
    /// <param name="uri"><c>https://NAME.vault.azure.net/keys/KEY</c>, with or without a version.</param>
    /// <exception cref="BackupException">NotAvailable, KeyVaultUriInvalid, …</exception>
    public IKeyEncryptionKey OpenKey(string uri) => Require().OpenKey(uri, connections.ConnectToKeyVault());

    private KeyVaultAccess Require() => access ?? throw new BackupException(
        BackupErrorId.NotAvailable,
        "This program does not include Azure Key Vault.",
        "Use the module's cmdlets.");
}
