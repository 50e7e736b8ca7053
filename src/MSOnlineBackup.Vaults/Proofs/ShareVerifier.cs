using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Packs;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.Stores;
using MSOnlineBackup.Vaults.Verification;

namespace MSOnlineBackup.Vaults.Proofs;

/// <summary>
/// Verifies a part of a store's packs, those first that were not read for the longest time, and keeps on record what was found. Which ones these are follows
/// from the vault alone: so it goes on wherever it is run, and two at once only read some twice.
/// </summary>
/// <param name="store">The store, its index read.</param>
/// <param name="monitor">Counts bytes.</param>
/// <param name="clock">The clock.</param>
/// <param name="isThrifty">Whether it takes its time, and little memory.</param>
internal sealed class ShareVerifier(ChunkStore store, JobMonitor monitor, TimeProvider clock, bool isThrifty = false)
{
    // A time that lies further ahead than clocks differ says nothing.
    private static readonly TimeSpan _skew = TimeSpan.FromDays(1);

    private readonly ProblemList _problems = new();
    private readonly PackFindings _found = new(store);

    /// <summary>Verifies.</summary>
    /// <param name="request">How much.</param>
    /// <param name="lost">Packs that are known to be missing, and of which something is needed.</param>
    /// <param name="cancellationToken">Stops it. What was read by then is on record.</param>
    public async Task<ShareReport> RunAsync(
        ShareRequest request, IReadOnlyCollection<(SessionId Session, uint Number)> lost, CancellationToken cancellationToken)
    {
        long began = clock.GetTimestamp();
        monitor.Enter(JobPhase.Verifying);
        ProofLog log = await ProofLog.ListAsync(store, cancellationToken).ConfigureAwait(false);
        PackProofs before = await log.ReadPacksAsync(cancellationToken).ConfigureAwait(false);
        await store.SurveyPacksAsync(cancellationToken).ConfigureAwait(false);
        DateTimeOffset now = clock.GetUtcNow();

        // What is about to go proves nothing; where it is damaged, a repair has seen to it.
        IReadOnlySet<(SessionId Session, uint Number)> going = await CondemnedPacks.ReadAsync(store, cancellationToken).ConfigureAwait(false);
        List<(PackInfo Pack, DateTimeOffset Read)> all =
        [
            .. store.Index.Packs.Where(pack => pack is { IsKnown: true, IsAvailable: true } && !going.Contains((pack.Session, pack.Number)))
                .Select(pack => (Pack: pack, Read: LastRead(pack, before, now)))
                .OrderBy(pack => pack.Read).ThenBy(pack => pack.Pack.Session).ThenBy(pack => pack.Pack.Number),
        ];
        foreach ((SessionId Session, uint Number) pack in lost.Where(pack => !before.IsDamaged(pack)))
        {
            _found.NoteLost(pack);
        }

        double wanted = Measure(all, request, log.LastOf(ProofKind.Packs), now);
        var packs = new PackVerifier(store, monitor, _problems, isThrifty: isThrifty);
        long begun = 0;
        try
        {
            await packs.RunAsync(cancellationToken, [.. all.Select(pack => pack.Pack)], Begins, _found.Note, Pass).ConfigureAwait(false);
        }
        finally
        {
            // What was read was read, even if the rest was stopped.
            await _found.RecordAsync(CancellationToken.None).ConfigureAwait(false);
        }

        // What is not there may have been collected meanwhile; what is lost, and needed, a verification of the structure tells.
        HashSet<string> missing = [.. all.Where(pack => !pack.Pack.IsAvailable).Select(pack => store.NameOf(pack.Pack))];
        IEnumerable<(SessionId Session, uint Number)> broken =
            before.Damaged.Where(pack => !_found.All.ContainsKey(pack) && !going.Contains(pack) && store.Index.TryGetPack(pack.Session, pack.Number, out _))
            .Concat(_found.All.Where(found => !found.Value).Select(found => found.Key));
        return new ShareReport(
            _found.All.Count - lost.Count(_found.All.ContainsKey),
            packs.Bytes,
            all.Count,
            all.Sum(pack => (long)pack.Pack.Length),
            [.. broken.Order().Select(pack => VaultLayout.Pack(store.StoreId, pack.Session, pack.Number))],
            all.Count == 0 ? null : all.Min(pack => _found.All.ContainsKey((pack.Pack.Session, pack.Pack.Number)) ? now : pack.Read),
            [.. _problems.ToFindings().Where(finding => !missing.Contains(finding.Object))]);

        bool Begins(PackInfo pack)
        {
            long bytes = Volatile.Read(ref begun);
            bool isEnough = bytes >= wanted
                || (request.MaxBytes is { } most && bytes > 0 && bytes + pack.Length > most)
                || (request.MaxDuration is { } longest && clock.GetElapsedTime(began) >= longest);
            Interlocked.Add(ref begun, isEnough ? 0 : pack.Length);
            return !isEnough;
        }

        // What is archived does not count, so that others have their turn.
        void Pass(PackInfo pack) => Interlocked.Add(ref begun, -pack.Length);
    }

    // Bytes that are to be read.
    private static double Measure(List<(PackInfo Pack, DateTimeOffset Read)> all, ShareRequest request, DateTimeOffset? last, DateTimeOffset now)
    {
        double total = all.Sum(pack => (double)pack.Pack.Length);
        return request switch
        {
            { Share: { } share } => total * share,
            { OlderThan: { } age } => all.Where(pack => now - pack.Read >= age).Sum(pack => (double)pack.Pack.Length),
            { Days: { } days } => total * ShareOf(days, all, last, now),
            _ => 0,
        };
    }

    // By the days since the last run; at twice that pace where one is behind, because runs were cut short.
    private static double ShareOf(int days, List<(PackInfo Pack, DateTimeOffset Read)> all, DateTimeOffset? last, DateTimeOffset now)
    {
        double elapsed = last is { } before && before <= now ? (now - before).TotalDays : 1;
        bool isBehind = all.Count > 0 && now - all[0].Read > TimeSpan.FromDays(days);
        return Math.Min(1, elapsed * (isBehind ? 2 : 1) / days);
    }

    // What was never read is as old as its session.
    private static DateTimeOffset LastRead(PackInfo pack, PackProofs proofs, DateTimeOffset now)
    {
        DateTimeOffset read = proofs.LastRead((pack.Session, pack.Number)) ?? pack.Session.Announced ?? DateTimeOffset.MinValue;
        return read - now > _skew ? DateTimeOffset.MinValue : read;
    }
}
