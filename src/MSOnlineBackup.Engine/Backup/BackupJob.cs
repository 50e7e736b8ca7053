using System.Runtime.InteropServices;
using System.Threading.Channels;
using MSOnlineBackup.Engine.Snapshots;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Engine.Sources.Rules;
using MSOnlineBackup.Platform.Unix;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Concurrency;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Packs;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.Proofs;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Stores;
using MSOnlineBackup.Vaults.Versioning;

namespace MSOnlineBackup.Engine.Backup;

/// <summary>
/// One backup, from sources to a committed recovery point:
/// <c>walk ► merge with the baseline ► read and cut ► name, compress, seal ► packs</c> and
/// <c>drafts ► manifest ► root</c>; then <c>flush ► index segment ► recovery point</c>.
/// </summary>
/// <param name="store">The vault's chunk store.</param>
/// <param name="request">What is backed up.</param>
/// <param name="options">Clock and workers.</param>
/// <param name="monitor">Is told how far it is.</param>
/// <param name="taps">Are shown what is stored.</param>
internal sealed class BackupJob(ChunkStore store, BackupRequest request, VaultOptions options, JobMonitor monitor, IReadOnlyList<IChunkTap> taps)
{
    // Shorter than whoever stopped it waits for the job's end.
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(20);

    private readonly List<RecoveryPointSource> _sources = [];
    private readonly List<LostSource> _lost = [];
    private readonly Dictionary<BackupSource, SnapshotSource> _snapshots = [];
    private SourceVerdicts? _verdicts;
    private readonly SessionAnnouncement _announcement = new(
        store, new SessionRecord { MachineId = null, Started = options.TimeProvider.GetUtcNow(), AgentVersion = Product.Version });
    // By its name, until the vault was asked what that means.
    private MachineId _machineId = store.Header.MachineId(request.MachineName);
    private bool _scriptsFailed;
    private readonly OwnFolders _own = OwnFolders.Find(store.Objects.Location, request.OwnFolders);

    /// <summary>Runs the job.</summary>
    /// <exception cref="BackupException">No point was made.</exception>
    /// <exception cref="OperationCanceledException">Stopped in order. A last checkpoint holds what was done, where the vault took that in time.</exception>
    public async Task<BackupResult> RunAsync(CancellationToken stop)
    {
        try
        {
            return await MakePointAsync(stop).ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            // By now nothing is written any more.
            if (await _announcement.TryEndAsync(failure, options.TimeProvider).ConfigureAwait(false) is { } untold)
            {
                monitor.Note($"The vault has no record that this job ended without a recovery point, so 'verify' reports the job until the next backup. {untold.Message}");
            }

            throw;
        }
    }

    private async Task<BackupResult> MakePointAsync(CancellationToken stop)
    {
        monitor.Enter(JobPhase.Initializing);
        if (request.Sources.Count == 0)
        {
            throw new BackupException(BackupErrorId.SourceMissing, "Nothing was named to back up.", "Name at least one folder or file.");
        }

        // Side by side, for a vault may be far away. Index segments never change, and earlier points only save work: what counts is that the session looks at which packs
        // there are, and which are about to go, after it is announced.
        Task indexing = store.ReadIndexAsync(stop);
        Task<SessionId?> ordering = SessionOrder.FindHighestAsync(store, stop);
        bool mayReturn = !request.MustBeRegistered;
        Task<(MachineId Id, bool IsAnnounced)> knowing = new MachineDirectory(store.Vault).LookUpAsync(store.Keys, request.MachineName, mayReturn, store.Early, stop);
        Task<SessionId> announcing = AnnounceAsync(knowing, mayReturn, ordering, indexing, stop);
        Task<Earlier> finding = FindEarlierAsync(_machineId, knowing, stop);
        Task<VaultSettings> deciding = WriteSession.ReadSettingsAsync(store, stop);
        await Task.WhenAll(indexing, ordering, announcing, finding, deciding).ConfigureAwait(false);
        await using Earlier earlier = await finding.ConfigureAwait(false);
        VaultSettings settings = await deciding.ConfigureAwait(false);
        if (SubscriptionErrors.OfBackup(settings.Subscription, store.Objects.Location) is { } refusal)
        {
            throw refusal;
        }

        // After a stop, what is under way may still arrive; but over a slow line that could take as long as the backup.
        using var late = new CancellationTokenSource(Timeout.InfiniteTimeSpan, options.TimeProvider);
        await using CancellationTokenRegistration stopped = stop.Register(() => late.CancelAfter(_patience));
        CancellationToken giveUp = late.Token;
        // What was there before tells holes too, and what is stored may be others'.
        long before = (earlier.Point ?? earlier.Checkpoint)?.Sources.Sum(source => source.Manifest.Bytes) ?? 0;
        long expected = Math.Min(before, store.Index.Packs.Where(pack => pack.Kind == PackKind.Data).Sum(pack => (long)pack.Length));
        await using var check = new SpotCheck(store, expected, request.ReadEverything, giveUp);
        await using var session = new WriteSession(
            store,
            _announcement,
            await announcing.ConfigureAwait(false),
            settings.AccessTier,
            monitor.Transfer,
            options.Workers,
            request.VerifyOneIn,
            giveUp,
            check.Doubts,
            request.Compression,
            isThrifty: false,
            taps);
        IReadOnlyDictionary<int, int> covered = FindCovered();
        IReadOnlyList<MountedVolume> mounts = OperatingSystem.IsLinux() ? MountTable.Read() : [];
        _verdicts = await SourceVerdicts.FindAsync(request, mounts, earlier, stop).ConfigureAwait(false);
        await using SnapshotSet? snapshots = await TakeSnapshotsAsync(covered, mounts, stop).ConfigureAwait(false);
        var local = new LocalPointKeeping(snapshots, request, monitor);
        local.Announce(store, session.Id, _machineId, _announcement.Started, Trees(covered), _snapshots, _verdicts);
        try
        {
            BackupResult result = await TransferAsync(session, check, earlier, covered, stop, giveUp).ConfigureAwait(false);
            await local.KeepAsync(result.Point).ConfigureAwait(false);
            return result;
        }
        catch (BackupException e) when (!stop.IsCancellationRequested && LocalPointKeeping.StaysAfter(e))
        {
            await local.KeepAsync(e).ConfigureAwait(false);
            throw;
        }
    }

