using System.Security.Cryptography;
using System.Threading.Channels;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Concurrency;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Packs;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Engine.Restore;

/// <summary>
/// From ranges of packs to bytes in files: <c>reads ► fetchers ► sealed chunks ► workers (open ► write to every file that
/// needs it)</c>. Both queues are bounded, and so are the buffers.
/// </summary>
internal sealed class PackPump
{
    private const int MaxFetchers = 8;

    private readonly ChunkStore _store;
    private readonly RestoreTally _tally;
    private readonly Channel<PackRead> _reads;
    private readonly Channel<SealedChunk> _chunks;
    private readonly int _fetchers;
    private readonly int _workers;
    private readonly bool _isRehearsal;
    private readonly bool _identifies;

    /// <param name="store">Where from.</param>
    /// <param name="tally">Counts.</param>
    /// <param name="workers">How many threads open and write.</param>
    /// <param name="isRehearsal">Whether only what a comparison needs is fetched.</param>
    /// <param name="identifies">Whether each chunk's name is computed from what it gives, before anything of it is written.</param>
    public PackPump(ChunkStore store, RestoreTally tally, int workers, bool isRehearsal, bool identifies)
    {
        _isRehearsal = isRehearsal;
        _identifies = identifies;
        _store = store;
        _tally = tally;
        _workers = workers;
        _fetchers = Math.Clamp(store.Objects.Capabilities.MaxConcurrency, 1, MaxFetchers);
        _reads = Channel.CreateBounded<PackRead>(new BoundedChannelOptions(_fetchers) { SingleWriter = true });
        _chunks = Channel.CreateBounded<SealedChunk>(new BoundedChannelOptions(4 * workers));
    }

    /// <summary>Takes the reads; completing it ends the pump.</summary>
    public ChannelWriter<PackRead> Reads => _reads.Writer;

