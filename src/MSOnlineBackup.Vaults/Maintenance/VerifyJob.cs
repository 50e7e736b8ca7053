using System.Collections.Concurrent;
using System.Security.Cryptography;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Packs;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Vaults.Maintenance;

/// <summary>
/// Verifies a chunk store and what is beside it. Structure: every plain and sealed object, packs against the index, then every point's manifest, each block of it
/// once, and every chunk it names. Data: every chunk that is stored is opened as well. Damage is collected, never thrown; each finding says what needs it.
/// </summary>
internal sealed class VerifyJob(ChunkStore store, JobMonitor monitor)
{
    private readonly ProblemList _problems = new();
    private readonly ConcurrentBag<StoredObject> _checkpoints = [];
    private readonly ConcurrentDictionary<string, long> _presentPacks = new(StringComparer.Ordinal);
    private readonly ConcurrentBag<(RecoveryPoint Checkpoint, long Length)> _readCheckpoints = [];
    private long _chunks;
    private long _bytes;
    private long _otherStores;

    public async Task<VerifyReport> RunAsync(VerifyLevel level, CancellationToken cancellationToken)
    {
        monitor.Enter(JobPhase.Verifying);
        Task<IReadOnlyList<BackupException>> records = new RecordVerifier(store.Objects, store.Header, store.StoreId, store.Keys).FindDamageAsync(cancellationToken);

        // Before the survey: what the segments themselves say.
        HashSet<PackInfo> named = [.. store.Index.Packs];
        Task<IReadOnlyList<BackupException>> slots = KeyRing.CheckAsync(store.Objects, store.Header, store, cancellationToken);
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

        await VerifyCheckpointsAsync(inventory, cancellationToken).ConfigureAwait(false);
        HashSet<ChunkId> damaged = level == VerifyLevel.Data ? await OpenEverythingAsync(cancellationToken).ConfigureAwait(false) : [];
        var points = new PointVerifier(store, monitor, _problems, damaged, named);
        await points.RunAsync(inventory, cancellationToken).ConfigureAwait(false);
        long unused = Conclude(inventory, named, points.Unindexed);
        monitor.Enter(JobPhase.Finished);
        return new VerifyReport(level, points.Points, inventory.Count, _chunks, _bytes, unused, inventory.Leftovers, _problems.ToFindings())
        {
            Entries = points.Entries,
            DistinctEntries = points.DistinctEntries,
            OtherStores = _otherStores,
            Strangers = inventory.Strangers,
            StrangerCount = inventory.StrangerCount,
            Unfinished = points.Unfinished,
            StaleBytes = _readCheckpoints.Where(found => string.CompareOrdinal(found.Checkpoint.SessionId, points.NewestOf(found.Checkpoint.MachineId)) <= 0).Sum(found => found.Length),
            UnfinishedWrites = await store.Objects.MeasureUnfinishedAsync(cancellationToken).ConfigureAwait(false),
        };
    }

    private ValueTask VisitAsync(StoredObject found, StoredKind kind, string storeId, CancellationToken cancellationToken)
    {
        if (storeId.Length > 0 && storeId != store.StoreId)
        {
            Interlocked.Add(ref _otherStores, kind == StoredKind.KeySlot ? 0 : 1);
        }
        else if (kind == StoredKind.Checkpoint)
        {
            _checkpoints.Add(found);
        }
        else if (kind == StoredKind.Pack)
        {
            _presentPacks[found.Name] = found.Length;
        }

        return ValueTask.CompletedTask;
    }

    private Task VerifyCheckpointsAsync(Inventory inventory, CancellationToken cancellationToken)
    {
        var catalog = new RecoveryPointCatalog(store);
        var options = new ParallelOptions { CancellationToken = cancellationToken, MaxDegreeOfParallelism = store.Objects.Capabilities.MaxConcurrency };
        return Parallel.ForEachAsync(_checkpoints, options, async (found, token) =>
        {
            try
            {
                _readCheckpoints.Add((await catalog.ReadCheckpointAsync(found, token).ConfigureAwait(false), found.Length));
            }
            catch (BackupException e) when (e.IsOfOneObject)
            {
                inventory.Judge(found.Name, e, isNeeded: false);
            }
        });
    }

