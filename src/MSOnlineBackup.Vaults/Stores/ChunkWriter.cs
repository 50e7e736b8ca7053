using System.Security.Cryptography;
using System.Threading.Channels;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Concurrency;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Index;
using MSOnlineBackup.Vaults.Packs;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Vaults.Stores;

/// <summary>
/// From plaintext chunks to durable packs:
/// <c>jobs ► workers (name ► known? ► compress ► seal into an open pack) ► full packs ► uploaders ► index</c>.
/// One chunk is one work item on one core. Both queues are bounded, and so are all buffers. At a flush the open packs of data go out as one
/// where they fit into one: the length of a pack is not to be that of a file.
/// </summary>
internal sealed class ChunkWriter : IChunkWriter, IAsyncDisposable
{
    private const int MetadataPackSize = 8 << 20;
    private const int DataPacks = 2;
    private const int MinUploaders = 2;
    private const int MaxUploaders = 3;

    private readonly ChunkStore _store;
    private readonly SessionId _session;
    private readonly TransferCounters _counters;
    private readonly int _verifyOneIn;
    private readonly Predicate<ChunkId>? _doubts;
    private readonly Compression _compression;
    private readonly IReadOnlyList<IChunkTap> _taps;
    private readonly Channel<Job> _jobs;
    private readonly PackUploader _uploader;

    // One is chosen at random for each chunk, so that a pack's chunk sizes do not spell out one file.
    private readonly OpenPack[] _dataPacks;
    private readonly OpenPack _metadataPack;
    private readonly BufferPool _chunkBuffers;
    private readonly Watermark _sealing = new();
    private readonly StageGroup _stages;
    private uint _sampleCounter;

    /// <param name="store">The store.</param>
    /// <param name="session">The session's id.</param>
    /// <param name="contentTier">Where packs of content go, which restores and verifications alone read; all others are hot.</param>
    /// <param name="counters">Counts.</param>
    /// <param name="workers">How many threads name, compress and seal.</param>
    /// <param name="verifyOneIn">Of how many sealed chunks one is opened again; 0 for none.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <param name="doubts">
    /// Which chunks of content that are known are opened before they are relied on; null for none. Blocks of metadata always are, once.
    /// </param>
    /// <param name="compression">How hard it tries to make chunks small.</param>
    /// <param name="isThrifty">Whether a pack waits until the one before it is stored: for whoever has more time than memory.</param>
    /// <param name="taps">Are shown what is stored; null for nobody.</param>
    public ChunkWriter(
        ChunkStore store,
        SessionId session,
        VaultAccessTier contentTier,
        TransferCounters counters,
        int workers,
        int verifyOneIn,
        CancellationToken cancellationToken,
        Predicate<ChunkId>? doubts = null,
        Compression compression = Compression.Default,
        bool isThrifty = false,
        IReadOnlyList<IChunkTap>? taps = null)
    {
        _doubts = doubts;
        _taps = taps ?? [];
        _compression = compression;
        _store = store;
        _session = session;
        _counters = counters;
        _verifyOneIn = verifyOneIn;
        _stages = new StageGroup(cancellationToken);
        _jobs = Channel.CreateBounded<Job>(new BoundedChannelOptions(2 * workers) { SingleWriter = false });
        _uploader = new PackUploader(store, session, contentTier, counters, _stages);

        // Each worker, the queue, and what the reader holds: the chunk it fills, the bundle it fills, and one to carry over a cut.
        _chunkBuffers = new BufferPool((3 * workers) + 3, ChunkCodec.MaxRawLength);
        int uploaders = isThrifty ? 1 : Math.Clamp(store.Objects.Capabilities.MaxConcurrency / 2, MinUploaders, MaxUploaders);
        int packLength = Math.Max(store.Objects.Capabilities.PackSize, PackFormat.MaxStoredLength + PackFormat.Overhead(1));
        var dataBuffers = new BufferPool(isThrifty ? DataPacks : DataPacks + uploaders + 1, packLength);
        _dataPacks = [.. Enumerable.Range(0, DataPacks).Select(_ => new OpenPack(PackKind.Data, dataBuffers))];
        _metadataPack = new OpenPack(PackKind.Metadata, new BufferPool(2, MetadataPackSize));
        _stages.Begin(WorkAsync, workers, then: _uploader.Complete);
        _stages.Begin(_uploader.RunAsync, uploaders);
    }

