using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>A slice-list chunk: a version byte, then slices to its end.</summary>
internal static class SliceListCodec
{
    /// <summary>Encodes 1 to <see cref="EntryContent.SlicesPerList"/> slices.</summary>
    public static ReadOnlyMemory<byte> Encode(IReadOnlyList<ContentSlice> slices)
    {
        ArgumentOutOfRangeException.ThrowIfZero(slices.Count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(slices.Count, EntryContent.SlicesPerList);
        var block = new BlockWriter();
        var encoder = new SliceEncoder();
        block.WriteByte(ManifestFormat.Version);
        foreach (ContentSlice slice in slices)
        {
            encoder.Write(block, slice);
        }

        return block.Written;
    }

    /// <summary>Decodes a list.</summary>
    /// <exception cref="BackupException">VaultDataCorrupt: it is none, or does not cover what its entry says.</exception>
    public static IReadOnlyList<ContentSlice> Decode(ReadOnlySpan<byte> content, SliceListReference reference)
    {
        ChunkId id = reference.Id;
        var block = new BlockReader(content, in id, 0);
        if (block.ReadByte() != ManifestFormat.Version)
        {
            throw block.Damaged("the version of its encoding is not known");
        }

        var decoder = new SliceDecoder();
        var slices = new List<ContentSlice>();
        long left = reference.Length;
        while (!block.AtEnd)
        {
            decoder.Read(ref block, out ContentSlice slice);
            if (slices.Count == EntryContent.SlicesPerList || slice.Length > left)
            {
                throw block.Damaged("it holds more than its file has");
            }

            left -= slice.Length;
            slices.Add(slice);
        }

        return left == 0 ? slices : throw block.Damaged($"it covers {left} bytes less than its file has");
    }
}