    // From the snapshots to the point.
    private async Task<BackupResult> TransferAsync(
        WriteSession session, SpotCheck check, Earlier earlier, IReadOnlyDictionary<int, int> covered, CancellationToken stop, CancellationToken giveUp)
    {
        var scope = new BackupScope(store, session, check, request, options, monitor);
        monitor.Enter(JobPhase.Transferring);
        await using Forecast forecast = await Forecast.BeginAsync(request, earlier, monitor, stop).ConfigureAwait(false);
        var taken = new List<BackupSource>();
        for (int i = 0; i < request.Sources.Count; i++)
        {
            BackupSource source = request.Sources[i];
            SourceConsistency? consistency = _snapshots.GetValueOrDefault(source)?.Consistency;
            try
            {
                monitor.BeginSource();
                if (covered.TryGetValue(i, out int outer))
                {
                    monitor.Note(NoteOfCovered(NameOf(source), NameOf(request.Sources[outer])));
                }
                else if (await BackUpSourceAsync(source, scope, earlier, stop, giveUp).ConfigureAwait(false) is { } done)
                {
                    _sources.Add(done);
                    consistency = done.Consistency;
                    taken.Add(source);
                }
                else
                {
                    monitor.Note(NoteOfLeftOut(NameOf(source)));
                }

                monitor.EndSource(failure: null, consistency);
            }
            catch (BackupException e) when (request.IsLive && IsOfSource(e))
            {
                throw BackupScope.LiveFailure(NameOf(source), e);
            }
            catch (BackupException e) when (IsOfSource(e) && !request.IsWhole)
            {
                // The earlier points keep what they have of it; the other sources go on.
                _lost.Add(new LostSource(NameOf(source), e));
                scope.Skip(NameOf(source), e);
                monitor.EndSource(e);
            }
        }

        if (_sources.Count == 0)
        {
            throw _lost.Count > 0 ? _lost[0].Failure : new BackupException(
                BackupErrorId.SourceMissing,
                "The exclusions or the size limit leave out everything that was named.",
                "Name something else, or remove the exclusion or the limit.");
        }

        IReadOnlyList<string> further = request.Conclude is { } conclude ? await conclude(stop).ConfigureAwait(false) : [];
        stop.ThrowIfCancellationRequested();
        if (await check.FindLossAsync(giveUp).ConfigureAwait(false))
        {
            await HealAsync(taken, scope, earlier, stop, giveUp).ConfigureAwait(false);
        }

        monitor.Enter(JobPhase.Committing);
        IReadOnlyList<ChunkId> skippedItems = await scope.CompleteSkippedAsync().ConfigureAwait(false);
        await session.FlushAsync(giveUp).ConfigureAwait(false);
        RecoveryPoint point = Describe(session, earlier, scope) with
        {
            Status = scope.SkippedCount == 0 && !store.HasLost && !store.IsDamaged && !_scriptsFailed ? RecoveryPointStatus.Completed : RecoveryPointStatus.CompletedWithWarnings,
            Sources = _sources,
            SkippedCount = scope.SkippedCount,
            SkippedItems = skippedItems,
            Tags = [.. request.Tags, .. further],
        };
        monitor.ReportDamage(store.Damage);
        SessionId id = await session.CommitAsync(
            _machineId,
            id => RecoveryPointCodec.Encode(point = point with
            {
                SessionId = id,
                ParentSessionId = point.ParentSessionId is { } parent && session.HasListed(parent) ? parent : null,
            }),
            giveUp).ConfigureAwait(false);
        await ConfirmAsync(session, id, giveUp).ConfigureAwait(false);
        await MetDamage.RecordAsync(store, monitor, giveUp).ConfigureAwait(false);
        monitor.Enter(JobPhase.Finished);
        return new BackupResult(
            point,
            scope.UnchangedFiles,
            scope.NewFiles,
            scope.ChangedFiles,
            monitor.Snapshot().ReadBytes,
            earlier.Checkpoint?.SessionId,
            _lost);
    }

