using System.Security.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Vaults.Maintenance;

/// <summary>
/// Room that is held by objects without a meaning, <c>gc/SESSION-NUMBER.reserve</c>, so that a run of maintenance has some on a full disk: what it decides must be written
/// before anything can be deleted.
/// </summary>
internal static class ReservedRoom
{
    // As many objects as a run writes before it deletes a pack, for a disk can be out of inodes, too.
    private const int Objects = 6;
    private const int Length = 64 << 10;
    private const string Suffix = ".reserve";

    /// <summary>How many packs a run condemns at most where it has no other room: the record takes 20 bytes for each, twice.</summary>
    public const int MostPacks = 2000;

    /// <summary>Gives the room free. Returns whether there was any.</summary>
    public static async Task<bool> ReleaseAsync(ChunkStore store, CancellationToken cancellationToken)
    {
        List<string> names = await ListAsync(store, cancellationToken).ConfigureAwait(false);
        foreach (string name in names)
        {
            await store.Deletion.TryDeleteAsync(name, cancellationToken).ConfigureAwait(false);
        }

        return names.Count > 0;
    }

    /// <summary>Sees to it that there is some, as far as the disk has it.</summary>
    /// <param name="store">The store.</param>
    /// <param name="session">The session of the run: it gives the names, which are never used again.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public static async Task HoldAsync(ChunkStore store, SessionId session, CancellationToken cancellationToken)
    {
        if ((await ListAsync(store, cancellationToken).ConfigureAwait(false)).Count > 0)
        {
            return;
        }

        try
        {
            for (int number = 1; number <= Objects; number++)
            {
                // File systems that compress would store zeros in no room at all.
                await store.Objects.TryCreateAsync(
                    $"{VaultLayout.Collections(store.StoreId)}{session}-{number:x8}{Suffix}", RandomNumberGenerator.GetBytes(Length), cancellationToken).ConfigureAwait(false);
            }
        }
        catch (BackupException e) when (e.Id == BackupErrorId.VaultFull)
        {
            // What there is of it is better than none; the next run that finds room makes the rest once this is used.
        }
    }

    private static async Task<List<string>> ListAsync(ChunkStore store, CancellationToken cancellationToken) =>
        await store.Objects.ListAsync(VaultLayout.Collections(store.StoreId), cancellationToken)
            .Where(found => found.Name.EndsWith(Suffix, StringComparison.Ordinal))
            .Select(found => found.Name)
            .ToListAsync(cancellationToken).ConfigureAwait(false);
}
