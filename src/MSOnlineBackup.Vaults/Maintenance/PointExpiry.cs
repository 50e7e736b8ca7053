using System.Collections.Concurrent;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Protection;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Stores;
using MSOnlineBackup.Vaults.Versioning;

namespace MSOnlineBackup.Vaults.Maintenance;

/// <summary>
/// Ends deleted points whose time is over, and clears away what is left of those that have ended. It may be stopped at any moment, and several may do it at once: each step is
/// either a decision, which one of them wins, or the deletion of something that a decision has given up.
/// </summary>
/// <param name="store">The chunk store; no index is needed.</param>
/// <param name="allow">Refuses what the vault's records allow newer versions only.</param>
internal sealed class PointExpiry(ChunkStore store, Action<VaultUse> allow)
{
    private readonly DeletionLog _log = new(store);
    private readonly RecoveryPointCatalog _catalog = new(store);
    private readonly List<BackupException> _damage = [];

    /// <summary>Ends what is over.</summary>
    /// <param name="now">The time now. It is believed only as far as the vault bears it out.</param>
    /// <param name="ownSession">The session of this run, which is no witness of the time; null where it has none.</param>
    /// <param name="isRehearsal">Whether nothing is to be changed.</param>
    /// <param name="cancellationToken">Stops it; the next run goes on.</param>
    /// <exception cref="BackupException">VaultFormatUnsupported, VaultDataCorrupt: nothing may be deleted. VaultAccessDenied, VaultDataProtected, VaultUnreachable, …</exception>
    public async Task<ExpiryReport> RunAsync(DateTimeOffset now, SessionId? ownSession, bool isRehearsal, CancellationToken cancellationToken)
    {
        allow(VaultUse.Collect);

        // First what was decided: what is decided on was there before.
        Dictionary<(MachineId MachineId, SessionId SessionId), DeletionSeries> decisions = await _log.ListAsync(store.Objects, null, cancellationToken).ConfigureAwait(false);
        if (decisions.Count == 0)
        {
            return new ExpiryReport([], [], [], []);
        }

        Task<List<StoredObject>> listingSessions = ListAsync(VaultLayout.Sessions(store.StoreId), cancellationToken);
        Task<List<StoredObject>> listingPoints = ListAsync(VaultLayout.Points(store.StoreId), cancellationToken);
        Task<List<StoredObject>> listingCommits = ListAsync(VaultLayout.Commits(store.StoreId), cancellationToken);
        Task<VaultSettings?> reading = ReadSettingsAsync(cancellationToken);
        await Task.WhenAll(listingSessions, listingPoints, listingCommits, reading).ConfigureAwait(false);
        List<StoredObject> sessions = await listingSessions.ConfigureAwait(false);
        List<StoredObject> points = await listingPoints.ConfigureAwait(false);
        HashSet<string> commits = [.. (await listingCommits.ConfigureAwait(false)).Select(found => found.Name)];
        var objects = new Remains(store.StoreId, [.. points.Select(found => found.Name)], commits, [.. sessions.Select(found => found.Name)]);
        DateTimeOffset? proven = Prove(now, ownSession, sessions, points, decisions.Values);
        VaultSettings? settings = await reading.ConfigureAwait(false);
        TimeSpan? undelete = settings is null ? null : TimeSpan.FromDays(settings.UndeleteDays);
        var there = points.ToDictionary(found => found.Name);
        var finder = new BrakeFinder(store, TimeSpan.FromDays(settings?.BrakeDays ?? 0));
        var brakes = new Dictionary<MachineId, Task<IReadOnlyList<DeletionBrake>>>();
        var early = new ConcurrentBag<(MachineId Machine, Deletion Deletion, DateTimeOffset Created)>();
        var gone = new List<DeletedPoint>();
        var cleared = new List<DeletionSeries>();
        var kept = new List<PointName>();
        await foreach (Outcome outcome in ReadAhead.SelectAsync(
            decisions.Values.OrderBy(series => series.SessionId),
            store.Objects.Capabilities.MaxConcurrency,
            ExpireAsync,
            cancellationToken).ConfigureAwait(false))
        {
            gone.AddRange(outcome.Gone is { } ended ? [ended] : []);
            cleared.AddRange(outcome.Cleared is { } series ? [series] : []);
            kept.AddRange(outcome.Kept is { } young ? [young] : []);
            _damage.AddRange(outcome.Damage is { } damage ? [damage] : []);
        }

        if (cleared.Count > 0 && !isRehearsal)
        {
            await ClearAsync(cleared, HighestOpen(sessions, objects, decisions, ownSession), objects, cancellationToken).ConfigureAwait(false);
        }

        var held = new List<DeletionBrake>();
        foreach (Task<IReadOnlyList<DeletionBrake>> found in brakes.Values)
        {
            held.AddRange(await found.ConfigureAwait(false));
        }

        held.AddRange(early.GroupBy(point => point.Machine).Select(machine => finder.DescribeEarly(machine.Key, [.. machine.Select(point => (point.Deletion, point.Created))], undelete!.Value)));

        return new ExpiryReport(gone, held, kept, _damage);

        async Task<Outcome> ExpireAsync(DeletionSeries series, CancellationToken token)
        {
            Deletion deletion = await _log.ReadAsync(series, token).ConfigureAwait(false);
            Deletion held = deletion;
            bool isEarly = undelete is { } usual && proven is { } at && await finder.HoldsEarlyAsync(series.MachineId, deletion, usual, at, cancellationToken).ConfigureAwait(false);
            if (isEarly && there.TryGetValue(objects.PointOf(series), out StoredObject found))
            {
                early.Add((series.MachineId, deletion, found.Created));
            }

            bool isOver = !isEarly && IsOver(series, deletion) && await BrakesOfAsync(series.MachineId).WaitAsync(token).ConfigureAwait(false) is [];
            if (!isRehearsal)
            {
                if (isOver)
                {
                    // Somebody may have brought it back since, and perhaps deleted it anew.
                    held = await _log.DecideAsync(
                        series, current => IsOver(series, current) ? new DeletionRecord(DeletionState.Gone, current.Reason, Product.Version) : null, token).ConfigureAwait(false);
                }

                if (held.State == DeletionState.Gone && objects.HasAny(series) && !IsTooYoung(series))
                {
                    await DeleteAsync(series, objects, token).ConfigureAwait(false);
                }
            }

            bool ends = isOver && (isRehearsal || held.State == DeletionState.Gone);
            return new Outcome(
                ends ? new DeletedPoint(series.SessionId, series.MachineId, null, deletion.Since, deletion.Since + undelete!.Value, deletion.Reason) : null,
                held.State != DeletionState.Deleted && !objects.HasAny(series) ? series : null,
                deletion.Damage,
                held.State == DeletionState.Gone && IsTooYoung(series) ? new PointName(series.MachineId, series.SessionId, there[objects.PointOf(series)], series) : null);
        }

        // Whoever knows the key can say that it is gone. In an immutable vault it, and what it needs, stay for their time all the same.
        bool IsTooYoung(DeletionSeries series) =>
            settings?.ImmutableTime is not null && there.ContainsKey(objects.PointOf(series)) && (proven is not { } reached || IsImmutable(series, reached));

        bool IsOver(DeletionSeries series, Deletion deletion) =>
            deletion.State == DeletionState.Deleted && undelete is { } time && proven is { } reached && reached - deletion.Since >= time && !IsImmutable(series, reached);

        // Looked for only where something would end.
        Task<IReadOnlyList<DeletionBrake>> BrakesOfAsync(MachineId machine)
        {
            lock (brakes)
            {
                return brakes.TryGetValue(machine, out Task<IReadOnlyList<DeletionBrake>>? asked) ? asked : brakes[machine] = FindBrakesAsync(machine);
            }
        }

        Task<IReadOnlyList<DeletionBrake>> FindBrakesAsync(MachineId machine)
        {
            List<PointName> names = [];
            foreach (StoredObject found in points)
            {
                if (VaultLayout.TryParsePoint(found.Name, out MachineId of, out SessionId session) && of == machine)
                {
                    names.Add(new PointName(of, session, found));
                }
            }

            List<DeletionSeries> decided = [.. decisions.Values.Where(series => series.MachineId == machine && there.ContainsKey(objects.PointOf(series)))];
            return finder.FindAsync(machine, names, decided, proven!.Value, cancellationToken);
        }

        // Whoever deleted it, and whatever consented to that.
        bool IsImmutable(DeletionSeries series, DateTimeOffset reached) =>
            settings?.ImmutableTime is { } least && there.TryGetValue(objects.PointOf(series), out StoredObject point) && reached - point.Created < least;
    }