    /// <summary>An empty buffer of the largest chunk's size, to be filled and submitted, or returned.</summary>
    public async ValueTask<byte[]> RentBufferAsync()
    {
        try
        {
            return await _chunkBuffers.RentAsync(_stages.Stopping).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            _stages.ThrowIfFailed();
            throw;
        }
    }

    public void ReturnBuffer(byte[] buffer) => _chunkBuffers.Return(buffer);

    /// <summary>Hands over a filled buffer of content.</summary>
    /// <param name="name">Set to the chunk's name as soon as that is known, long before the chunk is stored.</param>
    public ValueTask SubmitAsync(byte[] buffer, int length, TaskCompletionSource<ChunkId> name) =>
        EnqueueAsync(new Job(buffer, length, ChunkKind.Content, name, default, _sealing.Begin()));

    public async ValueTask<ChunkId> WriteAsync(ChunkKind kind, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(content.Length, ChunkCodec.MaxRawLength);
        ChunkId id = _store.Identity.Compute(kind, content.Span);

        // Begun before it is claimed: who finds it claimed and flushes must wait for it.
        long ticket = _sealing.Begin();
        byte[]? buffer = null;
        try
        {
            if (await TryClaimAsync(kind, id).ConfigureAwait(false))
            {
                buffer = await RentBufferAsync().ConfigureAwait(false);
            }
        }
        finally
        {
            if (buffer is null)
            {
                _sealing.End(ticket);
            }
        }

        if (buffer is not null)
        {
            content.CopyTo(buffer);
            await EnqueueAsync(new Job(buffer, content.Length, kind, null, id, ticket)).ConfigureAwait(false);
        }

        return id;
    }

    /// <summary>Hands over a chunk as another pack has it: opened, and still encoded. Returns false where the vault has it in a pack that counts.</summary>
    /// <param name="chunk">What the other pack's table says of it.</param>
    /// <param name="buffer">From <see cref="RentBufferAsync"/>, with its encoded bytes; given back whatever comes of it.</param>
    /// <param name="length">How many they are.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async ValueTask<bool> CopyAsync(PackedChunk chunk, byte[] buffer, int length, CancellationToken cancellationToken)
    {
        long ticket = _sealing.Begin();
        if (cancellationToken.IsCancellationRequested || !_store.Index.TryClaim(chunk.Id))
        {
            _chunkBuffers.Return(buffer);
            _sealing.End(ticket);
            cancellationToken.ThrowIfCancellationRequested();
            return false;
        }

        await EnqueueAsync(new Job(buffer, length, chunk.Kind, null, chunk.Id, ticket) { Copied = chunk }).ConfigureAwait(false);
        return true;
    }

    /// <summary>Hands over a chunk as <see cref="CopyAsync"/> does, where there is room for it now.</summary>
    /// <param name="chunk">What the other pack's table says of it.</param>
    /// <param name="encoded">Its encoded bytes.</param>
    /// <returns>Whether the vault has it, or will.</returns>
    public bool TryCopy(PackedChunk chunk, ReadOnlySpan<byte> encoded)
    {
        if (_store.Index.Contains(chunk.Id))
        {
            return true;
        }

        if (_stages.Stopping.IsCancellationRequested || _chunkBuffers.TryRent() is not { } buffer)
        {
            return false;
        }

        // Who takes it from the queue claims it: what finds no room there must not count as stored.
        encoded.CopyTo(buffer);
        var job = new Job(buffer, encoded.Length, chunk.Kind, null, chunk.Id, _sealing.Begin()) { Copied = chunk, IsUnclaimed = true };
        if (_jobs.Writer.TryWrite(job))
        {
            return true;
        }

        Finish(job);
        return false;
    }

