using System.Collections.Concurrent;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Groups;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Keys;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Packs;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Vaults.Verification;

/// <summary>
/// Verifies a chunk store and what is beside it, part by part: plain objects, records and key slots, packs against the index, checkpoints, the contents of packs
/// where they are asked for, and recovery points. Damage is collected, never thrown; each finding says what suffers by it.
/// </summary>
/// <param name="store">The store, its index read.</param>
/// <param name="monitor">Counts what was done.</param>
/// <param name="findRecordDamage">Finds what is damaged of the records of collections, which only maintenance understands.</param>
/// <param name="verified">Gets each pack that was read, and whether all of it is whole, from any thread; null for nobody.</param>
internal sealed class StoreVerifier(
    ChunkStore store,
    JobMonitor monitor,
    Func<ChunkStore, CancellationToken, Task<IReadOnlyList<BackupException>>> findRecordDamage,
    Action<PackInfo, bool>? verified = null)
{
    private readonly ProblemList _problems = new();
    private readonly ConcurrentBag<StoredObject> _checkpoints = [];
    private readonly ConcurrentBag<StoredObject> _deletions = [];
    private readonly ConcurrentBag<StoredObject> _groups = [];
    private readonly ConcurrentBag<StoredObject> _parity = [];
    private readonly ConcurrentDictionary<string, long> _presentPacks = new(StringComparer.Ordinal);
    private HashSet<PackInfo> _condemned = new(ReferenceEqualityComparer.Instance);
    private long _otherStores;

    /// <summary>Verifies.</summary>
    /// <param name="level">Structure or Data.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <param name="lost">Chunks that are known not to open; null for none.</param>
    public async Task<VerifyReport> RunAsync(VerifyLevel level, CancellationToken cancellationToken, IReadOnlySet<ChunkId>? lost = null)
    {
        monitor.Enter(JobPhase.Verifying);

        // Before the survey: what the segments themselves say.
        HashSet<PackInfo> named = [.. store.Index.Packs];
        Inventory inventory = await TakeInventoryAsync(cancellationToken).ConfigureAwait(false);
        var checkpoints = new CheckpointVerifier(store, inventory);
        var deletions = new DeletionVerifier(store, inventory);
        await Task.WhenAll(checkpoints.RunAsync(_checkpoints, cancellationToken), deletions.RunAsync(_deletions, cancellationToken)).ConfigureAwait(false);
        await CheckGroupsAsync(inventory, cancellationToken).ConfigureAwait(false);
        inventory.NoteLosses((storeId, point) => storeId == store.StoreId ? deletions.Hidden.Contains((point.MachineId, point.SessionId)) : inventory.IsDecided(point.SessionId));
        var parity = new ParityVerifier(store, _problems);
        await parity.RunAsync(_parity, level, cancellationToken).ConfigureAwait(false);
        await ReadCondemnedAsync(cancellationToken).ConfigureAwait(false);
        var packs = new PackVerifier(store, monitor, _problems, parity, _condemned.Contains);
        IReadOnlySet<ChunkId> damaged = level == VerifyLevel.Data ? await packs.RunAsync(cancellationToken, verified: verified).ConfigureAwait(false) : lost ?? new HashSet<ChunkId>();

        // What is newest is told by all of them; what is verified is what can be restored.
        List<PointName> names = await new RecoveryPointCatalog(store).ListAllAsync(null, cancellationToken).ConfigureAwait(false);
        List<PointName> shown = names.FindAll(name => !deletions.Hidden.Contains((name.MachineId, name.SessionId)));
        HashSet<(MachineId MachineId, SessionId SessionId)> known = [.. names.Select(name => (name.MachineId, name.SessionId)), .. deletions.Hidden];
        var chunks = new PointChunks(store, named);
        PointVerifier points = await VerifyPointsAsync(shown, known, chunks, damaged, cancellationToken).ConfigureAwait(false);
        NoteEvaded();
        long unused = JudgePacks(inventory, named, chunks.Unindexed, points.MissesAnything);
        var newest = new NewestPoints(names);
        monitor.Enter(JobPhase.Finished);
        return new VerifyReport(level, points.Points, inventory.Count, packs.Chunks, packs.Bytes, unused, inventory.Leftovers, _problems.ToFindings())
        {
            Entries = points.Entries,
            DistinctEntries = points.DistinctEntries,
            OtherStores = _otherStores,
            Strangers = inventory.Strangers,
            StrangerCount = inventory.StrangerCount,
            Unfinished = newest.FindUnfinished(inventory.WithoutPoint(store.StoreId)),
            StaleBytes = checkpoints.MeasureStale(newest),
            ChunksFromCopies = store.Broken.ChunksFromCopies,
            ChunksFromParity = store.Broken.ChunksFromParity,
            UnfinishedWrites = await store.Objects.MeasureUnfinishedAsync(cancellationToken).ConfigureAwait(false),
        };
    }

    // Where something is wrong, and points have ended since they were listed, the others are verified without them.
    private async Task<PointVerifier> VerifyPointsAsync(
        List<PointName> names,
        IReadOnlySet<(MachineId MachineId, SessionId SessionId)> known,
        PointChunks chunks,
        IReadOnlySet<ChunkId> damaged,
        CancellationToken cancellationToken)
    {
        while (true)
        {
            var problems = new ProblemList();
            var points = new PointVerifier(store, monitor, problems, chunks, damaged);
            await points.RunAsync(names, known, cancellationToken).ConfigureAwait(false);
            if (problems.IsEmpty || await FindEndedAsync().ConfigureAwait(false) is not { Count: > 0 } ended)
            {
                _problems.Take(problems);
                return points;
            }

            names = names.FindAll(name => !ended.Contains((name.MachineId, name.SessionId)));
        }

        Task<IReadOnlySet<(MachineId MachineId, SessionId SessionId)>> FindEndedAsync() =>
            EndedPoints.FindAsync(store, names.Select(name => (name.MachineId, name.SessionId)), cancellationToken);
    }

    private async Task<Inventory> TakeInventoryAsync(CancellationToken cancellationToken)
    {
        Task<IReadOnlyList<BackupException>> records = new RecordVerifier(store.Vault, store.Keys).FindDamageAsync(cancellationToken);
        Task<IReadOnlyList<BackupException>> slots = KeyRing.CheckAsync(store.Objects, store.Header, store.Keys, cancellationToken);
        await Task.WhenAll(store.SurveyPacksAsync(cancellationToken), slots, records).ConfigureAwait(false);
        foreach (BackupException fault in await slots.ConfigureAwait(false))
        {
            _problems.Note(fault);
        }

        var inventory = new Inventory(store.Objects, store.Header, _problems);
        await inventory.TakeAsync(VisitAsync, cancellationToken).ConfigureAwait(false);
        foreach (BackupException damage in await records.ConfigureAwait(false))
        {
            inventory.Judge(damage.Target!, damage, isNeeded: false);
        }

        return inventory;
    }

    // Nobody relies on them any more: only what they alone have is missed.
    private async Task ReadCondemnedAsync(CancellationToken cancellationToken)
    {
        try
        {
            IReadOnlySet<(SessionId Session, uint Number)> condemned = await CondemnedPacks.ReadAsync(store, cancellationToken).ConfigureAwait(false);
            _condemned = [.. store.Index.Packs.Where(pack => condemned.Contains((pack.Session, pack.Number)))];
        }
        catch (BackupException damage) when (damage.IsOfOneObject)
        {
            _problems.Note(damage);
        }

        foreach (BackupException damage in await findRecordDamage(store, cancellationToken).ConfigureAwait(false))
        {
            _problems.Note(damage);
        }
    }

    private async ValueTask VisitAsync(StoredObject found, StoredKind kind, StoreId? storeId, CancellationToken cancellationToken)
    {
        if (storeId is { } other && other != store.StoreId)
        {
            Interlocked.Add(ref _otherStores, kind is StoredKind.KeySlot or StoredKind.KeySlotCopy or StoredKind.KeySlotRemoval or StoredKind.KeyEpoch ? 0 : 1);
        }
        else if (kind == StoredKind.Checkpoint)
        {
            _checkpoints.Add(found);
        }
        else if (kind == StoredKind.Deletion)
        {
            _deletions.Add(found);
        }
        else if (kind == StoredKind.Group)
        {
            _groups.Add(found);
        }
        else if (kind == StoredKind.KeyEpoch)
        {
            await CheckKeyEpochAsync(found, cancellationToken).ConfigureAwait(false);
        }
        else if (kind == StoredKind.Copy)
        {
            await CheckCopyAsync(found.Name, cancellationToken).ConfigureAwait(false);
        }
        else if (kind is StoredKind.ParityGroup or StoredKind.ParityShards)
        {
            _parity.Add(found);
        }
        else if (kind == StoredKind.Pack)
        {
            _presentPacks[found.Name] = found.Length;
        }
    }

    // It lies there twice, and either leads to the earlier keys.
    private async Task CheckKeyEpochAsync(StoredObject found, CancellationToken cancellationToken)
    {
        try
        {
            (ReadOnlyMemory<byte> content, SealedObjectKind kind) = await store.ReadSealedAsync(found.Name, found.Length, cancellationToken).ConfigureAwait(false);
            if (kind != SealedObjectKind.KeyEpoch || !VaultLayout.TryParseKeyEpoch(found.Name, out byte epoch))
            {
                throw VaultDamage.Corrupt(found.Name, "it is sealed as something else");
            }

            KeyEpochs.Decode(found.Name, content.Span, epoch);
        }
        catch (BackupException damage) when (damage.IsOfOneObject)
        {
            _problems.Note(damage);
        }
    }

    // Which was replaced matters no more; the newest of each group does, though no point suffers by it.
    private async Task CheckGroupsAsync(Inventory inventory, CancellationToken cancellationToken)
    {
        var register = new GroupRegister(store);
        foreach (StoredObject found in _groups)
        {
            try
            {
                await register.ReadAsync(found, cancellationToken).ConfigureAwait(false);
            }
            catch (BackupException damage) when (damage.IsOfOneObject)
            {
                inventory.Judge(found.Name, damage, isNeeded: false);
            }
        }
    }

    private async Task CheckCopyAsync(string name, CancellationToken cancellationToken)
    {
        if (VaultLayout.TryParseCopy(name, out string original) && await store.TryReadCopyAsync(original, cancellationToken).ConfigureAwait(false) is null
            && await store.Objects.StatAsync(name, cancellationToken).ConfigureAwait(false) is not null)
        {
            _problems.Note(VaultDamage.Parity(name, "it is no copy of an object of this vault"));
        }
    }

    // Nothing suffers by them; but what took their place may be damaged next.
    private void NoteEvaded()
    {
        HashSet<string> going = [.. _condemned.Select(store.NameOf)];
        foreach (BackupException told in store.Broken.Evaded.Where(told => !going.Contains(told.Target!)))
        {
            _problems.Note(told);
        }
    }

    // Returns the bytes of packs that no segment names and no point needs.
    private long JudgePacks(Inventory inventory, HashSet<PackInfo> named, IReadOnlyCollection<PackInfo> unindexed, bool pointsMissAnything)
    {
        HashSet<string> needed = [.. unindexed.Where(pack => !_condemned.Contains(pack)).Select(store.NameOf)];
        HashSet<string> namedPacks = [.. named.Select(store.NameOf)];
        HashSet<string> going = [.. _condemned.Select(store.NameOf)];
        foreach (BackupException damage in store.Damage.Where(damage => !going.Contains(damage.Target ?? string.Empty)))
        {
            string name = damage.Target ?? string.Empty;
            bool isSegment = VaultLayout.KindOf(name, out _) == StoredKind.Segment;
            if (VaultLayout.KindOf(name, out _) == StoredKind.Pack && !namedPacks.Contains(name) && !pointsMissAnything)
            {
                inventory.CountLeftover();
                continue;
            }

            // A job that was shut out may have named packs that were deleted by then: where all that points need is there, nothing is lost with them.
            inventory.Judge(name, damage, isNeeded: (namedPacks.Contains(name) && pointsMissAnything) || (isSegment && needed.Count > 0));
        }

        if (needed.Count > 0)
        {
            string folder = VaultLayout.Segments(store.StoreId);
            _problems.Note(new BackupException(
                BackupErrorId.VaultDataMissing,
                $"{needed.Count} packs that recovery points need are named by no index segment that can be read: a segment is damaged or missing.",
                "Run 'obengine repair index'. Nothing is lost, but do not delete any pack until then.",
                folder));
        }

        return _presentPacks.Where(pack => !namedPacks.Contains(pack.Key) && !needed.Contains(pack.Key)).Sum(pack => pack.Value);
    }
}
