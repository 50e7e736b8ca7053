using System.Buffers.Binary;
using System.IO.Hashing;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>A block where a manifest has it.</summary>
/// <param name="Block">What the node above says of it.</param>
/// <param name="Level">How many levels above the leaves.</param>
/// <param name="IsTop">Whether no node is above it; then nothing is said of its first path.</param>
/// <param name="End">Where the next block begins; null for the last.</param>
internal readonly record struct BlockPlace(ManifestBlock Block, int Level, bool IsTop, EntryPath? End)
{
    /// <summary>The top of a manifest.</summary>
    public static BlockPlace OfRoot(ManifestRoot root)
    {
        var totals = new ManifestTotals(root.Entries, root.Files, root.Directories, root.Bytes);
        return new BlockPlace(new ManifestBlock(EntryPath.Root, root.Id, totals), root.Depth, IsTop: true, End: null);
    }

    /// <summary>Equal for the same block in the same place.</summary>
    public ulong Fingerprint()
    {
        ReadOnlySpan<byte> first = Block.FirstPath.Bytes;
        Span<byte> numbers = stackalloc byte[6 * sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(numbers, Block.Totals.Entries);
        BinaryPrimitives.WriteInt64LittleEndian(numbers[8..], Block.Totals.Files);
        BinaryPrimitives.WriteInt64LittleEndian(numbers[16..], Block.Totals.Directories);
        BinaryPrimitives.WriteInt64LittleEndian(numbers[24..], Block.Totals.Bytes);
        BinaryPrimitives.WriteInt64LittleEndian(numbers[32..], IsTop ? -1 : first.Length);
        BinaryPrimitives.WriteInt64LittleEndian(numbers[40..], End is null ? -1 - Level : Level);
        var hash = new XxHash3();
        hash.Append(numbers);
        hash.Append(first);
        hash.Append(End is { } end ? end.Bytes : default);
        return hash.GetCurrentHashAsUInt64();
    }

    /// <summary>The places of the blocks below.</summary>
    /// <exception cref="BackupException">VaultDataCorrupt: they do not begin and end where the node above says.</exception>
    public BlockPlace[] Children(ManifestBlock[] children)
    {
        if ((!IsTop && children[0].FirstPath != Block.FirstPath) || (End is { } limit && children[^1].FirstPath >= limit))
        {
            throw ManifestFormat.Damaged(Block.Id, "it does not begin and end where the node above says");
        }

        var places = new BlockPlace[children.Length];
        for (int i = 0; i < children.Length; i++)
        {
            places[i] = new BlockPlace(children[i], Level - 1, IsTop: false, i + 1 < children.Length ? children[i + 1].FirstPath : End);
        }

        return places;
    }
}
