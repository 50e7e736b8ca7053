using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>
/// What an item has of bytes: the content of a file, or a long named stream, which stands in the entry as the attribute
/// <see cref="AttributeTag.LongStream"/>. Whoever asks which chunks an entry needs asks for all of these.
/// </summary>
/// <param name="Name">The stream's raw name; empty for the content of the file.</param>
/// <param name="Content">Where its bytes are; of a named stream always in slice lists.</param>
internal readonly record struct ItemContent(ReadOnlyMemory<byte> Name, EntryContent Content)
{
    /// <summary>Whether it is a named stream.</summary>
    public bool IsNamed => !Name.IsEmpty;

    /// <summary>How many bytes a named stream has, holes included.</summary>
    public long Length => Content.Lists.Sum(list => list.Length);

    /// <summary>A named stream as an entry has it.</summary>
    public EntryAttribute ToAttribute()
    {
        var value = new BlockWriter();
        value.WriteVarint(Content.Lists.Count);
        foreach (SliceListReference list in Content.Lists)
        {
            value.WriteId(list.Id);
            value.WriteVarint(list.Length);
        }

        return new EntryAttribute(AttributeTag.LongStream, Name, value.Written);
    }

    /// <summary>The counterpart of <see cref="ToAttribute"/>, of a value that <see cref="Check"/> was content with.</summary>
    public static ItemContent Of(EntryAttribute attribute)
    {
        ChunkId none = default;
        var block = new BlockReader(attribute.Value.Span, in none, 0);
        var lists = new SliceListReference[block.ReadNumber(ManifestFormat.MaxSliceLists)];
        for (int i = 0; i < lists.Length; i++)
        {
            lists[i] = new SliceListReference(block.ReadId(), block.ReadNumber(long.MaxValue));
        }

        return new ItemContent(attribute.Name, new EntryContent([], lists));
    }

    /// <summary>Checks the name and the value of an attribute before they are believed.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="value">Its value.</param>
    /// <param name="id">The block that has it, for messages.</param>
    /// <exception cref="BackupException">VaultDataCorrupt: it is no long stream.</exception>
    public static void Check(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, in ChunkId id)
    {
        var block = new BlockReader(value, in id, 0);
        long count = block.ReadNumber(ManifestFormat.MaxSliceLists);
        if (count == 0 || name.IsEmpty)
        {
            throw block.Damaged("a long stream has no slice list, or no name");
        }

        long size = 0;
        for (; count > 0; count--)
        {
            block.ReadId();
            long length = block.ReadNumber(long.MaxValue - size);
            size += length > 0 ? length : throw block.Damaged("a slice list is empty");
        }

        if (!block.AtEnd)
        {
            throw block.Damaged("a long stream goes on behind its last slice list");
        }
    }
}