    // Returns the bytes of packs that no segment names and no point needs.
    private long Conclude(Inventory inventory, HashSet<PackInfo> named, IReadOnlyCollection<PackInfo> unindexed)
    {
        HashSet<string> needed = [.. unindexed.Select(store.NameOf)];
        HashSet<string> namedPacks = [.. named.Select(store.NameOf)];
        foreach (BackupException damage in store.Damage)
        {
            string name = damage.Target ?? string.Empty;
            bool isSegment = VaultLayout.KindOf(name, out _) == StoredKind.Segment;
            inventory.Judge(name, damage, isNeeded: namedPacks.Contains(name) || (isSegment && needed.Count > 0));
        }

        if (needed.Count > 0)
        {
            string folder = VaultLayout.Segments(store.StoreId);
            _problems.Note(new BackupException(
                BackupErrorId.VaultDataMissing,
                $"{needed.Count} packs that recovery points need are named by no index segment that can be read: a segment is damaged or missing.",
                "Run 'obengine repair index'. Nothing is lost by it, and no pack may be deleted.",
                folder));
        }

        return _presentPacks.Where(pack => !namedPacks.Contains(pack.Key) && !needed.Contains(pack.Key)).Sum(pack => pack.Value);
    }

    private async Task<HashSet<ChunkId>> OpenEverythingAsync(CancellationToken cancellationToken)
    {
        var damaged = new ConcurrentBag<ChunkId>();
        var packs = store.Index.All()
            .Where(location => location.Pack.IsAvailable)
            .GroupBy(location => location.Pack, location => location.Chunk);
        monitor.Expect(0, store.Index.Packs.Where(pack => pack.IsAvailable).Sum(pack => (long)pack.Length));
        var buffers = new ConcurrentBag<Buffers>();
        var options = new ParallelOptions { CancellationToken = cancellationToken, MaxDegreeOfParallelism = Environment.ProcessorCount };
        await Parallel.ForEachAsync(packs, options, async (pack, token) =>
        {
            Buffers work = buffers.TryTake(out Buffers? free) ? free : new Buffers();
            await OpenPackAsync(pack.Key, [.. pack.OrderBy(chunk => chunk.Offset)], work, damaged, token).ConfigureAwait(false);
            buffers.Add(work);
        }).ConfigureAwait(false);

        // A chunk that has a sound copy elsewhere is not lost.
        var sound = new HashSet<ChunkId>();
        foreach (ChunkId id in damaged.Distinct().Where(id => store.Index.FindAll(id).Count > 1))
        {
            ChunkKind kind = store.Index.FindAll(id)[0].Chunk.Kind;
            if (await TryReadAsync(kind, id, cancellationToken).ConfigureAwait(false))
            {
                sound.Add(id);
            }
        }

        return [.. damaged.Except(sound)];
    }

    private async ValueTask OpenPackAsync(PackInfo pack, PackedChunk[] chunks, Buffers work, ConcurrentBag<ChunkId> damaged, CancellationToken cancellationToken)
    {
        Memory<byte> content = work.Pack(pack.Length);
        try
        {
            await store.FetchAsync(pack, 0, content, cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException e) when (e.IsDamage)
        {
            _problems.Note(e);
            foreach (PackedChunk chunk in chunks)
            {
                damaged.Add(chunk.Id);
            }

            return;
        }

        using AesGcm aes = PackReader.OpenPack(store.Keys, pack.Salt);
        foreach (PackedChunk chunk in chunks)
        {
            Span<byte> plaintext = work.Plaintext.AsSpan(0, chunk.RawLength);
            bool sound = PackReader.TryOpenChunk(store.Keys, aes, pack.Kind, chunk, content.Span.Slice(chunk.Offset, chunk.StoredLength), work.Scratch(chunk.StoredLength), plaintext)
                && store.Identity.Compute(chunk.Kind, plaintext) == chunk.Id;
            if (!sound)
            {
                damaged.Add(chunk.Id);
                _problems.Note(VaultDamage.Corrupt(store.NameOf(pack), $"the chunk {chunk.Id} at offset {chunk.Offset} does not open"));
            }

            Interlocked.Increment(ref _chunks);
        }

        // Header, footer and trailer belong to no chunk: the checksum at the end covers them.
        try
        {
            ObjectChecksum.Check(store.NameOf(pack), content.Span);
        }
        catch (BackupException e) when (e.IsOfOneObject)
        {
            _problems.Note(e);
        }

        Interlocked.Add(ref _bytes, pack.Length);
        monitor.AddBytes(pack.Length);
    }

    private async Task<bool> TryReadAsync(ChunkKind kind, ChunkId id, CancellationToken cancellationToken)
    {
        try
        {
            await store.ReadAsync(kind, id, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (BackupException e) when (e.IsDamage)
        {
            return false;
        }
    }

    private sealed class Buffers
    {
        private byte[] _pack = [];
        private byte[] _scratch = [];

        public byte[] Plaintext { get; } = GC.AllocateUninitializedArray<byte>(ChunkCodec.MaxRawLength);

        public Memory<byte> Pack(int length) => Grow(ref _pack, length).AsMemory(0, length);

        public Span<byte> Scratch(int length) => Grow(ref _scratch, length);

        private static byte[] Grow(ref byte[] buffer, int length) =>
            buffer.Length >= length ? buffer : buffer = GC.AllocateUninitializedArray<byte>(length);
    }
}
