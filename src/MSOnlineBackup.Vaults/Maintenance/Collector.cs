using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Packs;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.Protection;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Statuses;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Stores;
using MSOnlineBackup.Vaults.Verification;
using MSOnlineBackup.Vaults.Versioning;

namespace MSOnlineBackup.Vaults.Maintenance;

/// <summary>
/// Deletes what no recovery point needs, beside jobs that write and read, without a lock: docs/design.md has the protocol and why it is safe.
/// A run does what can be done now, and ends; what waits for somebody is done by a later run. It can be stopped at any instant.
/// </summary>
/// <param name="store">The store, nothing of it read.</param>
/// <param name="options">Clock and workers.</param>
/// <param name="request">What it may do.</param>
/// <param name="monitor">Is told how far it is.</param>
/// <param name="allow">Refuses what the vault's records allow newer versions only.</param>
internal sealed class Collector(ChunkStore store, VaultOptions options, MaintenanceRequest request, JobMonitor monitor, Action<VaultUse> allow)
{
    private readonly long _began = options.TimeProvider.GetTimestamp();
    private readonly ProblemList _problems = new();

    private bool IsOverTime => request.MaxDuration is { } most && options.TimeProvider.GetElapsedTime(_began) >= most;

    /// <summary>Runs.</summary>
    public async Task<MaintenanceReport> RunAsync(CancellationToken cancellationToken)
    {
        monitor.Enter(JobPhase.Planning);
        MaintenanceReport report = request.IsRehearsal
            ? await RehearseAsync(cancellationToken).ConfigureAwait(false)
            : await CollectAnnouncedAsync(cancellationToken).ConfigureAwait(false);
        monitor.Enter(JobPhase.Finished);
        return report with { Findings = _problems.ToFindings() };
    }

    private async Task<MaintenanceReport> RehearseAsync(CancellationToken cancellationToken)
    {
        Sight sight = await LookAsync(cancellationToken).ConfigureAwait(false);
        ExpiryReport expiry = await ExpireAsync(options.TimeProvider.GetUtcNow(), null, cancellationToken).ConfigureAwait(false);
        var report = new MaintenanceReport { IsRehearsal = true, PointsGone = expiry.Gone.Count, Brakes = expiry.Brakes };
        (NeededChunks needed, _) = await MarkAsync(sight.View, expiry, [], null, cancellationToken).ConfigureAwait(false);
        if (!needed.IsWhole)
        {
            return report;
        }

        PackPlan plan = new PackCondemner(store, request, sight.View, new CollectionDecisions(store, sight.Records, sight.View), needed, null).Plan();
        return report with
        {
            Packs = new PackChanges
            {
                Condemned = plan.Dead.Count + plan.Repacked.Count,
                BytesCondemned = plan.Dead.Concat(plan.Repacked).Sum(use => (long)use.Pack.Length),
                Repacked = plan.Repacked.Count,
                BytesRepacked = plan.Repacked.Sum(use => use.Needed),
                BytesUnused = plan.Unused,
                BytesUnderEarlierKeys = plan.UnderEarlierKeys,
            },
        };
    }

    private async Task<MaintenanceReport> CollectAnnouncedAsync(CancellationToken cancellationToken)
    {
        var announcement = new SessionAnnouncement(
            store, new SessionRecord { MachineId = null, Started = options.TimeProvider.GetUtcNow(), AgentVersion = Product.Version });
        SessionId? highest = await SessionOrder.FindHighestAsync(store, cancellationToken).ConfigureAwait(false);
        try
        {
            SessionId id = await announcement.AnnounceAsync(highest, cancellationToken).ConfigureAwait(false);
            await DeletionRight.RequireAsync(store, id, cancellationToken).ConfigureAwait(false);
            Sight sight = await LookAsync(cancellationToken).ConfigureAwait(false);
            VaultAccessTier tier = (await WriteSession.ReadSettingsAsync(store, cancellationToken).ConfigureAwait(false)).AccessTier;
            MaintenanceReport report;
            await using (var session = new WriteSession(
                store, announcement, id, tier, monitor.Transfer, workers: 1, verifyOneIn: 0, CancellationToken.None, isThrifty: true))
            {
                report = await CollectAsync(sight, session, cancellationToken).ConfigureAwait(false);
            }

            await RequireAliveAsync(id, cancellationToken).ConfigureAwait(false);
            await ReservedRoom.HoldAsync(store, id, cancellationToken).ConfigureAwait(false);
            await announcement.EndAsync(cancellationToken).ConfigureAwait(false);
            return report;
        }
        catch (Exception failure)
        {
            if (failure is BackupException { Id: BackupErrorId.VaultFull })
            {
                await TryReleaseAsync(cancellationToken).ConfigureAwait(false);
            }

            // The next run, or a later one, shuts it out otherwise: whatever comes of it.
            await announcement.TryEndAsync(failure, options.TimeProvider).ConfigureAwait(false);
            throw;
        }
    }

