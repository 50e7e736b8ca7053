using System.Text.Json;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Vaults.Stores;

/// <summary>Looks at records of sessions, for which neither a key nor the owner is needed. All else that is plain is looked at where it is read.</summary>
internal static class PlainObjects
{
    private const int MaxLength = 64 << 10;

    /// <summary>Whether it can look at objects of this kind.</summary>
    public static bool Knows(StoredKind kind) =>
        kind is StoredKind.Session;

    /// <summary>Looks at one object. What is gone meanwhile is not damage.</summary>
    /// <param name="objects">The vault.</param>
    /// <param name="header">Its header; null where that is damaged.</param>
    /// <param name="found">The object.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>The record, where it is one of a session.</returns>
    /// <exception cref="BackupException">VaultDataCorrupt, VaultDataUnreadable.</exception>
    public static async Task<SessionRecord?> CheckAsync(IVaultStore objects, VaultHeader? header, StoredObject found, CancellationToken cancellationToken)
    {
        string name = found.Name;
        if (await VaultHeader.ReadSmallAsync(objects, name, (int)Math.Min(found.Length, MaxLength), cancellationToken).ConfigureAwait(false) is not { } content)
        {
            return null;
        }

        try
        {
            return SessionRecord.Decode(content, header, name);
        }
        catch (JsonException e)
        {
            throw VaultDamage.Corrupt(name, "it is truncated, or no record", e);
        }
    }

    /// <summary>Reads the record of a session.</summary>
    /// <exception cref="BackupException">VaultDataMissing, VaultDataCorrupt, VaultDataUnreadable.</exception>
    public static async Task<SessionRecord> ReadSessionAsync(IVaultStore objects, VaultHeader header, string name, CancellationToken cancellationToken) =>
        await objects.StatAsync(name, cancellationToken).ConfigureAwait(false) is { } found
        && await CheckAsync(objects, header, found, cancellationToken).ConfigureAwait(false) is { } record
            ? record
            : throw VaultDamage.Missing(name, "Record of a session");
}
