using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Vaults.Cryptography;

/// <summary>A place beyond this machine that keeps its passphrase, so that nobody else must. Every failure is a <see cref="BackupException"/>.</summary>
public interface IPassphraseSafe
{
    /// <summary>Where the passphrase lies, for messages.</summary>
    string Location { get; }

    /// <summary>The passphrase that was kept last.</summary>
    /// <exception cref="BackupException">KeyVaultSecretNotFound, KeyVaultSecretForeign, KeyVaultAccessDenied, …</exception>
    Task<string> ReadAsync(CancellationToken cancellationToken);

    /// <summary>Keeps a passphrase. What was kept before stays in the history of the safe.</summary>
    /// <exception cref="BackupException">KeyVaultSecretForeign, KeyVaultSecretDeleted, KeyVaultAccessDenied, …</exception>
    Task WriteAsync(string passphrase, CancellationToken cancellationToken);
}

/// <summary>Whose passphrase it is.</summary>
/// <param name="Machine">The machine's full name.</param>
/// <param name="VaultName">What the backup vault is called.</param>
/// <param name="VaultId">Its id: 32 hexadecimal digits.</param>
public sealed record PassphraseOwner(string Machine, string VaultName, string VaultId);