    // For the word that this run has ended, and for one that makes do with little.
    private async Task TryReleaseAsync(CancellationToken cancellationToken)
    {
        try
        {
            await ReservedRoom.ReleaseAsync(store, cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException)
        {
            // The full disk is what the run ends with.
        }
    }

    // The index is read, and the packs and decisions are listed, after the announcement: as a writer does.
    private async Task<Sight> LookAsync(CancellationToken cancellationToken)
    {
        await store.ReadIndexAsync(cancellationToken).ConfigureAwait(false);
        await store.SurveyPacksAsync(cancellationToken).ConfigureAwait(false);
        var missing = new HashSet<PackInfo>(
            store.Index.Packs.Where(pack => pack is { IsKnown: true, IsAvailable: false }), ReferenceEqualityComparer.Instance);
        CollectionRecords records = await CollectionRecords.ReadAsync(store, cancellationToken).ConfigureAwait(false);
        foreach (BackupException damage in records.Damage)
        {
            Find(damage);
        }

        return new Sight(missing, records, await CollectionView.TakeAsync(store, cancellationToken).ConfigureAwait(false));
    }

    private async Task<MaintenanceReport> CollectAsync(Sight sight, WriteSession session, CancellationToken cancellationToken)
    {
        CollectionView view = sight.View;
        DateTimeOffset now = await ReadClockAsync(session.Id, cancellationToken).ConfigureAwait(false);

        LockKeeper? locks = await LockKeeper.TryOpenAsync(store, now, Find, cancellationToken).ConfigureAwait(false);

        // In the room that is held for deleting, nothing else is written: parity waits for the next run.
        int? workers = request.MostDead == int.MaxValue ? options.Workers : null;
        RedundancyKeeper redundancy = await RedundancyKeeper.OpenAsync(
            store, view, session.Id, workers, () => IsOverTime, Find, cancellationToken).ConfigureAwait(false);
        var sessions = new SessionKeeper(store, session.Id, view, Find);
        (int shutOut, IReadOnlyList<(MachineId, SessionId)> unlisted) =
            await sessions.ShutOutAsync(now, request.ShutOutAfter, cancellationToken).ConfigureAwait(false);
        ExpiryReport expiry = request.OnlyDecides ? new([], [], [], []) : await ExpireAsync(now, session.Id, cancellationToken).ConfigureAwait(false);
        HashSet<(MachineId, SessionId)> ended = EndedBy(expiry);

        // Whom a decision waits for is seen before the points are listed: what they committed is among them.
        var decisions = new CollectionDecisions(store, sight.Records, view);
        await decisions.SettleWaitsAsync(session.Id, cancellationToken).ConfigureAwait(false);
        List<Collection> ripe = await decisions.FindRipeAsync(cancellationToken).ConfigureAwait(false);
        (NeededChunks needed, int tidied) = await MarkAsync(view, expiry, unlisted, locks, cancellationToken).ConfigureAwait(false);
        monitor.Enter(JobPhase.Transferring);
        await decisions.DecideAsync(ripe, needed, cancellationToken).ConfigureAwait(false);
        IReadOnlyList<UnfinishedSession> waiting = await sessions.DescribeAsync([.. decisions.Awaited.Distinct()], cancellationToken).ConfigureAwait(false);
        var removal = new PackRemoval(store, session, view, sight.Missing, decisions, needed, redundancy);
        await removal.RunAsync(decisions.Settled, cancellationToken).ConfigureAwait(false);
        tidied += await decisions.RemoveRecordsAsync(cancellationToken).ConfigureAwait(false);
        Condemnation? condemnation = null;
        if (needed.IsWhole && !request.OnlyDecides)
        {
            condemnation = await CondemnAsync(sight, session, decisions, needed, locks, removal, cancellationToken).ConfigureAwait(false);
            IEnumerable<SessionId> untold = condemnation.Awaited.Where(awaited => waiting.All(told => told.SessionId != awaited));
            waiting = [.. waiting, .. await sessions.DescribeAsync([.. untold], cancellationToken).ConfigureAwait(false)];
        }

        if (!request.OnlyDecides)
        {
            await redundancy.KeepParityAsync(decisions, cancellationToken).ConfigureAwait(false);
            await redundancy.KeepCopiesAsync(ended, cancellationToken).ConfigureAwait(false);
        }

        // A run that only decides leaves it to the next.
        if (locks is not null && !request.OnlyDecides)
        {
            await locks.KeepAsync(session.Id, decisions, needed, () => IsOverTime, cancellationToken).ConfigureAwait(false);
        }

        HashSet<(SessionId Session, uint Number)> explained =
        [
            .. store.SegmentPacks.Values.SelectMany(packs => packs).Select(pack => pack.Key), .. decisions.Gone,
        ];
        tidied += await sessions.TidyAsync(now, explained.Contains, cancellationToken).ConfigureAwait(false);
        tidied += await TidyConsentsAsync(now, cancellationToken).ConfigureAwait(false);
        tidied += await StatusNames.TidyAsync(store.Objects, store.Deletion, cancellationToken).ConfigureAwait(false);
        var packs = new PackChanges { Deleted = removal.Packs, BytesFreed = removal.Bytes, Lost = removal.Lost };
        return new MaintenanceReport
        {
            PointsGone = expiry.Gone.Count,
            Brakes = expiry.Brakes,
            SessionsShutOut = shutOut,
            WaitingFor = waiting,
            Packs = condemnation?.AddTo(packs) ?? packs,
            ObjectsDeleted = tidied + removal.Segments,
            Parity = redundancy.Changes,
            Locks = new LockChanges(locks?.Changed ?? 0, locks?.Obstacle, store.Deletion.KeptInOrder),
        };
    }

    // The store's, when it took the record of this run.
    private async Task<DateTimeOffset> ReadClockAsync(SessionId own, CancellationToken cancellationToken) =>
        (await store.Objects.StatAsync(VaultLayout.Session(store.StoreId, own), cancellationToken).ConfigureAwait(false)
            ?? throw ShutOut(own)).Created;

    // Nobody waits for a run that was shut out, so what it missed may have gone by right. It was shut out before that went.
    private async Task RequireAliveAsync(SessionId own, CancellationToken cancellationToken)
    {
        if (!_problems.IsEmpty
            && await store.Objects.StatAsync(VaultLayout.SessionEnd(store.StoreId, own), cancellationToken).ConfigureAwait(false) is not null)
        {
            throw ShutOut(own);
        }
    }

    private static BackupException ShutOut(SessionId own) => new(
        BackupErrorId.SessionFenced,
        $"Another maintenance run took this one for dead and shut it out (session {own}).",
        "Run it again: what it did stays done.",
        own.ToString(),
        transient: true);

    private async Task<int> TidyConsentsAsync(DateTimeOffset now, CancellationToken cancellationToken)
    {
        // A vault without an owner has none, and in the room that is held for deleting nothing else is written.
        if (store.Header.OwnerIdentity is null || request.MostDead != int.MaxValue)
        {
            return 0;
        }

        ConsentNames names = await ConsentNames.ListAsync(store.Objects, cancellationToken).ConfigureAwait(false);
        return await names.TidyAsync(store.Objects, now, cancellationToken).ConfigureAwait(false);
    }

    // Deleted points whose time is over. What they needed is not marked any more.
    private async Task<ExpiryReport> ExpireAsync(DateTimeOffset now, SessionId? own, CancellationToken cancellationToken)
    {
        ExpiryReport expiry = await new PointExpiry(store, allow).RunAsync(now, own, request.IsRehearsal, cancellationToken).ConfigureAwait(false);
        foreach (BackupException damage in expiry.Damage)
        {
            Find(damage);
        }

        return expiry;
    }

    // What points need, and what checkpoints propose. Returns how many of these were removed, too.
    private async Task<(NeededChunks Needed, int Removed)> MarkAsync(
        CollectionView view,
        ExpiryReport expiry,
        IReadOnlyList<(MachineId, SessionId)> unlisted,
        LockKeeper? locks,
        CancellationToken cancellationToken)
    {
        NeededChunks needed = await NeededChunks.FindAsync(
            store, view, EndedBy(expiry), unlisted, expiry.Kept, locks is { AsksForPacks: true } ? locks.Immutable : null, _problems, cancellationToken).ConfigureAwait(false);
        var keeper = new CheckpointKeeper(store, Find);
        IReadOnlyCollection<RecoveryPoint> kept =
            await keeper.KeepAsync(view.Checkpoints, needed.Newest, request.IsRehearsal, cancellationToken).ConfigureAwait(false);
        await needed.AddCheckpointsAsync(kept, options.Workers, cancellationToken).ConfigureAwait(false);
        return (needed, keeper.Removed);
    }

    // What is condemned waits for whoever is at work, for it may rely on it. Where nobody is, what has come since the points were listed is marked too,
    // and the packs go at once.
    private async Task<Condemnation> CondemnAsync(
        Sight sight,
        WriteSession session,
        CollectionDecisions decisions,
        NeededChunks needed,
        LockKeeper? locks,
        PackRemoval removal,
        CancellationToken cancellationToken)
    {
        Condemnation condemnation = await new PackCondemner(store, request, sight.View, decisions, needed, locks)
            .RunAsync(sight.Records, session, () => !IsOverTime, Find, cancellationToken).ConfigureAwait(false);
        if (condemnation.Number is not { } number)
        {
            return condemnation;
        }

        CollectionView now = await CollectionView.TakeAsync(store, cancellationToken).ConfigureAwait(false);
        IReadOnlySet<SessionId> waits =
            await CollectionRecords.SettleWaitAsync(store, number, now.OpenBeside(session.Id), cancellationToken).ConfigureAwait(false);
        condemnation = condemnation with { Awaited = [.. waits.Where(awaited => !now.IsOver(awaited))] };
        if (condemnation.Awaited.Count > 0 || !decisions.IsAllSettled)
        {
            return condemnation;
        }

        foreach (PackInfo pack in condemnation.Emptied)
        {
            pack.IsAvailable = true;
        }

        await needed.AddNewPointsAsync(now, cancellationToken).ConfigureAwait(false);
        if (!needed.IsWhole)
        {
            return condemnation;
        }

        await decisions.DecideOwnAsync(number, condemnation.Packs, needed, cancellationToken).ConfigureAwait(false);
        await removal.RunAsync([number], cancellationToken).ConfigureAwait(false);
        return condemnation with { IsDone = true };
    }

    private void Find(BackupException damage) => _problems.Note(damage);

    private static HashSet<(MachineId MachineId, SessionId SessionId)> EndedBy(ExpiryReport expiry) =>
        [.. expiry.Gone.Select(point => (point.MachineId, point.SessionId))];

    /// <summary>What a run has seen when it begins.</summary>
    /// <param name="Missing">Packs that the index names, and that are not there.</param>
    /// <param name="Records">What was decided.</param>
    /// <param name="View">What was listed after it.</param>
    private sealed record Sight(IReadOnlySet<PackInfo> Missing, CollectionRecords Records, CollectionView View);
}
