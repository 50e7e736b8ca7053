using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>A block of a manifest as objects: the entries of a leaf, or the blocks below a node; and what is wrong with it.</summary>
/// <param name="Entries">Of a leaf: its entries in order, as far as they can be read.</param>
/// <param name="Children">Of a node: the blocks below it.</param>
/// <param name="Before">Of a node: for each of those how many entries stand before it, below this node.</param>
/// <param name="Damage">Why some or all of it cannot be read; null where it is whole.</param>
internal sealed record DecodedBlock(ManifestEntry[] Entries, ManifestBlock[] Children, long[] Before, BackupException? Damage)
{
    // An entry's objects, beside its path.
    private const int EntryBytes = 512;

    /// <summary>About how many bytes of memory it takes.</summary>
    public long Weight { get; private init; } = EntryBytes;

    /// <summary>Reads a block. What is damaged or missing is in what is returned; other failures are thrown.</summary>
    public static async Task<DecodedBlock> ReadAsync(IChunkReader chunks, BlockPlace place, CancellationToken cancellationToken)
    {
        ManifestBlock block = place.Block;
        try
        {
            ChunkKind kind = place.Level == 0 ? ChunkKind.ManifestLeaf : ChunkKind.ManifestNode;
            ReadOnlyMemory<byte> content = await chunks.ReadAsync(kind, block.Id, cancellationToken).ConfigureAwait(false);
            return place.Level == 0 ? ReadLeaf(block, content) : ReadNode(NodeBlock.Read(content, block.Id, place.Level, block.Totals));
        }
        catch (BackupException e) when (e.IsDamage)
        {
            return new DecodedBlock([], [], [], e);
        }
    }

    /// <summary>The block, where it stands at a place: what does not fit there is damage.</summary>
    public DecodedBlock At(BlockPlace place)
    {
        if (Damage is not null || (place.Level == 0 && Entries.Length == 0))
        {
            return this;
        }

        EntryPath first = place.Level == 0 ? Entries[0].Path : Children[0].FirstPath;
        EntryPath last = place.Level == 0 ? Entries[^1].Path : Children[^1].FirstPath;
        return (place.IsTop || first == place.Block.FirstPath) && (place.End is not { } end || last < end)
            ? this
            : new DecodedBlock([], [], [], ManifestFormat.Damaged(place.Block.Id, "it does not begin and end where the node above says"));
    }

    private static DecodedBlock ReadNode(ManifestBlock[] children)
    {
        long[] before = new long[children.Length];
        for (int i = 1; i < children.Length; i++)
        {
            before[i] = before[i - 1] + children[i - 1].Totals.Entries;
        }

        return new DecodedBlock([], children, before, null) { Weight = children.Sum(static child => EntryBytes + child.FirstPath.Bytes.Length) };
    }

    private static DecodedBlock ReadLeaf(ManifestBlock block, ReadOnlyMemory<byte> content)
    {
        var entries = new List<ManifestEntry>((int)Math.Min(block.Totals.Entries, 4096));
        try
        {
            var leaf = new LeafReader(block.Id, content);
            while (leaf.MoveNext())
            {
                entries.Add(leaf.ToEntry());
            }

            // The places of all that follows are counted from the totals.
            return entries.Count == block.Totals.Entries
                ? new DecodedBlock([.. entries], [], [], null) { Weight = content.Length + entries.Sum(static entry => EntryBytes + (long)entry.Path.Bytes.Length) }
                : throw ManifestFormat.Damaged(block.Id, "it does not have the totals that the node above states");
        }
        catch (BackupException e) when (e.IsDamage)
        {
            return new DecodedBlock([.. entries], [], [], e);
        }
    }
}
