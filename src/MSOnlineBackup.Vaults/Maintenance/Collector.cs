using System.Diagnostics.CodeAnalysis;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Packs;
using MSOnlineBackup.Vaults.Parity;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Stores;
using MSOnlineBackup.Vaults.Verification;
using MSOnlineBackup.Vaults.Versioning;

namespace MSOnlineBackup.Vaults.Maintenance;

/// <summary>
/// Deletes what no recovery point needs, beside jobs that write and read, without a lock: docs/design.md has the protocol and why it is safe. A run does what can be done
/// now, and ends; what waits for somebody is done by a later run. It can be stopped at any instant.
/// </summary>
/// <param name="store">The store, nothing of it read.</param>
/// <param name="options">Clock and workers.</param>
/// <param name="request">What it may do.</param>
/// <param name="monitor">Is told how far it is.</param>
/// <param name="allow">Refuses what the vault's records allow newer versions only.</param>
[SuppressMessage("Reliability", "CA1001", Justification = "A run disposes of its session.")]
internal sealed class Collector(ChunkStore store, VaultOptions options, MaintenanceRequest request, JobMonitor monitor, Action<VaultUse> allow)
{
    private readonly SessionAnnouncement _announcement = new(
        store, new SessionRecord { MachineId = null, Started = options.TimeProvider.GetUtcNow(), AgentVersion = Product.Version });

    private readonly long _began = options.TimeProvider.GetTimestamp();
    private readonly SortedDictionary<string, string> _findings = new(StringComparer.Ordinal);
    private readonly HashSet<(MachineId MachineId, SessionId SessionId)> _marked = [];

    // Points that this run has ended.
    private readonly HashSet<(MachineId MachineId, SessionId SessionId)> _ended = [];

    private readonly Dictionary<MachineId, SessionId> _newest = [];

    // Points that the listing did not show, though their names are taken.
    private readonly List<(MachineId MachineId, SessionId SessionId)> _unlisted = [];

    // Packs that go, or went, by a verdict.
    private readonly HashSet<(SessionId Session, uint Number)> _gone = [];

    // For whom collections wait.
    private readonly Dictionary<uint, IReadOnlySet<SessionId>> _waits = [];

    // Packs that the index names, and that are not there.
    private readonly HashSet<PackInfo> _missing = new(ReferenceEqualityComparer.Instance);

    // Those of them of which something is needed that no other has; found out before what others have condemned counts as absent.
    private IReadOnlyCollection<(SessionId Session, uint Number)>? _lost;

    // Collections whose verdict is known.
    private readonly HashSet<uint> _settled = [];
    private MaintenanceReport _report = new();
    private CollectionRecords _records = null!;
    private CollectionView _view = null!;
    private bool _isWhole;
    private ChunkMarks _marks = null!;
    private Marker _marker = null!;
    private WriteSession? _session;

    // Null where nobody wants parity and none is there, or nobody knows what is wanted.
    private ParityKeeper? _parity;

