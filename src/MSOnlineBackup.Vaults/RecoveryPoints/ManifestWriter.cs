using System.Numerics;
using MSOnlineBackup.Vaults.Chunks;

namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>
/// Writes a manifest: entries in ascending order become leaf blocks, their first paths a tree of nodes. Blocks are cut
/// where the keyed hash of a path says so, so that an unchanged region of two manifests is the same blocks.
/// </summary>
/// <remarks>One caller at a time. Memory: one leaf and one node per level.</remarks>
internal sealed class ManifestWriter
{
    private readonly IChunkWriter _chunks;
    private readonly SipHash _hash;
    private readonly LeafEncoder _leaf = new();
    private readonly BlockWriter _node = new();
    private readonly List<OpenNode> _levels = [];
    private EntryPath? _last;

    /// <summary>Begins a manifest.</summary>
    /// <param name="writer">Takes the blocks.</param>
    /// <param name="boundaryKey">16 secret bytes, always the same for one chunk store.</param>
    public ManifestWriter(IChunkWriter writer, ReadOnlySpan<byte> boundaryKey)
    {
        _chunks = writer;
        _hash = new SipHash(boundaryKey);
    }

    /// <summary>Appends an entry.</summary>
    /// <exception cref="InvalidOperationException">It does not come after the last one, or breaks the rules of the manifest.</exception>
    public ValueTask AddAsync(ManifestEntry entry, CancellationToken cancellationToken)
    {
        CheckOrder(entry);
        if (LeafEndsBefore(entry))
        {
            return CutAndAddAsync(entry, cancellationToken);
        }

        _leaf.Add(entry);
        _last = entry.Path;
        return ValueTask.CompletedTask;
    }

    /// <summary>Writes what is still open and returns the root.</summary>
    public ValueTask<ManifestRoot> CompleteAsync(CancellationToken cancellationToken) => CheckpointAsync(null, cancellationToken);

    /// <summary>Writes a manifest of everything so far, and of one more entry where given; then writing goes on as if nothing had been.</summary>
    /// <param name="partial">An entry after the last one, usually of a file that is being read.</param>
    /// <param name="cancellationToken">Stops.</param>
    public async ValueTask<ManifestRoot> CheckpointAsync(ManifestEntry? partial, CancellationToken cancellationToken)
    {
        LeafEncoder leaf = _leaf;
        if (partial is not null)
        {
            CheckOrder(partial);
            leaf = new LeafEncoder(_leaf);
            leaf.Add(partial);
        }

        // The last block of every level joins the open node above it.
        ManifestBlock block = await WriteLeafAsync(leaf, cancellationToken).ConfigureAwait(false);
        for (int i = 0; i < _levels.Count; i++)
        {
            block = await WriteNodeAsync(i, [.. _levels[i].Children, block], cancellationToken).ConfigureAwait(false);
        }

        ManifestTotals totals = block.Totals;
        return new ManifestRoot(block.Id, _levels.Count, totals.Entries, totals.Files, totals.Directories, totals.Bytes);
    }

    private void CheckOrder(ManifestEntry entry)
    {
        if (_last is { } last && entry.Path <= last)
        {
            throw new InvalidOperationException($"The entry '{entry.Path}' does not come after '{last}'.");
        }
    }

    private bool LeafEndsBefore(ManifestEntry entry) => _leaf.Block.Length switch
    {
        < ManifestFormat.MinLeafBytes => false,
        >= ManifestFormat.MaxLeafBytes => true,
        >= ManifestFormat.FullLeafBytes => IsBoundary(entry, ManifestFormat.FullLeafBoundaryBits),
        _ => IsBoundary(entry, ManifestFormat.LeafBoundaryBits),
    };

    private bool IsBoundary(ManifestEntry entry, int bits) => (_hash.Hash(entry.Path.Bytes) & ((1UL << bits) - 1)) == 0;

    private async ValueTask CutAndAddAsync(ManifestEntry entry, CancellationToken cancellationToken)
    {
        ManifestBlock leaf = await WriteLeafAsync(_leaf, cancellationToken).ConfigureAwait(false);
        await AddBlockAsync(0, leaf, cancellationToken).ConfigureAwait(false);
        _leaf.Reset();
        _leaf.Add(entry);
        _last = entry.Path;
    }

    // Adds a finished block to the open node above it, which is cut before it where its first path says so.
    private async ValueTask AddBlockAsync(int level, ManifestBlock block, CancellationToken cancellationToken)
    {
        if (level == _levels.Count)
        {
            _levels.Add(new OpenNode());
        }

        OpenNode open = _levels[level];
        if (open.EndsBefore(block, _hash, level))
        {
            ManifestBlock node = await WriteNodeAsync(level, open.Children, cancellationToken).ConfigureAwait(false);
            open.Clear();
            await AddBlockAsync(level + 1, node, cancellationToken).ConfigureAwait(false);
        }

        open.Add(block);
    }

    private async ValueTask<ManifestBlock> WriteLeafAsync(LeafEncoder leaf, CancellationToken cancellationToken)
    {
        ChunkId id = await _chunks.WriteAsync(ChunkKind.ManifestLeaf, leaf.Block, cancellationToken).ConfigureAwait(false);
        return new ManifestBlock(leaf.FirstPath, id, leaf.Totals);
    }

    private async ValueTask<ManifestBlock> WriteNodeAsync(int level, List<ManifestBlock> children, CancellationToken cancellationToken)
    {
        NodeBlock.Write(_node, level + 1, children);
        ChunkId id = await _chunks.WriteAsync(ChunkKind.ManifestNode, _node.Written, cancellationToken).ConfigureAwait(false);
        ManifestTotals totals = default;
        foreach (ManifestBlock child in children)
        {
            totals += child.Totals;
        }

        return new ManifestBlock(children[0].FirstPath, id, totals);
    }

    /// <summary>The children of the node that is being filled on one level.</summary>
    private sealed class OpenNode
    {
        private int _pathBytes;

        public List<ManifestBlock> Children { get; } = [];

        // Every level looks at its own bits of the hash: the lower ones are zero in most first paths already.
        public bool EndsBefore(ManifestBlock block, SipHash hash, int level) =>
            Children.Count >= ManifestFormat.MaxNodeChildren
            || (Children.Count > 1 && _pathBytes >= ManifestFormat.MaxNodePathBytes)
            || (Children.Count >= ManifestFormat.MinNodeChildren
                && (BitOperations.RotateRight(
                        hash.Hash(block.FirstPath.Bytes),
                        ManifestFormat.LeafBoundaryBits + (level * ManifestFormat.NodeBoundaryBits))
                    & ((1UL << ManifestFormat.NodeBoundaryBits) - 1)) == 0);

        public void Add(ManifestBlock block)
        {
            Children.Add(block);
            _pathBytes += block.FirstPath.Bytes.Length;
        }

        public void Clear()
        {
            Children.Clear();
            _pathBytes = 0;
        }
    }
}
