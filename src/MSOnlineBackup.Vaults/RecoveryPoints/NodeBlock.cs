using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>A block of a manifest, as the node above it names it.</summary>
/// <param name="FirstPath">The path of its first entry.</param>
/// <param name="Id">Its chunk.</param>
/// <param name="Totals">What it and all below it hold.</param>
internal readonly record struct ManifestBlock(EntryPath FirstPath, ChunkId Id, ManifestTotals Totals);

/// <summary>An inner block of a manifest: the blocks below it, in order.</summary>
internal static class NodeBlock
{
    /// <summary>Encodes a node.</summary>
    /// <param name="block">Replaced by the node.</param>
    /// <param name="level">How many levels it stands above the leaves; at least 1.</param>
    /// <param name="children">At least two.</param>
    public static void Write(BlockWriter block, int level, IReadOnlyList<ManifestBlock> children)
    {
        block.Reset();
        block.WriteByte(ManifestFormat.Version);
        block.WriteByte((byte)level);
        for (int i = 0; i < children.Count; i++)
        {
            ManifestBlock child = children[i];
            PathCoding.Write(block, child.FirstPath.Bytes, i == 0 ? [] : children[i - 1].FirstPath.Bytes, isFirst: i == 0);
            block.WriteId(child.Id);
            block.WriteVarint(child.Totals.Entries);
            block.WriteVarint(child.Totals.Files);
            block.WriteVarint(child.Totals.Directories);
            block.WriteVarint(child.Totals.Bytes);
        }
    }

    /// <summary>Decodes a node.</summary>
    /// <exception cref="BackupException">VaultDataCorrupt: it is none, not of this level, or does not hold what was said of it.</exception>
    public static ManifestBlock[] Read(ReadOnlyMemory<byte> content, ChunkId id, int level, ManifestTotals expected)
    {
        var block = new BlockReader(content.Span, in id, 0);
        if (content.Length > ManifestFormat.MaxBlockBytes)
        {
            throw block.Damaged($"it has {content.Length} bytes");
        }

        if (block.ReadByte() != ManifestFormat.Version || block.ReadByte() != level)
        {
            throw block.Damaged($"it is not a node of level {level}");
        }

        var children = new List<ManifestBlock>();
        ManifestTotals totals = default;
        byte[] path = [];
        int length = 0;
        while (!block.AtEnd)
        {
            PathCoding.Read(ref block, ref path, ref length, isFirst: children.Count == 0);
            children.Add(new ManifestBlock(
                new EntryPath(path.AsSpan(0, length).ToArray()),
                block.ReadId(),
                new ManifestTotals(ReadCount(ref block), ReadCount(ref block), ReadCount(ref block), ReadCount(ref block))));
            totals += children[^1].Totals;
        }

        if (children.Count < 2 || totals != expected)
        {
            throw block.Damaged("its children do not have the totals that the node above states");
        }

        return [.. children];

        static long ReadCount(ref BlockReader block) => block.ReadNumber(long.MaxValue);
    }
}