    /// <summary>Runs.</summary>
    public async Task<MaintenanceReport> RunAsync(CancellationToken cancellationToken)
    {
        monitor.Enter(JobPhase.Planning);
        if (request.IsRehearsal)
        {
            await LookAsync(cancellationToken).ConfigureAwait(false);
            await RehearseAsync(cancellationToken).ConfigureAwait(false);
            monitor.Enter(JobPhase.Finished);
            return _report with { IsRehearsal = true, Findings = [.. _findings.Select(found => new VerifyFinding(found.Key, found.Value, []))] };
        }

        SessionId? highest = await SessionOrder.FindHighestAsync(store, cancellationToken).ConfigureAwait(false);
        try
        {
            SessionId id = await _announcement.AnnounceAsync(highest, cancellationToken).ConfigureAwait(false);
            await DeletionRight.RequireAsync(store, id, cancellationToken).ConfigureAwait(false);
            await LookAsync(cancellationToken).ConfigureAwait(false);
            VaultAccessTier tier = await WriteSession.ReadContentTierAsync(store, cancellationToken).ConfigureAwait(false);
            await using (_session = new WriteSession(store, _announcement, id, tier, monitor.Transfer, workers: 1, verifyOneIn: 0, CancellationToken.None, isThrifty: true))
            {
                await CollectAsync(cancellationToken).ConfigureAwait(false);
            }

            await ReservedRoom.HoldAsync(store, id, cancellationToken).ConfigureAwait(false);
            await _announcement.EndAsync(cancellationToken).ConfigureAwait(false);
            monitor.Enter(JobPhase.Finished);
            return _report with { Findings = [.. _findings.Select(found => new VerifyFinding(found.Key, found.Value, []))] };
        }
        catch (Exception failure)
        {
            if (failure is BackupException { Id: BackupErrorId.VaultFull })
            {
                await TryReleaseAsync(cancellationToken).ConfigureAwait(false);
            }

            // The next run, or a later one, shuts it out otherwise: whatever comes of it.
            await _announcement.TryEndAsync(failure, options.TimeProvider).ConfigureAwait(false);
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
    private async Task LookAsync(CancellationToken cancellationToken)
    {
        await store.ReadIndexAsync(cancellationToken).ConfigureAwait(false);
        await store.SurveyPacksAsync(cancellationToken).ConfigureAwait(false);
        _missing.UnionWith(store.Index.Packs.Where(pack => pack is { IsKnown: true, IsAvailable: false }));
        _records = await CollectionRecords.ReadAsync(store, cancellationToken).ConfigureAwait(false);
        _view = await CollectionView.TakeAsync(store, cancellationToken).ConfigureAwait(false);
    }

    private async Task CollectAsync(CancellationToken cancellationToken)
    {
        DateTimeOffset now = await ReadClockAsync(cancellationToken).ConfigureAwait(false);

        // In the room that is held for deleting, nothing else is written: parity waits for the next run.
        bool hasRoom = request.MostDead == int.MaxValue;
        int? parityPercent = hasRoom ? await ParityKeeper.ReadPercentAsync(store, Find, cancellationToken).ConfigureAwait(false) : null;
        _parity = parityPercent is { } percent && (percent > 0 || _view.Parity.Count > 0)
            ? new ParityKeeper(store, _session!.Id, percent, options.Workers, () => IsOverTime, Find)
            : null;
        var sessions = new SessionKeeper(store, _session!.Id, _view, Find);
        (int shutOut, IReadOnlyList<(MachineId, SessionId)> unlisted) = await sessions.ShutOutAsync(now, request.ShutOutAfter, cancellationToken).ConfigureAwait(false);
        _unlisted.AddRange(unlisted);
        _report = _report with { SessionsShutOut = shutOut };
        if (!request.OnlyDecides)
        {
            await ExpireAsync(now, cancellationToken).ConfigureAwait(false);
        }

        // Whom a decision waits for is seen before the points are listed: what they committed is among them.
        await SettleWaitsAsync(cancellationToken).ConfigureAwait(false);
        List<Collection> ripe = [.. await Pending.ToAsyncEnumerable().TakeWhile(async (collection, token) => collection.Verdict is not null || await IsRipeAsync(collection, token).ConfigureAwait(false))
            .ToListAsync(cancellationToken).ConfigureAwait(false)];
        _isWhole = await MarkAsync(cancellationToken).ConfigureAwait(false);
        monitor.Enter(JobPhase.Transferring);
        foreach (Collection collection in ripe)
        {
            if ((collection.Verdict ?? await JudgeAsync(collection, cancellationToken).ConfigureAwait(false)) is not { } verdict)
            {
                break;
            }

            _settled.Add(collection.Number);
            _gone.UnionWith(verdict);
        }

        IEnumerable<SessionId> waiting = Pending.Where(collection => !_settled.Contains(collection.Number)).SelectMany(collection => _waits[collection.Number]);
        await TellWaitingAsync(sessions, waiting.Where(session => !_view.IsOver(session)), cancellationToken).ConfigureAwait(false);
        await DeleteAsync([.. _settled], cancellationToken).ConfigureAwait(false);
        await RemoveRecordsAsync(cancellationToken).ConfigureAwait(false);
        if (_isWhole && !request.OnlyDecides)
        {
            await CondemnAsync(sessions, cancellationToken).ConfigureAwait(false);
        }

        if (!request.OnlyDecides)
        {
            await KeepParityAsync(cancellationToken).ConfigureAwait(false);
            await KeepCopiesAsync(parityPercent, cancellationToken).ConfigureAwait(false);
        }

        HashSet<(SessionId Session, uint Number)> explained = [.. store.SegmentPacks.Values.SelectMany(packs => packs).Select(KeyOf), .. _gone];
        CountDeleted(await sessions.TidyAsync(now, explained.Contains, cancellationToken).ConfigureAwait(false));
    }

    private async Task RehearseAsync(CancellationToken cancellationToken)
    {
        await ExpireAsync(options.TimeProvider.GetUtcNow(), cancellationToken).ConfigureAwait(false);
        if (await MarkAsync(cancellationToken).ConfigureAwait(false))
        {
            PackPlan plan = Plan();
            _report = _report with
            {
                PacksCondemned = plan.Dead.Count + plan.Repacked.Count,
                BytesCondemned = plan.Dead.Concat(plan.Repacked).Sum(use => (long)use.Pack.Length),
                PacksRepacked = plan.Repacked.Count,
                BytesRepacked = plan.Repacked.Sum(use => use.Needed),
                BytesUnused = plan.Unused,
                BytesUnderEarlierKeys = plan.UnderEarlierKeys,
            };
        }
    }

    // Collections of which something is still to be done to packs, in the order of their numbers.
    private IEnumerable<Collection> Pending => _records.All.Where(collection => collection is { Condemned: not null, Done: null });

    // A session whose record the listing does not show is asked for by name.
    private async ValueTask<bool> IsRipeAsync(Collection collection, CancellationToken cancellationToken)
    {
        foreach (SessionId session in _waits[collection.Number])
        {
            if (!_view.IsOver(session)
                || (!_view.HasEnded(session) && await store.Objects.StatAsync(VaultLayout.Session(store.StoreId, session), cancellationToken).ConfigureAwait(false) is not null))
            {
                return false;
            }
        }

        return true;
    }

    // A run that was stopped may not have come to say for whom it waits. The sessions were listed after its record was.
    private async Task SettleWaitsAsync(CancellationToken cancellationToken)
    {
        foreach (Collection collection in Pending)
        {
            _waits[collection.Number] = collection.Wait
                ?? await CollectionRecords.SettleWaitAsync(store, collection.Number, OthersOpen(_view), cancellationToken).ConfigureAwait(false);
        }
    }

    private bool IsOverTime => request.MaxDuration is { } most && options.TimeProvider.GetElapsedTime(_began) >= most;

    // The store's, when it took the record of this run.
    private async Task<DateTimeOffset> ReadClockAsync(CancellationToken cancellationToken) =>
        (await store.Objects.StatAsync(VaultLayout.Session(store.StoreId, _session!.Id), cancellationToken).ConfigureAwait(false)
            ?? throw new BackupException(
                BackupErrorId.SessionFenced,
                $"Another maintenance run took this one for dead and shut it out (session {_session.Id}).",
                "Run it again: what it did stays done.",
                _session.Id.ToString(),
                transient: true)).Created;

    // Deleted points whose time is over. What they needed is not marked any more.
    private async Task ExpireAsync(DateTimeOffset now, CancellationToken cancellationToken)
    {
        ExpiryReport expiry = await new PointExpiry(store, allow).RunAsync(now, _session?.Id, request.IsRehearsal, cancellationToken).ConfigureAwait(false);
        _report = _report with { PointsGone = expiry.Gone.Count, Brakes = expiry.Brakes };
        _ended.UnionWith(expiry.Gone.Select(point => (point.MachineId, point.SessionId)));
        foreach (BackupException damage in expiry.Damage)
        {
            Find(damage);
        }
    }

    // False where something could not be read: then nobody knows what is not needed. A point is there only after the segments that name what it needs: they are read after the
    // points are listed.
    private async Task<bool> MarkAsync(CancellationToken cancellationToken)
    {
        List<PointName> names = await ListPointsAsync(cancellationToken).ConfigureAwait(false);
        await store.RefreshIndexAsync(cancellationToken).ConfigureAwait(false);
        _marks = new ChunkMarks(store.Index.Consolidate());
        _marker = new Marker(_marks, Math.Max(Environment.ProcessorCount, store.Objects.Capabilities.MaxConcurrency));
        bool isWhole = await MarkPointsAsync(names, _view, cancellationToken).ConfigureAwait(false);
        await MarkCheckpointsAsync(cancellationToken).ConfigureAwait(false);
        return isWhole;
    }

    private Task<List<PointName>> ListPointsAsync(CancellationToken cancellationToken) =>
        new RecoveryPointCatalog(store).ListNamesAsync(null, cancellationToken, includeDeleted: true);

    private async Task<bool> MarkPointsAsync(List<PointName> names, CollectionView view, CancellationToken cancellationToken)
    {
        bool isComplete = await IsCompleteAsync(names, view, cancellationToken).ConfigureAwait(false);
        IEnumerable<PointName> unmarked = names.Where(name => !_ended.Contains((name.MachineId, name.SessionId)) && _marked.Add((name.MachineId, name.SessionId)));
        IAsyncEnumerable<PointReading> readings = new RecoveryPointCatalog(store).ReadAsync(unmarked, cancellationToken)
            .Where(async (reading, token) =>
                reading.Damage?.Id != BackupErrorId.VaultDataMissing || !await HasEndedAsync(reading.Name.MachineId, reading.Name.SessionId, token).ConfigureAwait(false));
        await _marker.MarkAsync(store, readings.Select(NoteNewest), cancellationToken).ConfigureAwait(false);
        foreach (BackupException damage in _marker.Damage)
        {
            Find(damage);
        }

        return isComplete && _marker.Damage.Count == 0;
    }

    // A point that another run has ended since it, or its commit, was listed is not lost: its commit went before it.
    private async ValueTask<bool> HasEndedAsync(MachineId machine, SessionId session, CancellationToken cancellationToken) =>
        await store.Objects.StatAsync(VaultLayout.Commit(store.StoreId, machine, session), cancellationToken).ConfigureAwait(false) is null;

    // The newest point of each machine. A session that was shut out has none: what it sent, its next run takes up.
    private PointReading NoteNewest(PointReading reading)
    {
        if (!_newest.TryGetValue(reading.Name.MachineId, out SessionId newest) || reading.Name.SessionId > newest)
        {
            _newest[reading.Name.MachineId] = reading.Name.SessionId;
        }

        return reading;
    }

    // A point that was confirmed and is not listed was lost, or the listing does not show all that is there. Either is looked into by somebody before anything is deleted.
    private async Task<bool> IsCompleteAsync(List<PointName> names, CollectionView view, CancellationToken cancellationToken)
    {
        var listed = names.Select(name => (name.MachineId, name.SessionId)).ToHashSet();
        bool isComplete = true;
        foreach ((MachineId machine, SessionId session) in view.CommitsWithoutPoint.Concat(_unlisted).Where(commit => !listed.Contains(commit)))
        {
            string name = VaultLayout.Point(store.StoreId, machine, session);
            bool isThere = await store.Objects.StatAsync(name, cancellationToken).ConfigureAwait(false) is not null;
            if (!isThere && await HasEndedAsync(machine, session, cancellationToken).ConfigureAwait(false))
            {
                continue;
            }

            _findings.TryAdd(name, isThere ? "The storage did not list this recovery point, which is there." : VaultDamage.LostPoint(name).Message);
            isComplete = false;
        }

        return isComplete;
    }

    // They only propose what an interrupted job need not send again; nothing of them has to be readable.
    private async Task MarkCheckpointsAsync(CancellationToken cancellationToken)
    {
        var catalog = new RecoveryPointCatalog(store);
        var live = new List<PointReading>();
        foreach (StoredObject found in _view.Checkpoints)
        {
            try
            {
                RecoveryPoint checkpoint = await catalog.ReadCheckpointAsync(found, cancellationToken).ConfigureAwait(false);
                if (!_newest.TryGetValue(checkpoint.MachineId, out SessionId newest) || checkpoint.SessionId > newest)
                {
                    live.Add(new PointReading(default, checkpoint, null));
                }
                else if (!request.IsRehearsal)
                {
                    await store.Objects.DeleteAsync(found.Name, cancellationToken).ConfigureAwait(false);
                    CountDeleted(1);
                }
            }
            catch (BackupException e) when (e.IsOfOneObject)
            {
                Find(e);
            }
        }

        if (live.Count > 0)
        {
            await new Marker(_marks, options.Workers).MarkAsync(store, live.ToAsyncEnumerable(), cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Decides a collection: of the packs that it condemns those go without which every needed chunk has a pack that stays. Packs that other undecided collections condemn do
    /// not count as staying; so two collections never rely on each other. Null where that cannot be decided yet.
    /// </summary>
    private Task<IReadOnlySet<(SessionId Session, uint Number)>?> JudgeAsync(
        Collection collection, CancellationToken cancellationToken)
    {
        IReadOnlySet<(SessionId Session, uint Number)> condemned = collection.Condemned!;
        HashSet<(SessionId Session, uint Number)> doubtful =
        [
            .. Pending.Where(other => other.Number != collection.Number && other.Verdict is null && !_settled.Contains(other.Number)).SelectMany(other => other.Condemned!),
        ];
        return SettleAsync(collection.Number, condemned, pack => doubtful.Contains(pack) || _gone.Contains(pack), cancellationToken);
    }

    // Where a point cannot be read, all that there is counts as needed; and only what is decided without sparing anything is decided then.
    private async Task<IReadOnlySet<(SessionId Session, uint Number)>?> SettleAsync(
        uint number, IReadOnlySet<(SessionId Session, uint Number)> condemned, Func<(SessionId Session, uint Number), bool> isNoHome, CancellationToken cancellationToken)
    {
        IReadOnlySet<(SessionId Session, uint Number)> spared =
            await new PackTrial(store, _marks, _isWhole).FindSparedAsync(condemned, isNoHome, cancellationToken).ConfigureAwait(false);
        return _isWhole || spared.Count == 0
            ? await CollectionRecords.SettleVerdictAsync(store, number, condemned.Except(spared).ToHashSet(), cancellationToken).ConfigureAwait(false)
            : null;
    }

    // Before packs go: so what they share parity with is protected at every instant, and of the others nothing need be read.
    private async Task KeepParityAsync(CancellationToken cancellationToken)
    {
        if (_parity is not { } parity)
        {
            return;
        }

        HashSet<(SessionId Session, uint Number)> condemned = [.. Pending.SelectMany(collection => collection.Condemned!)];
        await parity.KeepAsync(_view.Parity, _view.Packs.Contains, _gone.Contains, condemned.Contains, _view.IsOver, cancellationToken).ConfigureAwait(false);
        _report = _report with { ParityWritten = parity.Bytes, PacksProtected = parity.Covered, PacksUnprotected = parity.Uncovered };
    }

    // Of what has come since this run began the next one makes copies. What was read from a copy is told.
    private async Task KeepCopiesAsync(int? percent, CancellationToken cancellationToken)
    {
        foreach (BackupException damage in store.Damage.Where(damage => _view.Twins.Any(found => found.Name == damage.Target && _view.Copies.Contains(VaultLayout.CopyOf(found.Name)))))
        {
            Find(damage);
        }

        var copies = new CopyKeeper(store, Find);
        if (percent > 0)
        {
            IEnumerable<StoredObject> staying = _view.Twins.Where(found => VaultLayout.TryParsePoint(found.Name, out MachineId machine, out SessionId session)
                ? !_ended.Contains((machine, session))
                : store.SegmentPacks.ContainsKey(found.Name));
            await copies.KeepAsync(staying, _view.Copies, () => IsOverTime, cancellationToken).ConfigureAwait(false);
        }
        else if (percent == 0)
        {
            await copies.RemoveAsync(_view.Copies, cancellationToken).ConfigureAwait(false);
        }
    }

    // Parity without the packs, then the packs, then segments without them, then the word that they are gone.
    private async Task DeleteAsync(IReadOnlyList<uint> collections, CancellationToken cancellationToken)
    {
        await KeepParityAsync(cancellationToken).ConfigureAwait(false);
        PackInfo[] going = [.. store.Index.Packs.Where(pack => _gone.Contains(KeyOf(pack)))];
        foreach (PackInfo pack in going)
        {
            if (pack.IsAvailable)
            {
                _report = _report with { PacksDeleted = _report.PacksDeleted + 1, BytesFreed = _report.BytesFreed + pack.Length };
            }

            pack.IsAvailable = false;
        }

        // The packs first: on a full disk the segments need the room. Until "done" the record says why packs are missing that segments name.
        foreach ((SessionId session, uint number) in _gone)
        {
            await store.Objects.DeleteAsync(VaultLayout.Pack(store.StoreId, session, number), cancellationToken).ConfigureAwait(false);
        }

        store.Index.Forget(going.ToHashSet());
        // The index as it is now: segments may have come since the chunks were numbered, and may name packs that go.
        var rewrite = new SegmentRewrite(store, _session!, store.Index.Consolidate(), name => _view.Copies.Contains(VaultLayout.CopyOf(name)));
        HashSet<PackInfo> needed = FindNeeded();
        _lost ??= [.. _isWhole ? needed.Where(_missing.Contains).Select(KeyOf) : []];
        _report = _report with { LostPacks = _lost };
        await rewrite.RunAsync(pack => _gone.Contains(KeyOf(pack)) || (_isWhole && _missing.Contains(pack) && !needed.Contains(pack)), cancellationToken).ConfigureAwait(false);
        CountDeleted(rewrite.Deleted);

        if (collections.Count > 0)
        {
            CollectionView now = await CollectionView.TakeAsync(store, cancellationToken).ConfigureAwait(false);
            foreach (uint number in collections)
            {
                await CollectionRecords.SettleDoneAsync(store, number, OthersOpen(now), cancellationToken).ConfigureAwait(false);
            }
        }
    }

    // Packs that are missing and of which something is needed stay named: so what is lost can be told.
    private HashSet<PackInfo> FindNeeded()
    {
        var needed = new HashSet<PackInfo>(ReferenceEqualityComparer.Instance);
        ChunkCopies.Visit(store.Index, _marks, (isNeeded, copies) =>
        {
            if (isNeeded && !copies.Any(copy => copy.Pack.IsAvailable))
            {
                needed.UnionWith(copies.Select(copy => copy.Pack));
            }
        });
        return needed;
    }

    // The highest number stays used: the next one is higher than all before.
    private async Task RemoveRecordsAsync(CancellationToken cancellationToken)
    {
        foreach (string probe in _records.Probes)
        {
            await store.Objects.DeleteAsync(probe, cancellationToken).ConfigureAwait(false);
        }

        foreach (Collection collection in _records.All.Where(collection => collection.Number != _records.Highest))
        {
            if (collection.Condemned is null || (collection.Done is { } done && done.All(_view.IsOver)))
            {
                await CollectionRecords.RemoveAsync(store, collection.Number, cancellationToken).ConfigureAwait(false);
                CountDeleted(1);
            }
        }
    }

    private PackPlan Plan()
    {
        HashSet<(SessionId Session, uint Number)> condemned = [.. Pending.SelectMany(collection => collection.Condemned!)];
        return PackPlan.Make(
            PackUse.Measure(store.Index, _marks, pack => pack.IsKnown && pack.IsAvailable && !_gone.Contains(KeyOf(pack)) && !condemned.Contains(KeyOf(pack)) && _view.Packs.Contains(KeyOf(pack)) && _view.IsOver(pack.Session)),
            store.Objects.Capabilities.PackSize,
            request,
            store.Keys.Epoch);
    }

    private async Task CondemnAsync(SessionKeeper sessions, CancellationToken cancellationToken)
    {
        // Nothing of what others have condemned is relied on.
        HashSet<(SessionId Session, uint Number)> condemned = [.. Pending.SelectMany(collection => collection.Condemned!)];
        foreach (PackInfo pack in store.Index.Packs.Where(pack => condemned.Contains(KeyOf(pack))))
        {
            pack.IsAvailable = false;
        }

        List<(SessionId Session, uint Number)> broken = FindBroken();
        PackPlan plan = Plan();
        _report = _report with { BytesUnused = plan.Unused, BytesUnderEarlierKeys = plan.UnderEarlierKeys };
        foreach (PackInfo pack in plan.Dead.Concat(plan.Repacked).Select(use => use.Pack))
        {
            pack.IsAvailable = false;
        }

        // Packs that no segment names: of those that nobody needs, and those of jobs at work, none is named by us.
        store.Index.Forget(store.Index.Packs.Where(pack => !pack.IsAvailable || !_view.IsOver(pack.Session)).ToHashSet());
        var repacker = new Repacker(store, _session!, _marks);
        IReadOnlyList<PackInfo> emptied = await repacker.RunAsync(
            [.. plan.Dead.Concat(plan.Repacked).Select(use => use.Pack)], () => !IsOverTime, Find, cancellationToken).ConfigureAwait(false);
        await _session!.FlushAsync(cancellationToken).ConfigureAwait(false);
        if (emptied.Count + broken.Count == 0 || await _records.TryCondemnAsync([.. emptied.Select(KeyOf), .. broken], cancellationToken).ConfigureAwait(false) is not { } number)
        {
            return;
        }

        _report = _report with
        {
            PacksCondemned = emptied.Count,
            BytesCondemned = emptied.Sum(pack => (long)pack.Length),
            PacksRepacked = emptied.Count(pack => plan.Repacked.Any(use => use.Pack == pack)),
            BytesRepacked = repacker.Copied,
        };
        CollectionView now = await CollectionView.TakeAsync(store, cancellationToken).ConfigureAwait(false);
        IReadOnlySet<SessionId> waiting = await CollectionRecords.SettleWaitAsync(store, number, OthersOpen(now), cancellationToken).ConfigureAwait(false);
        if (waiting.Any(session => !now.IsOver(session)) || !Pending.All(collection => _settled.Contains(collection.Number)))
        {
            await TellWaitingAsync(sessions, waiting.Where(session => !now.IsOver(session)), cancellationToken).ConfigureAwait(false);
            return;
        }

        await FinishAsync(number, emptied, broken, now, cancellationToken).ConfigureAwait(false);
    }

    // Packs that no segment names, and whose own tables cannot be read: where nothing is missed, they have nothing that is needed.
    private List<(SessionId Session, uint Number)> FindBroken()
    {
        var broken = new List<(SessionId, uint)>();
        HashSet<(SessionId Session, uint Number)> condemned = [.. Pending.SelectMany(collection => collection.Condemned!), .. _gone];
        foreach (BackupException damage in store.Damage.Where(damage => damage.Id == BackupErrorId.VaultDataCorrupt))
        {
            if (VaultLayout.KindOf(damage.Target ?? string.Empty, out _) == StoredKind.Pack
                && VaultLayout.TryParseNumbered(damage.Target!, out SessionId session, out uint number)
                && !store.Index.TryGetPack(session, number, out _)
                && _view.IsOver(session)
                && !condemned.Contains((session, number)))
            {
                broken.Add((session, number));
            }
        }

        return broken.Count == 0 || new PackTrial(store, _marks, _isWhole).MissesAny() ? [] : broken;
    }

    // Nobody is at work: what has come since the points were listed is marked too, and the packs go at once.
    private async Task FinishAsync(
        uint number, IReadOnlyList<PackInfo> emptied, List<(SessionId Session, uint Number)> broken, CollectionView now, CancellationToken cancellationToken)
    {
        foreach (PackInfo pack in emptied)
        {
            pack.IsAvailable = true;
        }

        List<PointName> names = await ListPointsAsync(cancellationToken).ConfigureAwait(false);
        await store.RefreshIndexAsync(cancellationToken).ConfigureAwait(false);
        if (!await MarkPointsAsync(names, now, cancellationToken).ConfigureAwait(false))
        {
            return;
        }

        _gone.UnionWith((await SettleAsync(number, emptied.Select(KeyOf).Concat(broken).ToHashSet(), _gone.Contains, cancellationToken).ConfigureAwait(false))!);
        await DeleteAsync([number], cancellationToken).ConfigureAwait(false);
        _report = _report with { PacksCondemned = 0, BytesCondemned = 0 };
    }

    private async Task TellWaitingAsync(SessionKeeper sessions, IEnumerable<SessionId> waiting, CancellationToken cancellationToken)
    {
        IEnumerable<SessionId> untold = waiting.Distinct().Where(session => _report.WaitingFor.All(told => told.SessionId != session));
        _report = _report with { WaitingFor = [.. _report.WaitingFor, .. await sessions.DescribeAsync(untold.ToList(), cancellationToken).ConfigureAwait(false)] };
    }

    private HashSet<SessionId> OthersOpen(CollectionView view) => view.Open.Where(session => session != _session!.Id).ToHashSet();

    private void Find(BackupException damage) => _findings.TryAdd(damage.Target ?? string.Empty, damage.Message);

    private void CountDeleted(int count) => _report = _report with { ObjectsDeleted = _report.ObjectsDeleted + count };

    private static (SessionId Session, uint Number) KeyOf(PackInfo pack) => (pack.Session, pack.Number);
}