    // The point is there, and the job has done what it was to do.
    private async Task ConfirmAsync(WriteSession session, SessionId id, CancellationToken giveUp)
    {
        try
        {
            await session.ConfirmAsync(_machineId, id, giveUp).ConfigureAwait(false);
        }
        catch (Exception e) when (e is BackupException or OperationCanceledException)
        {
            monitor.Note($"The recovery point is in the vault, but the record that reveals its loss could not be written: {e.Message}");
        }
    }

    // Most machines have the name that they had first: what belongs to that is asked for at once.
    private async Task<Earlier> FindEarlierAsync(MachineId likely, Task<(MachineId Id, bool IsAnnounced)> knowing, CancellationToken stop)
    {
        var catalog = new RecoveryPointCatalog(store);
        Earlier earlier = await Earlier.FindAsync(catalog, likely, stop).ConfigureAwait(false);
        (MachineId id, _) = await knowing.ConfigureAwait(false);
        if (id == likely)
        {
            return earlier;
        }

        await earlier.DisposeAsync().ConfigureAwait(false);
        return await Earlier.FindAsync(catalog, id, stop).ConfigureAwait(false);
    }

    private async Task<SessionId> AnnounceAsync(
        Task<(MachineId Id, bool IsAnnounced)> knowing, bool mayReturn, Task<SessionId?> ordering, Task indexing, CancellationToken stop)
    {
        // Who may not is refused before anything is written.
        (_machineId, bool isAnnounced) = await knowing.ConfigureAwait(false);
        _announcement.Machine = _machineId;
        Task naming = isAnnounced ? Task.CompletedTask : new MachineDirectory(store.Vault).AnnounceAsync(store.Keys, request.MachineName, mayReturn, stop);
        Task<SessionId> announcing = WriteSession.AnnounceAsync(store, _announcement, ordering, indexing, stop);
        await Task.WhenAll(naming, announcing).ConfigureAwait(false);
        return await announcing.ConfigureAwait(false);
    }

    // Only real trees can be looked at.
    private IReadOnlyDictionary<int, int> FindCovered() => request.OpenSource is null && request.Sources.All(source => source is BackupSource.Tree)
        ? SourceTrees.FindCovered([.. request.Sources.Cast<BackupSource.Tree>().Select(tree => (tree.Path, tree.Selection))])
        : new Dictionary<int, int>();

    // What snapshots are taken of: files, not disks.
    private BackupSource.Tree[] Trees(IReadOnlyDictionary<int, int> covered) =>
    [
        .. request.Sources.Where((source, i) => source is BackupSource.Tree && !covered.ContainsKey(i) && _verdicts!.Of(source).Refusal is null)
            .Cast<BackupSource.Tree>().Where(tree => !SourceTrees.IsDisk(tree.Path)),
    ];

    private async Task<SnapshotSet?> TakeSnapshotsAsync(IReadOnlyDictionary<int, int> covered, IReadOnlyList<MountedVolume> mounts, CancellationToken stop)
    {
        if (request.Snapshots is not { } snapshots || request.OpenSource is not null)
        {
            return null;
        }

        BackupSource.Tree[] trees = Trees(covered);
        (SnapshotSet set, IReadOnlyList<SnapshotSource> sources, _scriptsFailed) =
            await ScriptedSnapshots.TakeAsync(request, snapshots, [.. trees.Select(tree => (tree.Path, _verdicts!.SelectionOf(tree)))], mounts, monitor, options.TimeProvider, stop).ConfigureAwait(false);
        for (int i = 0; i < trees.Length; i++)
        {
            _snapshots[trees[i]] = sources[i];
        }

        return set;
    }

