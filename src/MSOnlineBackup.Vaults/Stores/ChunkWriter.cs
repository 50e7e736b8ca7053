using System.Security.Cryptography;
using System.Threading.Channels;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Concurrency;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Index;
using MSOnlineBackup.Vaults.Layout;
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
    private const int DataSlots = 2;
    private const int MinUploaders = 2;
    private const int MaxUploaders = 3;

    private readonly ChunkStore _store;
    private readonly SessionId _session;
    private readonly VaultAccessTier _contentTier;
    private readonly TransferCounters _counters;
    private readonly int _verifyOneIn;
    private readonly Predicate<ChunkId>? _doubts;
    private readonly Compression _compression;
    private readonly Channel<Job> _jobs;
    private readonly Channel<FullPack> _packs;
    private readonly Slot[] _dataSlots;
    private readonly Slot _metadataSlot;
    private readonly BufferPool _chunkBuffers;
    private readonly Watermark _sealing = new();
    private readonly Watermark _uploading = new();
    private readonly StageGroup _stages;
    private uint _lastPack;
    private uint _sampleCounter;

    /// <param name="store">The store.</param>
    /// <param name="session">The session's id.</param>
    /// <param name="contentTier">Where packs of content go, which restores and verifications alone read; all others are hot.</param>
    /// <param name="counters">Counts.</param>
    /// <param name="workers">How many threads name, compress and seal.</param>
    /// <param name="verifyOneIn">Of how many sealed chunks one is opened again; 0 for none.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <param name="doubts">Which chunks of content that are known are opened before they are relied on; null for none. Blocks of metadata always are, once.</param>
    /// <param name="compression">How hard it tries to make chunks small.</param>
    /// <param name="isThrifty">Whether a pack waits until the one before it is stored: for whoever has more time than memory.</param>
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
        bool isThrifty = false)
    {
        _doubts = doubts;
        _compression = compression;
        _store = store;
        _session = session;
        _contentTier = contentTier;
        _counters = counters;
        _verifyOneIn = verifyOneIn;
        _stages = new StageGroup(cancellationToken);
        _jobs = Channel.CreateBounded<Job>(new BoundedChannelOptions(2 * workers) { SingleWriter = false });
        _packs = Channel.CreateBounded<FullPack>(new BoundedChannelOptions(1) { SingleWriter = false });

        // Each worker, the queue, and what the reader holds: the chunk it fills, the bundle it fills, and one to carry over a cut.
        _chunkBuffers = new BufferPool((3 * workers) + 3, ChunkCodec.MaxRawLength);
        int uploaders = isThrifty ? 1 : Math.Clamp(store.Objects.Capabilities.MaxConcurrency / 2, MinUploaders, MaxUploaders);
        var dataBuffers = new BufferPool(isThrifty ? DataSlots : DataSlots + uploaders + 1, Math.Max(store.Objects.Capabilities.PackSize, PackFormat.MaxStoredLength + PackFormat.Overhead(1)));
        var metadataBuffers = new BufferPool(2, MetadataPackSize);
        _dataSlots = [.. Enumerable.Range(0, DataSlots).Select(_ => new Slot(PackKind.Data, dataBuffers))];
        _metadataSlot = new Slot(PackKind.Metadata, metadataBuffers);
        _stages.Begin(WorkAsync, workers, then: () => _packs.Writer.TryComplete());
        _stages.Begin(UploadAsync, uploaders);
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

    /// <summary>
    /// Makes everything durable that was handed over before the call, index included. Work that is handed over meanwhile goes on.
    /// </summary>
    public async Task FlushAsync(Func<byte[], Task> writeSegment)
    {
        await _sealing.WhenEndedAsync().ConfigureAwait(false);
        try
        {
            // The gates in one order, so that two flushes do not wait for each other.
            foreach (Slot slot in _dataSlots)
            {
                await slot.Gate.WaitAsync(_stages.Stopping).ConfigureAwait(false);
            }

            try
            {
                Gather();
                foreach (Slot slot in _dataSlots)
                {
                    await CloseAsync(slot, isFull: false).ConfigureAwait(false);
                }
            }
            finally
            {
                foreach (Slot slot in _dataSlots)
                {
                    slot.Gate.Release();
                }
            }

            await _metadataSlot.Gate.WaitAsync(_stages.Stopping).ConfigureAwait(false);
            try
            {
                await CloseAsync(_metadataSlot, isFull: false).ConfigureAwait(false);
            }
            finally
            {
                _metadataSlot.Gate.Release();
            }
        }
        catch (OperationCanceledException)
        {
            _stages.ThrowIfFailed();
            throw;
        }

        await _uploading.WhenEndedAsync().ConfigureAwait(false);
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
        foreach (Slot slot in _dataSlots.Append(_metadataSlot))
        {
            slot.Dispose();
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

        ReadOnlyMemory<byte> encoded = plaintext;
        int rawLength = job.Copied?.RawLength ?? job.Length;
        if (job.Copied?.Encoding is not { } encoding)
        {
            int length = ChunkCodec.Encode(plaintext.Span, scratch.Encoded, scratch.Codec, out encoding);
            encoded = scratch.Encoded.AsMemory(0, length);
        }

        Slot slot = job.Kind == ChunkKind.Content ? _dataSlots[RandomNumberGenerator.GetInt32(DataSlots)] : _metadataSlot;
        await slot.Gate.WaitAsync(stopping).ConfigureAwait(false);
        try
        {
            if (slot.Builder is { } full && !full.Fits(encoded.Length))
            {
                await CloseAsync(slot, isFull: true).ConfigureAwait(false);
            }

            if (slot.Builder is null)
            {
                slot.Buffer = await slot.Buffers.RentAsync(stopping).ConfigureAwait(false);
                slot.Builder = new PackBuilder(_store.Keys, slot.Kind, slot.Buffer);
            }

            PackedChunk chunk = slot.Builder.Append(id, job.Kind, encoding, rawLength, encoded.Span);
            if (job.Copied is null && _verifyOneIn > 0 && Interlocked.Increment(ref _sampleCounter) % _verifyOneIn == 0)
            {
                VerifySealed(slot.Builder, chunk, slot.Buffer, plaintext.Span, scratch);
            }
        }
        finally
        {
            slot.Gate.Release();
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
    private void VerifySealed(PackBuilder builder, PackedChunk chunk, byte[] pack, ReadOnlySpan<byte> plaintext, WorkerScratch scratch)
    {
        using AesGcm aes = PackReader.OpenPack(_store.Keys, builder.Salt, _store.Keys.Epoch);
        Span<byte> opened = scratch.Opened.AsSpan(0, chunk.RawLength);
        bool sound = PackReader.TryOpenChunk(_store.Keys, aes, builder.Kind, chunk, pack.AsSpan(chunk.Offset, chunk.StoredLength), scratch.Encoded, opened)
            && opened.SequenceEqual(plaintext);
        if (!sound)
        {
            throw PackBuilder.DoesNotOpen(chunk);
        }
    }

    // The caller holds all gates of data.
    private void Gather()
    {
        Slot[] open = [.. _dataSlots.Where(slot => slot.Builder is not null).OrderByDescending(slot => slot.Builder!.Length)];
        foreach (Slot slot in open.Skip(1))
        {
            if (open[0].Builder!.TryTakeOver(slot.Builder!))
            {
                slot.Builder!.Dispose();
                slot.Builder = null;
                slot.Buffers.Return(slot.Buffer);
                slot.Buffer = [];
            }
        }
    }

    // The caller holds the slot's gate.
    private async ValueTask CloseAsync(Slot slot, bool isFull)
    {
        if (slot.Builder is { } builder)
        {
            var pack = new FullPack(slot.Kind, isFull, builder, slot.Buffer, slot.Buffers, Interlocked.Increment(ref _lastPack), _uploading.Begin());
            slot.Builder = null;
            slot.Buffer = [];
            try
            {
                await _packs.Writer.WriteAsync(pack, _stages.Stopping).ConfigureAwait(false);
            }
            catch
            {
                Finish(pack);
                throw;
            }
        }
    }

    private async Task UploadAsync(CancellationToken stopping)
    {
        await foreach (FullPack pack in _packs.Reader.ReadAllAsync(CancellationToken.None).ConfigureAwait(false))
        {
            try
            {
                stopping.ThrowIfCancellationRequested();
                ReadOnlyMemory<byte> content = pack.Builder.Finish(pack.IsFull);
                string name = VaultLayout.Pack(_store.StoreId, _session, pack.Number);
                VaultAccessTier tier = pack.Kind == PackKind.Data ? _contentTier : VaultAccessTier.Hot;
                if (!await _store.Objects.TryCreateAsync(name, content, stopping, tier).ConfigureAwait(false))
                {
                    throw new BackupException(
                        BackupErrorId.VaultExists,
                        $"Object '{name}' already exists, though its name should be new.",
                        "Run the backup again; if this repeats, something else writes into the vault.",
                        name);
                }

                _counters.AddStored(content.Length);
                _store.Index.AddPack(
                    new PackInfo(_session, pack.Number, pack.Builder.Kind, content.Length, pack.Builder.Salt, _store.Keys.Epoch),
                    pack.Builder.Chunks);
            }
            catch (Exception e)
            {
                _stages.Fail(e);
            }
            finally
            {
                Finish(pack);
            }
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

    private void Finish(FullPack pack)
    {
        pack.Builder.Dispose();
        pack.Buffers.Return(pack.Buffer);
        _uploading.End(pack.Ticket);
    }

    private readonly record struct Job(byte[] Buffer, int Length, ChunkKind Kind, TaskCompletionSource<ChunkId>? Name, ChunkId Id, long Ticket)
    {
        /// <summary>What another pack says of it, where the buffer holds it encoded.</summary>
        public PackedChunk? Copied { get; init; }
    }

    private sealed record FullPack(PackKind Kind, bool IsFull, PackBuilder Builder, byte[] Buffer, BufferPool Buffers, uint Number, long Ticket);

    /// <summary>A place for one open pack. Two for data, one chosen at random for each chunk, so that a pack's chunk sizes do not
    /// spell out one file.</summary>
    private sealed class Slot(PackKind kind, BufferPool buffers) : IDisposable
    {
        public PackKind Kind { get; } = kind;

        public BufferPool Buffers { get; } = buffers;

        public SemaphoreSlim Gate { get; } = new(1);

        public PackBuilder? Builder { get; set; }

        public byte[] Buffer { get; set; } = [];

        public void Dispose()
        {
            Builder?.Dispose();
            Gate.Dispose();
            Buffers.Dispose();
        }
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
