using System.Collections.Concurrent;
using System.Numerics;
using System.Security.Cryptography;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Index;
using MSOnlineBackup.Vaults.Packs;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Vaults.Verification;

/// <summary>Opens every chunk that the index names, pack by pack: authenticated, decompressed, its identity computed again.</summary>
/// <param name="store">The store, its packs surveyed.</param>
/// <param name="monitor">Counts bytes.</param>
/// <param name="problems">Gets what is wrong.</param>
/// <param name="parity">Compares each pack with what its parity was made of; null where nobody asks.</param>
/// <param name="isGoing">Whether a pack is condemned, so that nobody relies on it: what is wrong with it is no problem, only what it alone had. Null where none is.</param>
/// <param name="isThrifty">Whether it reads one pack at a time: for whoever has more time than memory.</param>
internal sealed class PackVerifier(ChunkStore store, JobMonitor monitor, ProblemList problems, ParityVerifier? parity = null, Func<PackInfo, bool>? isGoing = null, bool isThrifty = false)
{
    // Of one pass over the index: some 4 MiB.
    private const int FewRecords = 1 << 16;

    private readonly ConcurrentBag<ChunkId> _unopened = [];
    private readonly ConcurrentBag<Buffers> _buffers = [];
    private readonly ConcurrentDictionary<PackInfo, BackupException> _damaged = new(ReferenceEqualityComparer.Instance);
    private long _packs;
    private long _chunks;
    private long _bytes;

    /// <summary>The packs with which something is wrong, and the first that is.</summary>
    public IReadOnlyDictionary<PackInfo, BackupException> Damaged => _damaged;

    /// <summary>Packs read.</summary>
    public long Packs => _packs;

    /// <summary>Chunks opened.</summary>
    public long Chunks => _chunks;

    /// <summary>Bytes read.</summary>
    public long Bytes => _bytes;

    /// <summary>Verifies packs. Returns the chunks of which no copy opens.</summary>
    /// <param name="cancellationToken">Stops it.</param>
    /// <param name="packs">Which, in this order; null for all that are there.</param>
    /// <param name="begins">Whether the next one is to be begun; the first that is not ends it.</param>
    /// <param name="verified">Gets each, and whether all of it is whole; from any thread.</param>
    /// <param name="archived">
    /// Gets those that cannot be read now, though nothing is wrong with them; likewise. Where it is null, the first of them is an error.
    /// </param>
    public async Task<IReadOnlySet<ChunkId>> RunAsync(
        CancellationToken cancellationToken,
        IReadOnlyCollection<PackInfo>? packs = null,
        Func<PackInfo, bool>? begins = null,
        Action<PackInfo, bool>? verified = null,
        Action<PackInfo>? archived = null)
    {
        packs ??= [.. store.Index.Packs.Where(pack => pack.IsAvailable)];
        monitor.Expect(0, packs.Sum(pack => (long)pack.Length));
        var options = new ParallelOptions { CancellationToken = cancellationToken, MaxDegreeOfParallelism = isThrifty ? 1 : Environment.ProcessorCount };
        await Parallel.ForEachAsync(PackContents.Of(store.Index, packs, isThrifty ? FewRecords : PackContents.MostAtOnce).TakeWhile(contents => begins?.Invoke(contents.Pack) is not false), options, async (contents, token) =>
        {
            Buffers work = _buffers.TryTake(out Buffers? free) ? free : new Buffers();
            try
            {
                bool isSound = await VerifyAsync(contents.Pack, contents.Chunks, work, token).ConfigureAwait(false);
                verified?.Invoke(contents.Pack, isSound);
            }
            catch (BackupException e) when (e.Id == BackupErrorId.VaultDataArchived && archived is not null)
            {
                archived(contents.Pack);
            }

            _buffers.Add(work);
        }).ConfigureAwait(false);

        HashSet<ChunkId> damaged = [.. _unopened];
        foreach (ChunkId id in damaged.ToList())
        {
            // A chunk that has a sound copy elsewhere is not lost. Asking for one may show that others have gone.
            if (store.Index.FindAll(id) is [ChunkLocation copy, ..] && await CanBeReadAsync(copy.Chunk.Kind, id, cancellationToken).ConfigureAwait(false))
            {
                damaged.Remove(id);
            }
        }

        return damaged;
    }

    private async ValueTask<bool> VerifyAsync(PackInfo pack, IReadOnlyList<PackedChunk> chunks, Buffers work, CancellationToken cancellationToken)
    {
        Memory<byte> content = work.Pack(pack.Length);
        try
        {
            await store.FetchAsync(pack, 0, content, cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException e) when (e.IsDamage)
        {
            Note(pack, e);
            foreach (PackedChunk chunk in chunks)
            {
                _unopened.Add(chunk.Id);
            }

            return false;
        }

        bool isSound = true;
        using AesGcm aes = PackReader.OpenPack(store.Keys, pack);
        foreach (PackedChunk chunk in chunks)
        {
            if (!Opens(aes, pack, chunk, content.Span.Slice(chunk.Offset, chunk.StoredLength), work))
            {
                isSound = false;
                _unopened.Add(chunk.Id);
                Note(pack, VaultDamage.Corrupt(store.NameOf(pack), $"the chunk {chunk.Id} at offset {chunk.Offset} does not open"));
            }

            Interlocked.Increment(ref _chunks);
        }

        // Header, footer and trailer belong to no chunk: the checksum at the end covers them.
        try
        {
            ObjectChecksum.Check(store.NameOf(pack), content.Span);
            parity?.Compare(pack, content.Span);
        }
        catch (BackupException e) when (e.IsOfOneObject)
        {
            isSound = false;
            Note(pack, e);
        }

        Interlocked.Increment(ref _packs);
        Interlocked.Add(ref _bytes, pack.Length);
        monitor.AddBytes(pack.Length);
        return isSound;
    }

    private void Note(PackInfo pack, BackupException damage)
    {
        _damaged.TryAdd(pack, damage);
        if (isGoing?.Invoke(pack) != true)
        {
            problems.Note(damage);
        }
    }

    private bool Opens(AesGcm aes, PackInfo pack, in PackedChunk chunk, ReadOnlySpan<byte> stored, Buffers work)
    {
        Span<byte> plaintext = work.Plaintext.AsSpan(0, chunk.RawLength);
        return PackReader.TryOpenChunk(store.Keys, aes, pack.Kind, chunk, stored, work.Scratch(chunk.StoredLength), plaintext)
            && store.Identity.Compute(chunk.Kind, plaintext) == chunk.Id;
    }

    private async Task<bool> CanBeReadAsync(ChunkKind kind, ChunkId id, CancellationToken cancellationToken)
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
            buffer.Length >= length ? buffer : buffer = GC.AllocateUninitializedArray<byte>((int)BitOperations.RoundUpToPowerOf2((uint)length));
    }
}