    /// <summary>Runs until all reads are done, or one thing fails that no single item can answer for.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var buffers = new BufferPool(_fetchers + 2, ReadBatch.MaxReadLength);
        await using var stages = new StageGroup(cancellationToken);
        stages.Begin(stopping => FetchAsync(buffers, stopping), _fetchers, then: () => _chunks.Writer.TryComplete());
        stages.Begin(WorkAsync, _workers);
        await stages.WhenEndedAsync().ConfigureAwait(false);
    }

    private async Task FetchAsync(BufferPool buffers, CancellationToken cancellationToken)
    {
        await foreach (PackRead read in _reads.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
        {
            if (_isRehearsal && read.Pack is { } pack && !read.Chunks.Any(IsCompared))
            {
                _tally.CountFetched(read.Length);
                _tally.CountPack(pack);
                foreach (NeededChunk chunk in read.Chunks)
                {
                    await RehearseAsync(chunk, cancellationToken).ConfigureAwait(false);
                }

                continue;
            }

            Fetched? fetched = await FetchAsync(read, buffers, cancellationToken).ConfigureAwait(false);
            foreach (NeededChunk chunk in read.Chunks)
            {
                await _chunks.Writer.WriteAsync(new SealedChunk(chunk, fetched), cancellationToken).ConfigureAwait(false);
            }
        }
    }

    // What its bytes are decides whether something is written.
    private static bool IsCompared(NeededChunk chunk) => chunk.Uses.Exists(use => use.File!.IsCompared);

    private static async ValueTask RehearseAsync(NeededChunk chunk, CancellationToken cancellationToken)
    {
        foreach (ChunkUse use in chunk.Uses)
        {
            use.File!.Rehearse(use.Length);
            await use.File.ReleaseAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    // Null where the range cannot be had: then each chunk is looked for on its own.
    private async ValueTask<Fetched?> FetchAsync(PackRead read, BufferPool buffers, CancellationToken cancellationToken)
    {
        if (read.Pack is not { } pack)
        {
            return null;
        }

        byte[] buffer = await buffers.RentAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await _store.FetchAsync(pack, read.Offset, buffer.AsMemory(0, read.Length), cancellationToken).ConfigureAwait(false);
            _tally.CountFetched(read.Length);
            _tally.CountPack(pack);
            return new Fetched(buffers, buffer, read);
        }
        catch (BackupException fault) when (fault.IsDamage)
        {
            buffers.Return(buffer);
            return null;
        }
    }

    private async Task WorkAsync(CancellationToken cancellationToken)
    {
        using var opener = new ChunkOpener(_store);
        await foreach (SealedChunk chunk in _chunks.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
        {
            await WriteAsync(chunk, opener, cancellationToken).ConfigureAwait(false);
        }
    }

    private async ValueTask WriteAsync(SealedChunk chunk, ChunkOpener opener, CancellationToken cancellationToken)
    {
        ReadOnlyMemory<byte> plaintext = default;
        BackupException? failure = null;
        try
        {
            plaintext = await OpenAsync(chunk, opener, cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException fault) when (fault.IsDamage)
        {
            failure = fault;
        }

        foreach (ChunkUse use in chunk.Needed.Uses)
        {
            RestoreFile file = use.File!;
            if (failure is not null)
            {
                file.Fail(failure);
            }
            else if (use.Length > plaintext.Length - use.ChunkOffset)
            {
                file.Fail(VaultDamage.Corrupt(chunk.Needed.Id.ToString(), "the recovery point names bytes beyond its end"));
            }
            else
            {
                file.Write(use.FileOffset, plaintext.Span.Slice(use.ChunkOffset, use.Length), isWholeChunk: use.Length == plaintext.Length);
            }

            await file.ReleaseAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private async ValueTask<ReadOnlyMemory<byte>> OpenAsync(SealedChunk chunk, ChunkOpener opener, CancellationToken cancellationToken)
    {
        if (chunk.Fetched is { } fetched)
        {
            bool opened = opener.TryOpen(chunk.Needed, fetched.Read, fetched.Buffer, out ReadOnlyMemory<byte> plaintext);
            fetched.Release();
            if (opened && (!_identifies || _store.Identity.Compute(ChunkKind.Content, plaintext.Span) == chunk.Needed.Id))
            {
                return plaintext;
            }
        }

        // Some other copy may do; packs that no index names are asked too.
        await _store.SurveyPacksAsync(cancellationToken).ConfigureAwait(false);
        return await _store.ReadAsync(ChunkKind.Content, chunk.Needed.Id, _identifies, cancellationToken).ConfigureAwait(false);
    }

    private readonly record struct SealedChunk(NeededChunk Needed, Fetched? Fetched);

    /// <summary>A range of a pack in a buffer, which goes back when its last chunk is open.</summary>
    private sealed class Fetched(BufferPool pool, byte[] buffer, PackRead read)
    {
        private int _pending = read.Chunks.Count;

        public byte[] Buffer => buffer;

        public PackRead Read => read;

        public void Release()
        {
            if (Interlocked.Decrement(ref _pending) == 0)
            {
                pool.Return(buffer);
            }
        }
    }

    /// <summary>One worker's buffers and the cipher of the pack it worked on last.</summary>
    private sealed class ChunkOpener(ChunkStore store) : IDisposable
    {
        private readonly byte[] _plaintext = GC.AllocateUninitializedArray<byte>(ChunkCodec.MaxRawLength);
        private readonly byte[] _scratch = GC.AllocateUninitializedArray<byte>(ChunkCodec.MaxRawLength + PackFormat.TagLength);
        private PackInfo? _pack;
        private AesGcm? _aes;

        // What is opened holds until the next call.
        public bool TryOpen(NeededChunk needed, PackRead read, byte[] buffer, out ReadOnlyMemory<byte> plaintext)
        {
            PackedChunk chunk = needed.Location.Chunk;
            plaintext = _plaintext.AsMemory(0, chunk.RawLength);
            if (_pack != read.Pack)
            {
                _aes?.Dispose();
                _pack = read.Pack!;
                _aes = PackReader.OpenPack(store.Keys, _pack);
            }

            return PackReader.TryOpenChunk(
                store.Keys,
                _aes!,
                _pack!.Kind,
                chunk,
                buffer.AsSpan(chunk.Offset - read.Offset, chunk.StoredLength),
                _scratch,
                _plaintext.AsSpan(0, chunk.RawLength));
        }

        public void Dispose() => _aes?.Dispose();
    }
}