    // Null where the source itself is left out.
    private async Task<RecoveryPointSource?> BackUpSourceAsync(
        BackupSource source, BackupScope scope, Earlier earlier, CancellationToken stop, CancellationToken giveUp)
    {
        SourceVerdict verdict = _verdicts!.Of(source);
        if (verdict.Refusal is { } refusal)
        {
            throw refusal;
        }

        if (source is BackupSource.Input { Begin: { } begin })
        {
            await begin(stop).ConfigureAwait(false);
        }

        using ISourceTree tree = (request.OpenSource ?? Open)(source);
        if (tree.IsLeftOut)
        {
            return null;
        }

        if (source is BackupSource.Tree && request.Snapshots is { Mode: SnapshotMode.Require } && tree.Consistency is { Level: ConsistencyLevel.None } consistency)
        {
            throw SnapshotSet.Missing(NameOf(source), consistency);
        }

        string path = EntryName.Escape(tree.RootPath.Span);
        IReadOnlyList<string> paths = PathsOf(source, path);
        EarlierSource? found = request.ComparedWith is { } known && Earlier.Find(known, paths) is { } meant
            ? new EarlierSource(known.SessionId, meant)
            : await earlier.PreviousAsync(paths).ConfigureAwait(false);
        RecoveryPointSource? previous = found?.Source;
        string shown = SourcePath.FromStored(PathText.Local, path);
        if (previous is { IsMountPoint: true } && !tree.IsMountPoint && !request.ReadEverything)
        {
            throw MountRule.NotMounted(shown);
        }

        var baseline = new Baseline(store, previous?.Manifest, earlier.CheckpointOf(paths)?.Manifest) { Session = found?.Session };
        var changes = new ChangeCounter(previous?.Manifest.Files ?? 0);
        var description = new RecoveryPointSource
        {
            // As it was first written: so it stays one source.
            Path = previous is not null && Earlier.IsSame(previous.Path, path) ? previous.Path : path,
            Form = PathText.Local,
            Manifest = new ManifestRoot(default, 0, 0, 0, 0, 0),
            FileSystem = tree.FileSystem,
            IsMountPoint = tree.IsMountPoint,
            Consistency = _snapshots.GetValueOrDefault(source)?.Consistency ?? tree.Consistency,
            Warning = verdict.Warning ?? tree.Warning,
        };

        ManifestRoot manifest = await RunAsync(
            tree, source, description, baseline, changes, reader => reader.RunAsync(), scope, earlier, stop, giveUp).ConfigureAwait(false);
        if (source is BackupSource.Input { Finish: { } finish })
        {
            await finish(stop).ConfigureAwait(false);
        }

        return description with { Manifest = manifest, Changes = previous is null || baseline.IsDamaged ? null : changes.Complete() };
    }

    // What was taken over turned out not to be in the vault: those files are read after all.
    private async Task HealAsync(List<BackupSource> taken, BackupScope scope, Earlier earlier, CancellationToken stop, CancellationToken giveUp)
    {
        await scope.Session.FlushAsync(giveUp).ConfigureAwait(false);
        scope.ForgetLinks();
        for (int i = 0; i < taken.Count; i++)
        {
            // Of a stream nothing was taken over.
            if (taken[i] is BackupSource.Input)
            {
                continue;
            }

            try
            {
                using ISourceTree tree = (request.OpenSource ?? Open)(taken[i]);
                IAsyncEnumerable<ManifestEntry> entries = new ManifestReader(store, _sources[i].Manifest).ReadAsync(EntryPath.Root, giveUp);
                var nothing = new Baseline(store, null, null);
                ManifestRoot healed = await RunAsync(
                    tree, taken[i], _sources[i], nothing, new ChangeCounter(0), reader => reader.HealAsync(entries), scope, earlier, stop, giveUp).ConfigureAwait(false);
                _sources[i] = _sources[i] with { Manifest = healed };
            }
            catch (BackupException e) when (IsOfSource(e))
            {
                scope.Skip(NameOf(taken[i]), e);
            }
        }
    }

