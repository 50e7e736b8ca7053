using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Maintenance;
using MSOnlineBackup.Vaults.Packs;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.Proofs;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Vaults.Repair;

/// <summary>The packs that verifications, and whoever else met it, found damaged, and that nobody has condemned since: a repair begins with them.</summary>
internal sealed class RecordedDamage
{
    private readonly IReadOnlySet<(SessionId Session, uint Number)> _packs;
    private readonly PackFindings _found;

    private RecordedDamage(ChunkStore store, IReadOnlySet<(SessionId Session, uint Number)> packs) => (_packs, _found) = (packs, new PackFindings(store));

    /// <summary>Whether there is any.</summary>
    public bool IsAny => _packs.Count > 0;

    /// <summary>Reads the records.</summary>
    /// <param name="store">The store, its index read.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">VaultDataCorrupt, VaultFormatUnsupported: a record of maintenance cannot be read.</exception>
    public static async Task<RecordedDamage> ReadAsync(ChunkStore store, CancellationToken cancellationToken)
    {
        PackProofs proofs = await (await ProofLog.ListAsync(store, cancellationToken).ConfigureAwait(false)).ReadPacksAsync(cancellationToken).ConfigureAwait(false);
        HashSet<(SessionId Session, uint Number)> packs = [.. proofs.Damaged.Where(pack => store.Index.TryGetPack(pack.Session, pack.Number, out _))];
        if (packs.Count > 0)
        {
            packs.ExceptWith((await CollectionRecords.ReadAsync(store, cancellationToken).ConfigureAwait(false)).Condemned);
        }

        return new RecordedDamage(store, packs);
    }

    /// <summary>Whether a pack is among them.</summary>
    public bool Contains(PackInfo pack) => _packs.Contains((pack.Session, pack.Number));

    /// <summary>Notes that one was read, and whether all of it is whole.</summary>
    public void Note(PackInfo pack, bool isSound) => _found.Note(pack, isSound);

    /// <summary>Puts on record which of them are whole: nobody reads those for that any more.</summary>
    public async Task SettleAsync(ChunkStore store, JobMonitor monitor, CancellationToken cancellationToken)
    {
        try
        {
            IEnumerable<(SessionId, uint)> whole = _found.All.Where(pack => pack.Value).Select(pack => pack.Key).Order();
            await ProofLog.WritePacksAsync(store, ProofKind.Packs, whole.Select(pack => (pack, (DateTimeOffset?)null)), cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException e) when (e.Id is BackupErrorId.VaultAccessDenied or BackupErrorId.VaultFull)
        {
            monitor.Note($"What was found whole is not on record: {e.Message}");
        }
    }
}
