using System.Text.Json;
using MSOnlineBackup.Engine.Errors;
using MSOnlineBackup.Engine.Storage;

namespace MSOnlineBackup.Engine.Vaults;

/// <summary>Looks at what a vault knows of machines, settings, credentials and sessions, for which no key is needed. Header and key slots are looked at where they are read.</summary>
internal static class PlainObjects
{
    private const int MaxLength = 64 << 10;

    /// <summary>Whether it can look at objects of this kind.</summary>
    public static bool Knows(StoredKind kind) =>
        kind is StoredKind.Machine or StoredKind.Settings or StoredKind.Credential or StoredKind.Session;

    /// <summary>Looks at one object. What is gone meanwhile is no damage.</summary>
    /// <param name="objects">The vault.</param>
    /// <param name="header">Its header; null where that is damaged.</param>
    /// <param name="kind">What the object is, by its name.</param>
    /// <param name="found">The object.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>The record, where it is one of a session.</returns>
    /// <exception cref="BackupException">VaultDataCorrupt, VaultDataUnreadable.</exception>
    public static async Task<SessionRecord?> CheckAsync(IVaultStore objects, VaultHeader? header, StoredKind kind, StoredObject found, CancellationToken cancellationToken)
    {
        string name = found.Name;
        if (await VaultHeader.ReadSmallAsync(objects, name, (int)Math.Min(found.Length, MaxLength), cancellationToken).ConfigureAwait(false) is not { } content)
        {
            return null;
        }

        try
        {
            SessionRecord? session = kind == StoredKind.Session ? SessionRecord.Decode(content, header, name) : null;
            bool isSound = kind switch
            {
                StoredKind.Machine => JsonSerializer.Deserialize(content, VaultJson.Default.MachineRecord) is { Name: not null, StoreId: { } store } && VaultLayout.IsId(store),
                StoredKind.Settings => JsonSerializer.Deserialize(content, VaultJson.Default.VaultSettings) is { Fault: null },
                StoredKind.Credential => JsonSerializer.Deserialize(content, VaultJson.Default.CredentialRecord) is { TokenHash: not null },
                StoredKind.Session => session!.MachineId is null || VaultLayout.IsId(session.MachineId),
                _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "It cannot be read without a key."),
            };
            return isSound ? session : throw VaultDamage.Corrupt(name, "its fields are wrong");
        }
        catch (JsonException e)
        {
            throw VaultDamage.Corrupt(name, "it is truncated, or no record", e);
        }
    }
}
