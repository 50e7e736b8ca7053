using System.Collections.Concurrent;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Index;
using MSOnlineBackup.Vaults.Packs;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Vaults.Verification;

/// <summary>The chunks that recovery points need. Notes the packs that hold them and that no index segment names. Thread-safe.</summary>
/// <param name="store">The store, its packs surveyed.</param>
/// <param name="named">The packs that index segments name.</param>
internal sealed class PointChunks(ChunkStore store, IReadOnlySet<PackInfo> named) : IChunkReader
{
    private readonly ConcurrentDictionary<PackInfo, byte> _unindexed = new();

    /// <summary>Packs that something needs and no segment names.</summary>
    public IReadOnlyCollection<PackInfo> Unindexed => [.. _unindexed.Keys];

    /// <inheritdoc/>
    public bool Contains(ChunkId id) => store.Contains(id);

    /// <summary>Where a chunk is; false where it is in no pack that is there.</summary>
    public bool TryFind(ChunkId id, out ChunkLocation location) => store.Index.TryFind(id, out location);

    /// <summary>Reads a block of metadata: these too are in packs that a segment should name.</summary>
    public ValueTask<ReadOnlyMemory<byte>> ReadAsync(ChunkKind kind, ChunkId id, CancellationToken cancellationToken)
    {
        if (TryFind(id, out ChunkLocation location))
        {
            Need(id, location.Pack);
        }

        return store.ReadAsync(kind, id, cancellationToken);
    }

    /// <summary>The length of a content that no pack has any more, and that parity gives; null where nothing does.</summary>
    public async ValueTask<int?> MeasureRescuedAsync(ChunkId id, CancellationToken cancellationToken)
    {
        try
        {
            return store.Rescue is null ? null : (await store.ReadAsync(ChunkKind.Content, id, cancellationToken).ConfigureAwait(false)).Length;
        }
        catch (BackupException e) when (e.IsDamage)
        {
            return null;
        }
    }

    /// <summary>Notes that a chunk is needed.</summary>
    /// <param name="id">The chunk.</param>
    /// <param name="pack">Where it was found. Another copy may be in a pack that is named.</param>
    public void Need(ChunkId id, PackInfo pack)
    {
        if (!named.Contains(pack) && !store.Index.FindAll(id).Any(copy => named.Contains(copy.Pack)))
        {
            _unindexed.TryAdd(pack, 0);
        }
    }
}