    // What a clock says alone ends nothing: the time must have been reached by something that was in the vault before this run.
    private static DateTimeOffset? Prove(
        DateTimeOffset now, SessionId? ownSession, List<StoredObject> sessions, List<StoredObject> points, IEnumerable<DeletionSeries> decisions)
    {
        IEnumerable<DateTimeOffset> witnesses = sessions.Where(found => ownSession is not { } own || !found.Name.Contains(own.ToString(), StringComparison.Ordinal))
            .Concat(points)
            .Concat(decisions.SelectMany(series => series.Records.Select(record => record.Object)))
            .Select(found => found.Created);
        return WitnessedTime.Of(witnesses.Where(created => created <= now));
    }

    private async Task<VaultSettings?> ReadSettingsAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await new VaultSettingsRegister(store.Vault).ReadAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException e) when (e.IsDamage)
        {
            _damage.Add(e);
            return null;
        }
    }

    // The session first, so that nobody waits for it when its point is away; the commit before the point, so that a deletion never looks like a loss.
    private async Task DeleteAsync(DeletionSeries series, Remains objects, CancellationToken cancellationToken)
    {
        string session = VaultLayout.Session(store.StoreId, series.SessionId);
        if (objects.Sessions.Contains(session) && !objects.Sessions.Contains(VaultLayout.SessionEnd(store.StoreId, series.SessionId)))
        {
            await store.Objects.TryCreateAsync(VaultLayout.SessionEnd(store.StoreId, series.SessionId), "{}"u8.ToArray(), cancellationToken).ConfigureAwait(false);
        }

        foreach (string name in (string[])[VaultLayout.CopyOf(objects.PointOf(series)), objects.CommitOf(series), objects.PointOf(series)])
        {
            if (!await store.Deletion.TryDeleteAsync(name, cancellationToken).ConfigureAwait(false))
            {
                return;
            }
        }
    }

    // Of points that are not there any more: what was decided on them goes once nobody can miss them.
    private async Task ClearAsync(List<DeletionSeries> cleared, SessionId? running, Remains objects, CancellationToken cancellationToken)
    {
        (HashSet<(MachineId, SessionId?)> parents, HashSet<MachineId> unsure) = await ReadParentsAsync(cancellationToken).ConfigureAwait(false);
        foreach (DeletionSeries series in cleared.Where(series =>
            (running is not { } open || series.SessionId.CompareTo(open) >= 0) && !unsure.Contains(series.MachineId) && !parents.Contains((series.MachineId, series.SessionId))))
        {
            // A listing may have left them out.
            if (await store.Objects.StatAsync(objects.PointOf(series), cancellationToken).ConfigureAwait(false) is not null
                || await store.Objects.StatAsync(objects.CommitOf(series), cancellationToken).ConfigureAwait(false) is not null)
            {
                continue;
            }

            uint last = await FindFinalAsync(series, cancellationToken).ConfigureAwait(false);
            foreach ((_, StoredObject found) in series.Records.OrderBy(record => record.Number == last).ThenBy(record => record.Number))
            {
                await store.Deletion.TryDeleteAsync(found.Name, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    // The highest session that may still commit a point. It may name any older point as the one that it goes on from.
    private SessionId? HighestOpen(
        List<StoredObject> sessions, Remains objects, Dictionary<(MachineId MachineId, SessionId SessionId), DeletionSeries> decisions, SessionId? ownSession)
    {
        HashSet<SessionId> over = [.. decisions.Keys.Select(point => point.SessionId)];
        foreach (string name in objects.Points.Concat(objects.Commits))
        {
            if (VaultLayout.TryParsePoint(name, out _, out SessionId made))
            {
                over.Add(made);
            }
        }

        string folder = VaultLayout.Sessions(store.StoreId);
        return sessions.Select(found => SessionId.TryParse(found.Name.AsSpan(folder.Length), out SessionId session) ? session : (SessionId?)null)
            .Where(session => session is { } open && open != ownSession && !over.Contains(open) && !objects.Sessions.Contains(VaultLayout.SessionEnd(store.StoreId, open)))
            .Max();
    }

    // Which points others go on from, and of which machines that cannot be told, because a point of theirs cannot be read.
    private async Task<(HashSet<(MachineId MachineId, SessionId? SessionId)> Parents, HashSet<MachineId> Unsure)> ReadParentsAsync(CancellationToken cancellationToken)
    {
        var parents = new HashSet<(MachineId, SessionId?)>();
        var unsure = new HashSet<MachineId>();
        List<PointName> names = await _catalog.ListAllAsync(null, cancellationToken).ConfigureAwait(false);
        await foreach (PointReading reading in _catalog.ReadAsync(names, cancellationToken).ConfigureAwait(false))
        {
            if (reading.Point is { } point)
            {
                parents.Add((point.MachineId, point.ParentSessionId));
            }
            else
            {
                unsure.Add(reading.Name.MachineId);
            }
        }

        return (parents, unsure);
    }

    private async Task<uint> FindFinalAsync(DeletionSeries series, CancellationToken cancellationToken)
    {
        foreach ((uint number, StoredObject found) in series.Records)
        {
            try
            {
                if ((await _log.ReadRecordAsync(found, cancellationToken).ConfigureAwait(false)).State == DeletionState.Gone)
                {
                    return number;
                }
            }
            catch (BackupException e) when (e.IsOfOneObject)
            {
                // What cannot be read was told above, and ends nothing.
            }
        }

        return series.Newest;
    }

    private async Task<List<StoredObject>> ListAsync(string folder, CancellationToken cancellationToken) =>
        await store.Objects.ListAsync(folder, cancellationToken).ToListAsync(cancellationToken).ConfigureAwait(false);

    /// <summary>What became of one point.</summary>
    private readonly record struct Outcome(DeletedPoint? Gone, DeletionSeries? Cleared, BackupException? Damage, PointName? Kept);

    /// <summary>Which objects of points were there when this run began.</summary>
    private sealed record Remains(StoreId StoreId, HashSet<string> Points, HashSet<string> Commits, HashSet<string> Sessions)
    {
        public string PointOf(DeletionSeries series) => VaultLayout.Point(StoreId, series.MachineId, series.SessionId);

        public string CommitOf(DeletionSeries series) => VaultLayout.Commit(StoreId, series.MachineId, series.SessionId);

        public bool HasAny(DeletionSeries series) => Points.Contains(PointOf(series)) || Commits.Contains(CommitOf(series));
    }
}
