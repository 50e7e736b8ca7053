using System.Collections.Concurrent;
using System.Security.Cryptography;
using MSOnlineBackup.Engine.Chunks;
using MSOnlineBackup.Engine.Cryptography;
using MSOnlineBackup.Engine.Errors;
using MSOnlineBackup.Engine.Jobs;
using MSOnlineBackup.Engine.Packs;
using MSOnlineBackup.Engine.RecoveryPoints;
using MSOnlineBackup.Engine.Storage;
using MSOnlineBackup.Engine.Vaults;

namespace MSOnlineBackup.Engine.Maintenance;

/// <summary>
/// Verifies a chunk store. Structure: packs against the index, then every point's manifest and every chunk it names. Data:
/// every chunk that is stored is opened as well. Damage is collected, never thrown; each finding says which files need it.
/// </summary>
internal sealed class VerifyJob(ChunkStore store, JobMonitor monitor)
{
    private const int MaxPaths = 100;

    private readonly ConcurrentDictionary<string, Problem> _problems = new();
    private readonly HashSet<ChunkId> _manifestBlocks = [];
    private long _chunks;
    private long _bytes;

    public async Task<VerifyReport> RunAsync(VerifyLevel level, CancellationToken cancellationToken)
    {
        monitor.Enter(JobPhase.Verifying);
        Task<IReadOnlyList<BackupException>> checking = new RecordVerifier(store.Objects, store.Header, store.StoreId, store.Keys).FindDamageAsync(cancellationToken);
        (long objects, long unreferenced, int leftovers) = await VerifyObjectsAsync(cancellationToken).ConfigureAwait(false);
        foreach (BackupException damage in await checking.ConfigureAwait(false))
        {
            Note(damage);
        }

        HashSet<ChunkId> damaged = level == VerifyLevel.Data ? await OpenEverythingAsync(cancellationToken).ConfigureAwait(false) : [];
        int points = await VerifyPointsAsync(damaged, cancellationToken).ConfigureAwait(false);
        monitor.Enter(JobPhase.Finished);
        VerifyFinding[] findings =
        [
            .. _problems.OrderBy(problem => problem.Key, StringComparer.Ordinal)
                .Select(problem => new VerifyFinding(problem.Key, problem.Value.Text, [.. problem.Value.Paths.Order(StringComparer.Ordinal)])),
        ];
        return new VerifyReport(level, points, objects, _chunks, _bytes, unreferenced, leftovers, findings);
    }

    private async Task<(long Objects, long Unreferenced, int Leftovers)> VerifyObjectsAsync(CancellationToken cancellationToken)
    {
        // Before the survey: what the segments themselves say.
        var named = store.Index.Packs.Select(store.NameOf).ToHashSet();
        Task<IReadOnlyList<BackupException>> slots = KeyRing.CheckAsync(store.Objects, store.Header, store, cancellationToken);
        Task<IReadOnlyList<BackupException>> sessions = SessionRecord.CheckAsync(store, cancellationToken);
        await Task.WhenAll(store.SurveyPacksAsync(cancellationToken), slots, sessions).ConfigureAwait(false);
        long objects = 0;
        long unreferenced = 0;
        var committed = new HashSet<string>();
        await foreach (StoredObject found in store.Objects.ListAsync(VaultLayout.Stores, cancellationToken).ConfigureAwait(false))
        {
            objects++;
            if (found.Name.StartsWith(VaultLayout.Packs(store.StoreId), StringComparison.Ordinal) && !named.Contains(found.Name))
            {
                unreferenced += found.Length;
            }
            else if (found.Name.StartsWith(VaultLayout.Points(store.StoreId), StringComparison.Ordinal))
            {
                committed.Add(found.Name[(found.Name.LastIndexOf('/') + 1)..]);
            }
        }

        foreach (BackupException fault in await slots.ConfigureAwait(false))
        {
            Note(fault);
        }

        int leftovers = 0;
        foreach (BackupException fault in await sessions.ConfigureAwait(false))
        {
            if (fault.Target is { } name && !committed.Contains(name[(name.LastIndexOf('/') + 1)..]))
            {
                leftovers++;
            }
            else
            {
                Note(fault);
            }
        }

        foreach (BackupException damage in store.Damage)
        {
            // Torn by the crash of a job that made no point. Should a later point need it all the same, the chunk is missed there.
            if (damage.Target is { } name && !named.Contains(name) && VaultLayout.TryParseNumbered(name, out string? session, out _) && !committed.Contains(session))
            {
                leftovers++;
            }
            else
            {
                Note(damage);
            }
        }

        return (objects, unreferenced, leftovers);
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
            Note(e);
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
                Note(VaultDamage.Corrupt(store.NameOf(pack), $"the chunk {chunk.Id} at offset {chunk.Offset} does not open"));
            }

