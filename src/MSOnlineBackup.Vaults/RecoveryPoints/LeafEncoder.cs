using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>Which fields of an entry follow its path and kind, in this order. The seven that are common fit one byte.</summary>
[Flags]
internal enum LeafFields : ulong
{
    None = 0,
    Mode = 1 << 0,
    Modified = 1 << 1,
    Changed = 1 << 2,
    Created = 1 << 3,
    FileId = 1 << 4,
    Content = 1 << 5,
    Attributes = 1 << 6,
    UserId = 1 << 7,
    GroupId = 1 << 8,
    LinkCount = 1 << 9,
    DeviceId = 1 << 10,
    DeviceNumber = 1 << 11,
    LinkTarget = 1 << 12,
    Size = 1 << 13,
}

/// <summary>A leaf block being written: entries in ascending order of their paths. See docs/vault-format.md for every byte.</summary>
internal sealed class LeafEncoder
{
    private static readonly EntryMetadata _zero = new() { LinkCount = 0 };

    private readonly BlockWriter _block;
    private readonly SliceEncoder _slices;
    private EntryMetadata _previous = _zero;
    private EntryPath _previousPath;

    public LeafEncoder()
    {
        _block = new BlockWriter();
        _slices = new SliceEncoder();
        Reset();
    }

    /// <summary>Copies the state of another, to be continued apart from it.</summary>
    public LeafEncoder(LeafEncoder original)
    {
        _block = new BlockWriter(original._block);
        _slices = new SliceEncoder(original._slices);
        _previous = original._previous;
        _previousPath = original._previousPath;
        FirstPath = original.FirstPath;
        Totals = original.Totals;
    }

    /// <summary>The path of the block's first entry.</summary>
    public EntryPath FirstPath { get; private set; }

    /// <summary>What the block holds so far.</summary>
    public ManifestTotals Totals { get; private set; }

    /// <summary>The block so far.</summary>
    public ReadOnlyMemory<byte> Block => _block.Written;

    /// <summary>Begins an empty block.</summary>
    public void Reset()
    {
        _block.Reset();
        _block.WriteByte(ManifestFormat.Version);
        _slices.Reset();
        _previous = _zero;
        _previousPath = EntryPath.Root;
        FirstPath = EntryPath.Root;
        Totals = default;
    }

    /// <summary>Appends an entry.</summary>
    /// <exception cref="InvalidOperationException">The entry is none that could be read again, or out of order: a bug of the caller.</exception>
    public void Add(ManifestEntry entry)
    {
        Check(entry);
        bool isFirst = Totals.Entries == 0;
        PathCoding.Write(_block, entry.Path.Bytes, _previousPath.Bytes, isFirst);
        _block.WriteVarint((ulong)entry.Kind | ((ulong)entry.Flags << ManifestFormat.KindBits));

        EntryMetadata now = entry.Metadata;
        LeafFields fields = FieldsOf(entry);
        _block.WriteVarint((ulong)fields);
        WriteIf(LeafFields.Mode, now.Mode);
        if (fields.HasFlag(LeafFields.Modified))
        {
            _block.WriteTime(now.Modified, _previous.Modified);
        }

        if (fields.HasFlag(LeafFields.Changed))
        {
            _block.WriteTime(now.Changed, _previous.Changed);
        }

        if (now.Created is { } created)
        {
            _block.WriteTime(created, now.Changed);
        }

        if (fields.HasFlag(LeafFields.FileId))
        {
            _block.WriteDelta(unchecked((long)now.FileId), unchecked((long)_previous.FileId));
        }

        if (fields.HasFlag(LeafFields.Content))
        {
            WriteContent(entry.Content);
        }

        if (fields.HasFlag(LeafFields.Attributes))
        {
            WriteAttributes(entry.Attributes);
        }

        WriteIf(LeafFields.UserId, now.UserId);
        WriteIf(LeafFields.GroupId, now.GroupId);
        WriteIf(LeafFields.LinkCount, now.LinkCount);
        WriteIf(LeafFields.DeviceId, now.DeviceId);
        WriteIf(LeafFields.DeviceNumber, now.DeviceNumber);
        if (fields.HasFlag(LeafFields.LinkTarget))
        {
            _block.WriteCounted(entry.LinkTarget.Span);
        }

        WriteIf(LeafFields.Size, (ulong)entry.Size);
        foreach (UnknownField unknown in entry.UnknownFields)
        {
            _block.WriteCounted(unknown.Value.Span);
        }

        FirstPath = isFirst ? entry.Path : FirstPath;
        _previousPath = entry.Path;
        _previous = now;
        Totals += ManifestTotals.Of(entry.Kind, entry.Size);

        void WriteIf(LeafFields field, ulong value)
        {
            if (fields.HasFlag(field))
            {
                _block.WriteVarint(value);
            }
        }
    }

