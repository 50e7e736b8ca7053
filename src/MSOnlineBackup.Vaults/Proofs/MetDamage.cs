using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Vaults.Proofs;

/// <summary>Damage that somebody meets who reads for another reason: it is put on record, so that a repair, or the next maintenance, begins with it.</summary>
internal static class MetDamage
{
    /// <summary>Puts on record the packs that did not give what was needed of them, unless they are on it. Without any it asks the vault nothing.</summary>
    /// <param name="store">The store that was read from.</param>
    /// <param name="monitor">Is told where this identity may not add to the vault, or something else stands in the way: the work is done all the same.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public static async Task RecordAsync(ChunkStore store, JobMonitor monitor, CancellationToken cancellationToken)
    {
        List<(SessionId Session, uint Number)> met = [.. store.Broken.All.Select(pack => (pack.Session, pack.Number)).Order()];
        if (met.Count == 0)
        {
            return;
        }

        try
        {
            ProofLog log = await ProofLog.ListAsync(store, cancellationToken).ConfigureAwait(false);
            PackProofs known = await log.ReadPacksAsync(cancellationToken).ConfigureAwait(false);
            await ProofLog.WritePacksAsync(
                store, ProofKind.Damage, met.Where(pack => !known.IsDamaged(pack)).Select(pack => (pack, (DateTimeOffset?)null)), cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException e)
        {
            monitor.Note($"{met.Count} packs of the vault are damaged or missing, and that could not be put on record in it: {e.Message}");
        }
    }
}
