using System.Buffers;
using System.Runtime.InteropServices;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Engine.Views;

/// <summary>
/// Decoded chunks of contents: those used last, up to a number of bytes. Who asks for one that is being fetched waits for that. Thread-safe.
/// </summary>
/// <remarks>The arrays are used again and again: megabytes that the collector of garbage would have to find would lie about for long.</remarks>
/// <param name="store">Where chunks are.</param>
/// <param name="options">How much is kept, and how many are fetched at a time.</param>
internal sealed class ContentCache(ChunkStore store, ViewOptions options) : IDisposable
{
    private const int ArraysOfASize = 4;

    private readonly ArrayPool<byte> _arrays = ArrayPool<byte>.Create(ChunkCodec.MaxRawLength, ArraysOfASize);
    private readonly Lock _gate = new();
    private readonly Dictionary<ChunkId, LinkedListNode<Kept>> _kept = [];
    private readonly LinkedList<Kept> _order = new();
    private readonly SemaphoreSlim _fetching = new(options.Parallel);
    private long _bytes;

    /// <summary>A chunk's bytes, as long as the lease is held.</summary>
    /// <exception cref="Vaults.Errors.BackupException">VaultDataCorrupt, VaultDataMissing, VaultUnreachable, …. The next who asks makes another attempt.</exception>
    public async ValueTask<Lease> GetAsync(ChunkId id, CancellationToken cancellationToken)
    {
        Kept kept = Find(id, holds: true);
        try
        {
            return new Lease(this, kept, await kept.Fetch.WaitAsync(cancellationToken).ConfigureAwait(false));
        }
        catch
        {
            Release(kept);
            throw;
        }
    }

    /// <summary>Fetches a chunk that will be asked for soon. What fails here fails again, and is told, when it is.</summary>
    public void Foresee(ChunkId id) => Find(id, holds: false);

    /// <inheritdoc/>
    public void Dispose() => _fetching.Dispose();

    private Kept Find(ChunkId id, bool holds)
    {
        lock (_gate)
        {
            if (_kept.TryGetValue(id, out LinkedListNode<Kept>? node))
            {
                _order.Remove(node);
                if (node.Value.Fetch is { IsFaulted: false, IsCanceled: false })
                {
                    _order.AddLast(node);
                    node.Value.Holders += holds ? 1 : 0;
                    return node.Value;
                }

                _kept.Remove(id);
            }

            // Whoever asked first may be gone before others have what they asked for.
            var kept = new Kept(id) { Holders = holds ? 1 : 0 };
            kept.Fetch = Task.Run(() => FetchAsync(kept));
            _kept[id] = _order.AddLast(kept);
            return kept;
        }
    }

    private async Task<ReadOnlyMemory<byte>> FetchAsync(Kept kept)
    {
        await _fetching.WaitAsync().ConfigureAwait(false);
        try
        {
            ReadOnlyMemory<byte> content = await store.ReadContentAsync(kept.Id, _arrays.Rent, CancellationToken.None).ConfigureAwait(false);
            Weigh(kept, MemoryMarshal.TryGetArray(content, out ArraySegment<byte> array) ? array.Array!.Length : content.Length);
            return content;
        }
        finally
        {
            _fetching.Release();
        }
    }

    private void Weigh(Kept fetched, int length)
    {
        lock (_gate)
        {
            fetched.Length = length;
            _bytes += length;
            for (LinkedListNode<Kept>? node = _order.First; _bytes > options.CacheBytes && node is not null;)
            {
                LinkedListNode<Kept>? next = node.Next;
                if (node.Value.Length > 0 && node.Value != fetched && node.Value.Holders == 0)
                {
                    _order.Remove(node);
                    _kept.Remove(node.Value.Id);
                    _bytes -= node.Value.Length;
                    GiveBack(node.Value);
                }

                node = next;
            }
        }
    }

    private void Release(Kept kept)
    {
        lock (_gate)
        {
            kept.Holders--;
        }
    }

    private void GiveBack(Kept kept)
    {
#pragma warning disable VSTHRD002, VSTHRD103 // What has a length was fetched.
        if (MemoryMarshal.TryGetArray(kept.Fetch.Result, out ArraySegment<byte> array) && array.Offset == 0 && int.IsPow2(array.Array!.Length))
        {
            // Arrays of the pool alone are a power of two long, and may go into it if they are not its own.
            _arrays.Return(array.Array);
        }
#pragma warning restore VSTHRD002, VSTHRD103
    }

    /// <summary>Bytes that stay as they are as long as somebody holds them.</summary>
    internal readonly struct Lease(ContentCache cache, Kept kept, ReadOnlyMemory<byte> bytes) : IDisposable
    {
        /// <summary>The bytes.</summary>
        public ReadOnlyMemory<byte> Bytes => bytes;

        /// <summary>They are not needed any more.</summary>
        public void Dispose() => cache.Release(kept);
    }

    /// <summary>A chunk that is kept, or on its way: then its length is 0.</summary>
    internal sealed class Kept(ChunkId id)
    {
        /// <summary>Its name.</summary>
        public ChunkId Id => id;

        /// <summary>Its bytes.</summary>
        public Task<ReadOnlyMemory<byte>> Fetch { get; set; } = null!;

        /// <summary>How much memory it takes, in bytes.</summary>
        public int Length { get; set; }

        /// <summary>How many need it now.</summary>
        public int Holders { get; set; }
    }
}
