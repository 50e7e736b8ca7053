using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Keys;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>
/// Counts recovery points without a key. Where a session was shut out, a fence stands in the place of its point; it is short, and only what is short is asked.
/// </summary>
/// <param name="objects">The vault.</param>
internal sealed class PointCensus(IVaultStore objects)
{
    /// <summary>How many of some objects are points.</summary>
    /// <param name="listed">Objects that have names of points.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task<int> CountAsync(IReadOnlyList<StoredObject> listed, CancellationToken cancellationToken) =>
        await ReadAhead.SelectAsync(listed, objects.Capabilities.MaxConcurrency, IsPointAsync, cancellationToken)
            .CountAsync(isPoint => isPoint, cancellationToken).ConfigureAwait(false);

    /// <summary>Whether the vault has any.</summary>
    public async Task<bool> HasAnyAsync(CancellationToken cancellationToken)
    {
        IReadOnlyList<KeyName> keys = (await KeyListing.ReadAsync(objects, cancellationToken).ConfigureAwait(false)).Slots;
        foreach (StoreId storeId in keys.Select(key => key.StoreId).Distinct())
        {
            await foreach (StoredObject found in objects.ListAsync(VaultLayout.Points(storeId), cancellationToken).ConfigureAwait(false))
            {
                if (await IsPointAsync(found, cancellationToken).ConfigureAwait(false))
                {
                    return true;
                }
            }
        }

        return false;
    }

    // What cannot be read is what its name says.
    private async Task<bool> IsPointAsync(StoredObject found, CancellationToken cancellationToken)
    {
        if (found.Length > SealedObject.LongestFence)
        {
            return true;
        }

        byte[] beginning = new byte[SealedObject.HeaderLength];
        try
        {
            int read = await objects.ReadAsync(found.Name, 0, beginning, cancellationToken).ConfigureAwait(false);
            return SealedObject.KindOf(beginning.AsSpan(0, read)) is null or SealedObjectKind.RecoveryPoint;
        }
        catch (BackupException e) when (e.IsDamage)
        {
            return true;
        }
    }
}