    private LeafFields FieldsOf(ManifestEntry entry)
    {
        EntryMetadata now = entry.Metadata;
        ulong unknown = 0;
        foreach (UnknownField field in entry.UnknownFields)
        {
            unknown |= 1UL << field.Bit;
        }

        return (LeafFields)unknown
            | If(now.Mode != _previous.Mode, LeafFields.Mode)
            | If(now.Modified != _previous.Modified, LeafFields.Modified)
            | If(now.Changed != now.Modified, LeafFields.Changed)
            | If(now.Created is not null, LeafFields.Created)
            | If(now.FileId != _previous.FileId, LeafFields.FileId)
            | If(!IsEmpty(entry.Content), LeafFields.Content)
            | If(entry.Attributes.Count > 0, LeafFields.Attributes)
            | If(now.UserId != _previous.UserId, LeafFields.UserId)
            | If(now.GroupId != _previous.GroupId, LeafFields.GroupId)
            | If(now.LinkCount != 1, LeafFields.LinkCount)
            | If(now.DeviceId != _previous.DeviceId, LeafFields.DeviceId)
            | If(now.DeviceNumber != 0, LeafFields.DeviceNumber)
            | If(!entry.LinkTarget.IsEmpty, LeafFields.LinkTarget)
            | If(entry.Size != LengthOf(entry.Content), LeafFields.Size);

        static LeafFields If(bool condition, LeafFields field) => condition ? field : LeafFields.None;
    }

    private void WriteContent(EntryContent content)
    {
        IReadOnlyList<ContentSlice> slices = content.Slices;
        if (slices.Count > 0)
        {
            _block.WriteVarint((ulong)slices.Count << 1);
            for (int i = 0; i < slices.Count; i++)
            {
                _slices.Write(_block, slices[i]);
            }

            return;
        }

        _block.WriteVarint(((ulong)content.Lists.Count << 1) | 1);
        foreach (SliceListReference list in content.Lists)
        {
            _block.WriteId(list.Id);
            _block.WriteVarint(list.Length);
        }
    }

    private void WriteAttributes(IReadOnlyList<EntryAttribute> attributes)
    {
        _block.WriteVarint(attributes.Count);
        foreach (EntryAttribute attribute in attributes)
        {
            _block.WriteByte((byte)attribute.Tag);
            _block.WriteCounted(attribute.Name.Span);
            _block.WriteCounted(attribute.Value.Span);
        }
    }

    // What a reader would refuse must never be written.
    private static void Check(ManifestEntry entry)
    {
        EntryContent content = entry.Content;
        bool isKnown = entry.Kind <= EntryKind.BlockDevice;
        bool sound = entry.Kind is > EntryKind.Unknown and < (EntryKind)(1 << ManifestFormat.KindBits)
            && entry.Metadata.Mode <= 0xfff
            && entry.LinkTarget.Length <= EntryPath.MaxLength
            && (entry.LinkTarget.IsEmpty || ((entry.Kind == EntryKind.SymbolicLink || !isKnown) && !entry.LinkTarget.Span.Contains((byte)0)))
            && (entry.Kind == EntryKind.File || !isKnown ? entry.Size >= 0 : entry.Size == 0 && IsEmpty(content))
            && content.Slices.Count <= EntryContent.MaxInlineSlices
            && content.Lists.Count <= ManifestFormat.MaxSliceLists
            && (content.Slices.Count == 0 || content.Lists.Count == 0)
            && (entry.Size == LengthOf(content) || !isKnown || (entry.Flags & (EntryFlags.Partial | EntryFlags.Unreadable)) != 0)
            && entry.Attributes.Count <= ManifestFormat.MaxAttributes
            && AreSound(entry.Attributes, content.Lists.Count)
            && AreStreamsSound(entry)
            && AreSound(entry.UnknownFields);
        if (!sound)
        {
            throw new InvalidOperationException($"The entry '{entry.Path}' breaks the rules of the manifest.");
        }
    }

    private static bool AreSound(IReadOnlyList<EntryAttribute> attributes, int lists)
    {
        long length = attributes.Count == 0 ? 0 : attributes.Sum(a => (long)a.Name.Length + a.Value.Length);
        return length <= ManifestFormat.MaxAttributeBytes && length + (lists * SliceListReference.MaxEncodedLength) <= ManifestFormat.MaxEntryBytes;
    }

    private static bool AreStreamsSound(ManifestEntry entry)
    {
        if (!entry.HasAttribute(AttributeTag.LongStream))
        {
            return true;
        }

        try
        {
            foreach (EntryAttribute attribute in entry.Attributes.Where(attribute => attribute.Tag == AttributeTag.LongStream))
            {
                ItemContent.Check(attribute.Name.Span, attribute.Value.Span, default);
            }

            return true;
        }
        catch (BackupException e) when (e.IsDamage)
        {
            return false;
        }
    }

    private static bool AreSound(IReadOnlyList<UnknownField> fields)
    {
        int before = ManifestFormat.FirstUnknownField - 1;
        long length = 0;
        foreach (UnknownField field in fields)
        {
            if (field.Bit <= before || field.Bit > 63)
            {
                return false;
            }

            before = field.Bit;
            length += field.Value.Length;
        }

        return length <= ManifestFormat.MaxUnknownBytes;
    }

    private static bool IsEmpty(EntryContent content) => content.Slices.Count == 0 && content.Lists.Count == 0;

    private static long LengthOf(EntryContent content)
    {
        long length = 0;
        for (int i = 0; i < content.Slices.Count; i++)
        {
            length += content.Slices[i].Length;
        }

        for (int i = 0; i < content.Lists.Count; i++)
        {
            length += content.Lists[i].Length;
        }

        return length;
    }
}
