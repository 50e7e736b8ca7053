using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Stores;
using MSOnlineBackup.Vaults.Versioning;

namespace MSOnlineBackup.Vaults.Proofs;

/// <summary>What was proven of a chunk store, and when; and the proving of more. Every failure is a <see cref="BackupException"/>.</summary>
public sealed class VaultProofs
{
    private readonly ChunkStore _store;
    private readonly Func<CancellationToken, Task<ChunkStore>> _openIndexed;
    private readonly TimeProvider _clock;

    internal VaultProofs(ChunkStore store, Func<CancellationToken, Task<ChunkStore>> openIndexed, TimeProvider clock)
    {
        _store = store;
        _openIndexed = openIndexed;
        _clock = clock;
    }

    /// <summary>Verifies a part of the packs, those first that were not read for the longest time, and puts on record what was found.</summary>
    /// <param name="request">How much.</param>
    /// <param name="monitor">Is told how far it is.</param>
    /// <param name="cancellationToken">Stops it; what was read by then is on record.</param>
    /// <exception cref="BackupException">VaultAccessDenied where this identity may not create objects; VaultFull, VaultUnreachable, …</exception>
    public async Task<ShareReport> VerifyShareAsync(ShareRequest request, JobMonitor monitor, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(monitor);
        monitor.Watch(_store.Objects);
        ShareReport report = await new ShareVerifier(await _openIndexed(cancellationToken).ConfigureAwait(false), monitor, _clock)
            .RunAsync(request, [], cancellationToken).ConfigureAwait(false);
        monitor.Enter(JobPhase.Finished);
        return report;
    }

    /// <summary>Says what is on record. It lists the packs, and reads the records and the newest recovery point of each machine.</summary>
    public async Task<VaultProofSummary> ReadAsync(CancellationToken cancellationToken)
    {
        ProofLog log = await ProofLog.ListAsync(_store, cancellationToken).ConfigureAwait(false);
        PackProofs proofs = await log.ReadPacksAsync(cancellationToken).ConfigureAwait(false);
        ILookup<MachineId, TrialRestoreProof> trials = (await log.ReadTrialsAsync(cancellationToken).ConfigureAwait(false)).ToLookup(
            trial => trial.Trial.MachineId,
            trial => new TrialRestoreProof(trial.Object.Created, trial.Trial.PointId, trial.Trial.Files, trial.Trial.Differences));
        List<ListedPack> packs = await ListPacksAsync(cancellationToken).ConfigureAwait(false);
        var catalog = new RecoveryPointCatalog(_store);
        List<PointName> names = await catalog.ListNamesAsync(null, cancellationToken).ConfigureAwait(false);
        var machines = new List<MachineProof>();
        await foreach (PointReading reading in catalog.ReadAsync(names.DistinctBy(name => name.MachineId), cancellationToken).ConfigureAwait(false))
        {
            if (reading.Point is { } point)
            {
                (DateTimeOffset? verified, double share) = Cover([.. packs.Where(pack => pack.Key.Session <= point.SessionId)], proofs);
                machines.Add(new MachineProof(
                    point.MachineName, point.SessionId, point.Created ?? point.Ended, verified, share, trials[point.MachineId].MaxBy(trial => trial.Time)));
            }
        }

        IReadOnlySet<(SessionId Session, uint Number)> going = await CondemnedPacks.ReadAsync(_store, cancellationToken).ConfigureAwait(false);
        return new VaultProofSummary(
            [.. machines.OrderBy(machine => machine.MachineName, StringComparer.OrdinalIgnoreCase)],
            log.LastOf(ProofKind.Maintenance),
            [.. proofs.Damaged.Where(pack => !going.Contains(pack)).Select(pack => VaultLayout.Pack(_store.StoreId, pack.Session, pack.Number))]);
    }

    /// <summary>Whether it is time for maintenance after a backup: none is on record since a while before, by the store's own clock.</summary>
    /// <param name="point">The recovery point that the backup has made.</param>
    /// <param name="interval">How long before.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task<bool> IsMaintenanceDueAsync(RecoveryPoint point, TimeSpan interval, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(point);
        Task<StoredObject?> asking = _store.Objects.StatAsync(VaultLayout.Point(_store.StoreId, point.MachineId, point.SessionId), cancellationToken).AsTask();
        ProofLog log = await ProofLog.ListAsync(_store, cancellationToken).ConfigureAwait(false);
        StoredObject? committed = await asking.ConfigureAwait(false);

        // A record from the future is of a clock that leapt: it holds nobody off.
        return committed is { } now && !log.Of(ProofKind.Maintenance).Any(record => (now.Created - record.Created).Duration() < interval);
    }

    /// <summary>Puts a trial restore on record.</summary>
    /// <param name="point">The recovery point.</param>
    /// <param name="seed">By which the sample was drawn.</param>
    /// <param name="files">Files that were restored.</param>
    /// <param name="bytes">Their bytes.</param>
    /// <param name="differences">Files that could not be restored, or were not as the point says.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task RecordTrialAsync(RecoveryPoint point, long seed, long files, long bytes, int differences, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(point);
        var trial = new TrialProof(point.MachineId, point.SessionId, seed, files, bytes, differences, Product.Version);
        await ProofLog.WriteAsync(_store, ProofKind.Restore, trial.Encode(), cancellationToken).ConfigureAwait(false);
    }

    // A point needs no pack that is newer than it; which of the older ones it needs, its manifests would tell.
    private static (DateTimeOffset? Since, double Share) Cover(IReadOnlyList<ListedPack> packs, PackProofs proofs)
    {
        double all = 0;
        double proven = 0;
        DateTimeOffset? since = null;
        bool isWhole = packs.Count > 0;
        foreach (ListedPack pack in packs)
        {
            all += pack.Length;
            if (proofs.Sound.TryGetValue(pack.Key, out DateTimeOffset read) && !proofs.IsDamaged(pack.Key))
            {
                proven += pack.Length;
                since = since is { } other && other < read ? other : read;
            }
            else
            {
                isWhole = false;
            }
        }

        return (isWhole ? since : null, all == 0 ? 0 : proven / all);
    }

    private async Task<List<ListedPack>> ListPacksAsync(CancellationToken cancellationToken)
    {
        var packs = new List<ListedPack>();
        await foreach (StoredObject found in _store.Objects.ListAsync(VaultLayout.Packs(_store.StoreId), cancellationToken).ConfigureAwait(false))
        {
            if (VaultLayout.TryParseNumbered(found.Name, out SessionId session, out uint number))
            {
                packs.Add(new ListedPack((session, number), found.Length));
            }
        }

        return packs;
    }

    private readonly record struct ListedPack((SessionId Session, uint Number) Key, long Length);
}
