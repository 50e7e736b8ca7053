using MSOnlineBackup.Vaults.Chunks;

namespace MSOnlineBackup.Engine.Views;

/// <summary>
/// Decoded chunks of contents: those used last, up to a number of bytes. Who asks for one that is being fetched waits for that. Thread-safe.
/// </summary>
/// <param name="chunks">Where chunks are.</param>
/// <param name="options">How much is kept, and how many are fetched at a time.</param>
internal sealed class ContentCache(IChunkReader chunks, ViewOptions options) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<ChunkId, LinkedListNode<Kept>> _kept = [];
    private readonly LinkedList<Kept> _order = new();
    private readonly SemaphoreSlim _fetching = new(options.Parallel);
    private long _bytes;

    /// <summary>A chunk's bytes.</summary>
    /// <exception cref="Vaults.Errors.BackupException">VaultDataCorrupt, VaultDataMissing, VaultUnreachable, …. The next who asks makes another attempt.</exception>
    public Task<ReadOnlyMemory<byte>> GetAsync(ChunkId id, CancellationToken cancellationToken) => Find(id).WaitAsync(cancellationToken);

    /// <summary>Fetches a chunk that will be asked for soon. What fails here fails again, and is told, when it is.</summary>
    public void Foresee(ChunkId id) => _ = Find(id);

    /// <inheritdoc/>
    public void Dispose() => _fetching.Dispose();

    private Task<ReadOnlyMemory<byte>> Find(ChunkId id)
    {
        lock (_gate)
        {
            if (_kept.TryGetValue(id, out LinkedListNode<Kept>? node))
            {
                _order.Remove(node);
                if (!node.Value.Fetch.IsFaulted && !node.Value.Fetch.IsCanceled)
                {
                    _order.AddLast(node);
                    return node.Value.Fetch;
                }

                _kept.Remove(id);
            }

            // Whoever asked first may be gone before others have what they asked for.
            var kept = new Kept(id, Task.Run(() => FetchAsync(id)));
            _kept[id] = _order.AddLast(kept);
            return kept.Fetch;
        }
    }

    private async Task<ReadOnlyMemory<byte>> FetchAsync(ChunkId id)
    {
        await _fetching.WaitAsync().ConfigureAwait(false);
        try
        {
            ReadOnlyMemory<byte> content = await chunks.ReadAsync(ChunkKind.Content, id, CancellationToken.None).ConfigureAwait(false);
            Weigh(id, content.Length);
            return content;
        }
        finally
        {
            _fetching.Release();
        }
    }

    private void Weigh(ChunkId id, int length)
    {
        lock (_gate)
        {
            if (!_kept.TryGetValue(id, out LinkedListNode<Kept>? fetched))
            {
                return;
            }

            fetched.Value.Length = length;
            _bytes += length;
            for (LinkedListNode<Kept>? node = _order.First; _bytes > options.CacheBytes && node is not null;)
            {
                LinkedListNode<Kept>? next = node.Next;
                if (node.Value.Length > 0 && node != fetched)
                {
                    _order.Remove(node);
                    _kept.Remove(node.Value.Id);
                    _bytes -= node.Value.Length;
                }

                node = next;
            }
        }
    }

    /// <summary>A chunk that is kept, or on its way: then its length is 0.</summary>
    private sealed class Kept(ChunkId id, Task<ReadOnlyMemory<byte>> fetch)
    {
        public ChunkId Id => id;

        public Task<ReadOnlyMemory<byte>> Fetch => fetch;

        public int Length { get; set; }
    }
}
