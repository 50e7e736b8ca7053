namespace MSOnlineBackup.Vaults;

/// <summary>A key slot.</summary>
/// <param name="KeyId">32 hexadecimal digits.</param>
/// <param name="Label">What the user called it.</param>
/// <param name="Kind">"passphrase", "azure-key-vault", or "damaged".</param>
/// <param name="Created">When it was added.</param>
/// <param name="IsCurrent">Whether it opened the vault.</param>
/// <param name="KeyVaultKey">The URI of the Key Vault key that opens it, with its version; null where a passphrase does.</param>
/// <param name="Kdf">How its key is derived from the passphrase: "argon2id" or "pbkdf2-hmac-sha512"; null where no passphrase opens it.</param>
public sealed record KeySlotInfo(
    string KeyId, string? Label, string Kind, DateTimeOffset Created, bool IsCurrent, string? KeyVaultKey = null, string? Kdf = null)
{
    /// <summary>Which of the store's master keys it leads to: how often the key had been rotated.</summary>
    public int Epoch { get; init; }

    /// <summary>Whether the master key was rotated since: it opens what was written before, and nothing else.</summary>
    public bool IsOutdated { get; init; }
}