    private async Task<ManifestRoot> RunAsync(
        ISourceTree tree,
        BackupSource source,
        RecoveryPointSource description,
        Baseline baseline,
        ChangeCounter changes,
        Func<SourceReader, Task> read,
        BackupScope scope,
        Earlier earlier,
        CancellationToken stop,
        CancellationToken giveUp)
    {
        // Holds all drafts that can wait for one bundle's name, and a few more.
        Channel<Draft> drafts = Channel.CreateBounded<Draft>(new BoundedChannelOptions(Bundler.MaxDrafts + 64) { SingleReader = true, SingleWriter = true });
        await using var stages = new StageGroup(giveUp);
        var reader = new SourceReader(
            tree,
            sizeUnknown: source is BackupSource.Input,
            crossesMountPoints: source is BackupSource.Tree { Selection.CrossMountPoints: true },
            scope,
            baseline,
            changes,
            drafts.Writer,
            stop,
            stages.Stopping);
        var stage = new ManifestStage(
            scope.Session.Chunks,
            store.Keys.ManifestBoundaryKey,
            root => CheckpointAsync(scope, earlier, description with { Manifest = root }, giveUp));

        ManifestRoot? manifest = null;
        bool isStopped = false;
        stages.Begin(async stopping => manifest = await stage.RunAsync(drafts.Reader, stopping).ConfigureAwait(false));
        stages.Begin(async _ =>
        {
            try
            {
                await read(reader).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                // In order: the manifest stage goes on to the last checkpoint.
                isStopped = true;
            }
        });
        await stages.WhenEndedAsync().ConfigureAwait(false);
        return isStopped ? throw new OperationCanceledException(stop) : manifest!;
    }

    /// <summary>Whether only this source is lost; the others go on.</summary>
    internal static bool IsOfSource(BackupException e) =>
        e.Id is BackupErrorId.SourceNotFound or BackupErrorId.SourceNotMounted or BackupErrorId.SourceUnreadable
            or BackupErrorId.SourceRefused or BackupErrorId.SourceLocked or BackupErrorId.SourceTooLarge;

    /// <summary>The paths under which earlier points may have a source, its own first.</summary>
    internal static IReadOnlyList<string> PathsOf(BackupSource source, string path) =>
        source is BackupSource.Tree { EarlierPaths.Count: > 0 } tree ? [path, .. tree.EarlierPaths.Select(SourceTrees.RootPathOf)] : [path];

    /// <summary>What is said of a source that lies in another one.</summary>
    internal static string NoteOfCovered(string source, string outer) => $"'{source}' is inside '{outer}' and is backed up with it.";

    /// <summary>What is said of a source that nothing is taken of.</summary>
    internal static string NoteOfLeftOut(string source) => $"'{source}' is left out: an exclusion or the size limit matches the source itself.";

    private async Task CheckpointAsync(BackupScope scope, Earlier earlier, RecoveryPointSource current, CancellationToken giveUp)
    {
        await scope.Session.FlushAsync(giveUp).ConfigureAwait(false);
        RecoveryPoint checkpoint = Describe(scope.Session, earlier, scope) with
        {
            Sources = _sources.Exists(source => source.Path == current.Path) ? [.. _sources] : [.. _sources, current],
        };
        await scope.Session.WriteCheckpointAsync(RecoveryPointCodec.Encode(checkpoint), giveUp).ConfigureAwait(false);
    }

    private RecoveryPoint Describe(WriteSession session, Earlier earlier, BackupScope scope) => new()
    {
        SessionId = session.Id,
        MachineId = _machineId,
        MachineName = request.MachineName,
        OperatingSystem = RuntimeInformation.OSDescription,
        AgentVersion = Product.Version,
        Started = _announcement.Started,
        Ended = options.TimeProvider.GetUtcNow(),
        Status = RecoveryPointStatus.InProgress,
        ParentSessionId = earlier.Point?.SessionId,
        Tags = request.Tags,
        Sources = [],
        NewBytes = monitor.Transfer.NewBytes,
        StoredBytes = session.StoredBytes,
        SkippedCount = scope.SkippedCount,
    };

    private ISourceTree Open(BackupSource source) => source switch
    {
        BackupSource.Tree tree => SourceTrees.Open(tree.Path, _verdicts!.SelectionOf(tree), _own, _snapshots.GetValueOrDefault(tree)?.View),
        BackupSource.Input input => new StreamSource(input.Name, input.Content, options.TimeProvider),
        BackupSource.Composed composed => new ComposedSource(composed.Name, composed.Files, options.TimeProvider) { Consistency = composed.Consistency, Warning = composed.Warning },
        _ => throw new ArgumentOutOfRangeException(nameof(source)),
    };

    private static string NameOf(BackupSource source) => source switch
    {
        BackupSource.Tree tree => tree.Path,
        BackupSource.Input input => input.Name,
        BackupSource.Composed composed => composed.Name,
        _ => throw new ArgumentOutOfRangeException(nameof(source)),
    };
}