            Interlocked.Increment(ref _chunks);
        }

        // Header, footer and trailer belong to no chunk: the checksum at the end covers them.
        try
        {
            ObjectChecksum.Check(store.NameOf(pack), content.Span);
        }
        catch (BackupException e) when (e.IsDamage)
        {
            Note(e);
        }

        Interlocked.Add(ref _bytes, pack.Length);
        monitor.AddBytes(pack.Length);
    }

    private async Task<int> VerifyPointsAsync(HashSet<ChunkId> damaged, CancellationToken cancellationToken)
    {
        int reported = store.Damage.Count;
        int points = 0;
        await foreach (RecoveryPoint point in new RecoveryPointCatalog(store).ReadAsync(null, cancellationToken).ConfigureAwait(false))
        {
            points++;
            foreach (ChunkId id in point.SkippedItems)
            {
                Check(id, damaged, $"{point.SessionId[..12]}: list of skipped items");
            }

            foreach (RecoveryPointSource source in point.Sources)
            {
                await VerifyManifestAsync(point, source, damaged, cancellationToken).ConfigureAwait(false);
            }
        }

        foreach (BackupException damage in store.Damage.Skip(reported))
        {
            Note(damage);
        }

        return points;
    }

    private async Task VerifyManifestAsync(RecoveryPoint point, RecoveryPointSource source, HashSet<ChunkId> damaged, CancellationToken cancellationToken)
    {
        // Points share most of their blocks: a root that was walked whole need not be walked again.
        if (!_manifestBlocks.Add(source.Manifest.Id))
        {
            return;
        }

        var contents = new EntryContentReader(store);
        ChunkId? last = null;
        try
        {
            await foreach (ManifestEntry entry in new ManifestReader(store, source.Manifest).ReadAsync(EntryPath.Root, cancellationToken).ConfigureAwait(false))
            {
                monitor.AddItem(entry.Kind == EntryKind.File);
                string Path() => $"{point.SessionId[..12]}:{SourcePath.Join(source.Path, entry.Path)}";
                foreach (SliceListReference list in entry.Content.Lists)
                {
                    Check(list.Id, damaged, Path());
                }

                await foreach (ContentSlice slice in contents.ReadAsync(entry.Content, cancellationToken).ConfigureAwait(false))
                {
                    if (slice.Chunk is { } id && id != last && Check(id, damaged, Path()))
                    {
                        last = id;
                    }
                }
            }
        }
        catch (BackupException e) when (e.IsDamage)
        {
            Note(e, $"{point.SessionId[..12]}:{source.Path}");
        }
    }

    private bool Check(ChunkId id, HashSet<ChunkId> damaged, string path)
    {
        if (!store.Contains(id))
        {
            Note(VaultDamage.Missing(id.ToString(), "Chunk"), path);
            return false;
        }

        if (damaged.Contains(id))
        {
            _problems.GetOrAdd(id.ToString(), _ => new Problem($"Chunk '{id}' cannot be opened.")).Add(path);
            return false;
        }

        return true;
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

    private void Note(BackupException damage, string? path = null) =>
        _problems.GetOrAdd(damage.Target ?? damage.Message, _ => new Problem(damage.Message)).Add(path);

    private sealed class Problem(string text)
    {
        private readonly HashSet<string> _paths = [];

        public string Text => text;

        public IReadOnlyCollection<string> Paths => _paths;

        public void Add(string? path)
        {
            lock (_paths)
            {
                if (path is not null && _paths.Count < MaxPaths)
                {
                    _paths.Add(path);
                }
            }
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
