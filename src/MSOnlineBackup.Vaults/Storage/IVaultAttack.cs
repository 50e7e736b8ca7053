using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Vaults.Storage;

/// <summary>
/// What somebody could do to a store past the engine, with the same rights: for the test of a vault's protection alone, which tries it on objects of its own. Every
/// failure is a <see cref="BackupException"/>; a refusal is VaultAccessDenied or VaultDataProtected.
/// </summary>
public interface IVaultAttack
{
    /// <summary>Puts other bytes in the place of an object.</summary>
    ValueTask OverwriteAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken);

    /// <summary>Makes an object look as if it had been created at another time. False where the storage has no way to.</summary>
    ValueTask<bool> BackdateAsync(string name, DateTimeOffset created, CancellationToken cancellationToken);

    /// <summary>Until when, and how firmly, the storage itself keeps an object; null where it does not, or does not say.</summary>
    ValueTask<StorageProtection?> ReadProtectionAsync(string name, CancellationToken cancellationToken);
}

/// <summary>How the storage itself keeps an object.</summary>
/// <param name="Until">Until when (UTC); null for as long as somebody wants it.</param>
/// <param name="IsLocked">Whether nobody can shorten that.</param>
/// <param name="KeepsVersions">Whether what is deleted or replaced stays there as an earlier version.</param>
public sealed record StorageProtection(DateTimeOffset? Until, bool IsLocked, bool KeepsVersions);
