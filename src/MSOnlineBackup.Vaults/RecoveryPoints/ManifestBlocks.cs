using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>
/// Blocks of manifests, decoded, for whoever goes to and fro in them: those used last are kept. Manifests that share blocks share them here. Thread-safe; who asks for a block that is being read waits for that.
/// </summary>
/// <param name="chunks">Where the blocks are.</param>
/// <param name="mostBytes">How many bytes of memory they may take, about. A few are kept however large they are: the way from a root to a leaf.</param>
internal sealed class ManifestBlocks(IChunkReader chunks, long mostBytes)
{
    private const int Least = 4;

    private readonly Lock _gate = new();
    private readonly Dictionary<(ChunkId Id, int Level), LinkedListNode<Kept>> _kept = [];
    private readonly LinkedList<Kept> _order = new();
    private long _bytes;

    /// <summary>A block where a manifest has it.</summary>
    /// <param name="place">The place.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="BackupException">VaultUnreachable, … What is damaged or missing is in what is returned.</exception>
    public async ValueTask<DecodedBlock> GetAsync(BlockPlace place, CancellationToken cancellationToken)
    {
        LinkedListNode<Kept> node = Find(place);
        DecodedBlock block = await node.Value.Reading.WaitAsync(cancellationToken).ConfigureAwait(false);
        if (node.Value.Weight == 0)
        {
            Weigh(node, block);
        }

        return block.At(place);
    }

    private LinkedListNode<Kept> Find(BlockPlace place)
    {
        (ChunkId, int) key = (place.Block.Id, place.Level);
        lock (_gate)
        {
            if (_kept.TryGetValue(key, out LinkedListNode<Kept>? node))
            {
                if (node.Value.Reading is { IsFaulted: false, IsCanceled: false })
                {
                    _order.Remove(node);
                    _order.AddLast(node);
                    return node;
                }

                Drop(node);
            }

            // Whoever asked first may be gone before others have what they asked for.
            node = _order.AddLast(new Kept(key, Task.Run(() => DecodedBlock.ReadAsync(chunks, place, CancellationToken.None), CancellationToken.None)));
            _kept.Add(key, node);
            return node;
        }
    }

    private void Weigh(LinkedListNode<Kept> node, DecodedBlock block)
    {
        lock (_gate)
        {
            if (node.List is null || node.Value.Weight > 0)
            {
                return;
            }

            if (block.Damage is not null)
            {
                // It may be mended by the time at which it is asked for again.
                Drop(node);
                return;
            }

            node.Value.Weight = block.Weight;
            _bytes += block.Weight;
            while (_bytes > mostBytes && _order.Count > Least)
            {
                Drop(_order.First!);
            }
        }
    }

    private void Drop(LinkedListNode<Kept> node)
    {
        _order.Remove(node);
        _kept.Remove(node.Value.Key);
        _bytes -= node.Value.Weight;
    }

    /// <summary>A block that is kept, or on its way: then it weighs nothing.</summary>
    private sealed class Kept((ChunkId Id, int Level) key, Task<DecodedBlock> reading)
    {
        public (ChunkId Id, int Level) Key => key;

        public Task<DecodedBlock> Reading => reading;

        public long Weight { get; set; }
    }
}