    /// <summary>
    /// Makes everything durable that was handed over before the call, index included. Work that is handed over meanwhile goes on.
    /// </summary>
    public async Task FlushAsync(Func<byte[], Task> writeSegment)
    {
        await _sealing.WhenEndedAsync().ConfigureAwait(false);
        try
        {
            // The gates in one order, so that two flushes do not wait for each other.
            foreach (OpenPack pack in _dataPacks)
            {
                await pack.Gate.WaitAsync(_stages.Stopping).ConfigureAwait(false);
            }

            try
            {
                Gather();
                foreach (OpenPack pack in _dataPacks)
                {
                    await pack.CloseAsync(_uploader, isFull: false).ConfigureAwait(false);
                }
            }
            finally
            {
                foreach (OpenPack pack in _dataPacks)
                {
                    pack.Gate.Release();
                }
            }

            await _metadataPack.Gate.WaitAsync(_stages.Stopping).ConfigureAwait(false);
            try
            {
                await _metadataPack.CloseAsync(_uploader, isFull: false).ConfigureAwait(false);
            }
            finally
            {
                _metadataPack.Gate.Release();
            }
        }
        catch (OperationCanceledException)
        {
            _stages.ThrowIfFailed();
            throw;
        }

        await _uploader.WhenSentAsync().ConfigureAwait(false);
        _stages.ThrowIfFailed();
        while (_store.Index.TakeSegment() is { } segment)
        {
            await writeSegment(segment).ConfigureAwait(false);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _jobs.Writer.TryComplete();
        await _stages.DisposeAsync().ConfigureAwait(false);
        foreach (OpenPack pack in _dataPacks.Append(_metadataPack))
        {
            pack.Dispose();
        }

        _chunkBuffers.Dispose();
    }

    private async ValueTask EnqueueAsync(Job job)
    {
        try
        {
            _stages.ThrowIfFailed();
            await _jobs.Writer.WriteAsync(job, _stages.Stopping).ConfigureAwait(false);
        }
        catch
        {
            Finish(job);
            _stages.ThrowIfFailed();
            throw;
        }
    }

    // To the end even where it is stopped: what was handed over is given back, and counts as not stored.
    private async Task WorkAsync(CancellationToken stopping)
    {
        using var scratch = new WorkerScratch(_compression);
        await foreach (Job job in _jobs.Reader.ReadAllAsync(CancellationToken.None).ConfigureAwait(false))
        {
            try
            {
                stopping.ThrowIfCancellationRequested();
                await StoreAsync(job, scratch, stopping).ConfigureAwait(false);
            }
            catch (Exception e)
            {
                _stages.Fail(e);
            }
            finally
            {
                Finish(job);
            }
        }
    }

    private async ValueTask StoreAsync(Job job, WorkerScratch scratch, CancellationToken stopping)
    {
        ReadOnlyMemory<byte> plaintext = job.Buffer.AsMemory(0, job.Length);
        ChunkId id = job.Id;
        if (job.Name is not null)
        {
            id = _store.Identity.Compute(job.Kind, plaintext.Span);
            job.Name.SetResult(id);
            if (!await TryClaimAsync(job.Kind, id).ConfigureAwait(false))
            {
                return;
            }

            _counters.AddNew(job.Length);
        }

        else if (job.IsUnclaimed && !_store.Index.TryClaim(id))
        {
            return;
        }

        ReadOnlyMemory<byte> encoded = plaintext;
        int rawLength = job.Copied?.RawLength ?? job.Length;
        if (job.Copied?.Encoding is not { } encoding)
        {
            int length = ChunkCodec.Encode(plaintext.Span, scratch.Encoded, scratch.Codec, out encoding);
            encoded = scratch.Encoded.AsMemory(0, length);
        }

        PackedChunk chunk;
        OpenPack pack = job.Kind == ChunkKind.Content ? _dataPacks[RandomNumberGenerator.GetInt32(DataPacks)] : _metadataPack;
        await pack.Gate.WaitAsync(stopping).ConfigureAwait(false);
        try
        {
            if (pack.Builder is { } full && !full.Fits(encoded.Length))
            {
                await pack.CloseAsync(_uploader, isFull: true).ConfigureAwait(false);
            }

            PackBuilder builder = await pack.BeginAsync(_store.Keys, stopping).ConfigureAwait(false);
            chunk = builder.Append(id, job.Kind, encoding, rawLength, encoded.Span);
            if (_verifyOneIn > 0 && Interlocked.Increment(ref _sampleCounter) % _verifyOneIn == 0)
            {
                VerifySealed(builder, chunk, pack.Content, plaintext.Span, isEncoded: job.Copied is not null, scratch);
            }
        }
        finally
        {
            pack.Gate.Release();
        }

        foreach (IChunkTap tap in _taps)
        {
            tap.Offer(chunk, encoded.Span);
        }
    }

    // True where the chunk must be stored: it is new, or what the vault has of it does not open.
    private async ValueTask<bool> TryClaimAsync(ChunkKind kind, ChunkId id)
    {
        bool isContent = kind == ChunkKind.Content;
        if (!_store.Index.TryClaim(id))
        {
            bool isDoubtful = (!isContent || _doubts?.Invoke(id) == true)
                && _store.Index.TryFind(id, out ChunkLocation location)
                && location.Pack.Session != _session;
            return isDoubtful && !await _store.IsSoundAsync(kind, id, _stages.Stopping).ConfigureAwait(false) && _store.Index.TryClaim(id);
        }

        if (!isContent)
        {
            _store.NoteSound(id);
        }

        return true;
    }

    // Memory, processors and compressors do fail; what cannot be opened again must not be sent.
    private void VerifySealed(
        PackBuilder builder, PackedChunk chunk, ReadOnlySpan<byte> pack, ReadOnlySpan<byte> handedOver, bool isEncoded, WorkerScratch scratch)
    {
        using AesGcm aes = PackReader.OpenPack(_store.Keys, builder.Salt, _store.Keys.Epoch);
        Span<byte> opened = scratch.Opened.AsSpan(0, isEncoded ? handedOver.Length : chunk.RawLength);
        ReadOnlySpan<byte> stored = pack.Slice(chunk.Offset, chunk.StoredLength);
        bool sound = isEncoded
            ? PackReader.TryUnseal(_store.Keys, aes, builder.Kind, chunk, stored, opened)
            : PackReader.TryOpenChunk(_store.Keys, aes, builder.Kind, chunk, stored, scratch.Encoded, opened);
        if (!sound || !opened.SequenceEqual(handedOver))
        {
            throw PackBuilder.DoesNotOpen(chunk);
        }
    }

    // The caller holds all gates of data.
    private void Gather()
    {
        OpenPack[] open = [.. _dataPacks.Where(pack => pack.Builder is not null).OrderByDescending(pack => pack.Builder!.Length)];
        foreach (OpenPack pack in open.Skip(1))
        {
            open[0].TakeOver(pack);
        }
    }

    private void Finish(Job job)
    {
        if (job.Name is { Task.IsCompleted: false })
        {
            job.Name.TrySetException(_stages.Failure ?? new OperationCanceledException());
        }

        _chunkBuffers.Return(job.Buffer);
        _sealing.End(job.Ticket);
    }

    private readonly record struct Job(byte[] Buffer, int Length, ChunkKind Kind, TaskCompletionSource<ChunkId>? Name, ChunkId Id, long Ticket)
    {
        /// <summary>What another pack says of it, where the buffer holds it encoded.</summary>
        public PackedChunk? Copied { get; init; }

        /// <summary>Whether it is still to be found out whether the vault has it.</summary>
        public bool IsUnclaimed { get; init; }
    }

    private sealed class WorkerScratch(Compression compression) : IDisposable
    {
        private byte[]? _opened;

        public ZstandardCodec Codec { get; } = ZstandardCodec.Create(compression);

        public byte[] Encoded { get; } = GC.AllocateUninitializedArray<byte>(ChunkCodec.MaxEncodingRoom);

        public byte[] Opened => _opened ??= GC.AllocateUninitializedArray<byte>(ChunkCodec.MaxRawLength);

        public void Dispose() => Codec.Dispose();
    }
}
