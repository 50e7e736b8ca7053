using System.Numerics;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Chunks;

namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>
/// Reads a leaf block entry by entry. Passing over an entry checks all of it and allocates nothing; only
/// <see cref="ToEntry"/> makes objects. Attributes and link targets of those point into the block.
/// </summary>
internal sealed class LeafReader
{
    private readonly ChunkId _id;
    private readonly ReadOnlyMemory<byte> _block;
    private readonly SliceDecoder _slices = new();
    private readonly List<SliceListReference> _lists = [];
    private ContentSlice[] _inline = new ContentSlice[4];
    private byte[] _path = new byte[256];
    private int _pathLength;
    private int _position;
    private bool _started;

    private EntryKind _kind;
    private EntryFlags _flags;
    private uint _mode;
    private uint _userId;
    private uint _groupId;
    private ItemTime _modified;
    private ItemTime _changed;
    private ItemTime? _created;
    private ulong _fileId;
    private ulong _deviceId;
    private uint _linkCount;
    private ulong _deviceNumber;
    private long _size;
    private int _inlineCount;
    private Range _linkTarget;
    private int _attributeCount;
    private int _attributesAt;
    private bool _hasLongStreams;
    private ulong _unknown;
    private int _unknownAt;

    /// <summary>Opens a block; the first entry is reached by <see cref="MoveNext"/>.</summary>
    /// <param name="id">The block's name, for messages.</param>
    /// <param name="block">Its plaintext.</param>
    public LeafReader(ChunkId id, ReadOnlyMemory<byte> block)
    {
        _id = id;
        _block = block;
        if (block.Length is 0 or > ManifestFormat.MaxBlockBytes)
        {
            throw ManifestFormat.Damaged(id, $"it has {block.Length} bytes");
        }

        if (block.Span[0] != ManifestFormat.Version)
        {
            throw ManifestFormat.Damaged(id, $"version {block.Span[0]} of its encoding is not known");
        }

        _position = 1;
    }

    /// <summary>The path of the entry reached last; it stays when the end is reached.</summary>
    public ReadOnlySpan<byte> Path => _path.AsSpan(0, _pathLength);

    /// <summary>What the entry reached is.</summary>
    public EntryKind Kind => _kind;

    /// <summary>The size of the entry reached.</summary>
    public long Size => _size;

    /// <summary>All that the entry reached has of bytes: the content of a file, and the long streams of whatever it is. Every chunk that the entry needs is named
    /// in these.</summary>
    public IReadOnlyList<ItemContent> Contents
    {
        get
        {
            ItemContent[] own = _inlineCount > 0 || _lists.Count > 0 ? [new ItemContent(default, ToContent())] : [];
            return _hasLongStreams
                ? [.. own, .. ToAttributes().Where(attribute => attribute.Tag == AttributeTag.LongStream).Select(ItemContent.Of)]
                : own;
        }
    }

    /// <summary>Whether the entry reached is a folder.</summary>
    public bool IsDirectory => _kind == EntryKind.Directory;

    /// <summary>Goes on to the next entry; false at the end of the block.</summary>
    public bool MoveNext()
    {
        var block = new BlockReader(_block.Span, in _id, _position);
        if (block.AtEnd)
        {
            return false;
        }

        PathCoding.Read(ref block, ref _path, ref _pathLength, isFirst: !_started);
        _started = true;

        long head = block.ReadNumber((1L << (ManifestFormat.KindBits + ManifestFormat.FlagBits)) - 1);
        _kind = (EntryKind)(head & ((1 << ManifestFormat.KindBits) - 1));
        _flags = (EntryFlags)(head >> ManifestFormat.KindBits);
        if (_kind == EntryKind.Unknown)
        {
            throw block.Damaged("an entry has no kind");
        }

        var fields = (LeafFields)block.ReadVarint();
        if ((fields & LeafFields.Mode) != 0)
        {
            _mode = (uint)block.ReadNumber(0xfff);
        }

        if ((fields & LeafFields.Modified) != 0)
        {
            _modified = block.ReadTime(_modified);
        }

        _changed = (fields & LeafFields.Changed) != 0 ? block.ReadTime(_changed) : _modified;
        _created = (fields & LeafFields.Created) != 0 ? block.ReadTime(_changed) : null;
        if ((fields & LeafFields.FileId) != 0)
        {
            _fileId = unchecked((ulong)block.ReadDelta((long)_fileId));
        }

        _size = (fields & LeafFields.Content) != 0 ? ReadContent(ref block) : ReadNoContent();
        _attributeCount = 0;
        _hasLongStreams = false;
        if ((fields & LeafFields.Attributes) != 0)
        {
            PassAttributes(ref block);
        }

        if ((fields & LeafFields.UserId) != 0)
        {
            _userId = (uint)block.ReadNumber(uint.MaxValue);
        }

        if ((fields & LeafFields.GroupId) != 0)
        {
            _groupId = (uint)block.ReadNumber(uint.MaxValue);
        }

        _linkCount = (fields & LeafFields.LinkCount) != 0 ? (uint)block.ReadNumber(uint.MaxValue) : 1;
        if ((fields & LeafFields.DeviceId) != 0)
        {
            _deviceId = block.ReadVarint();
        }

        _deviceNumber = (fields & LeafFields.DeviceNumber) != 0 ? block.ReadVarint() : 0;
        _linkTarget = (fields & LeafFields.LinkTarget) != 0 ? ReadLinkTarget(ref block) : default;
        if ((fields & LeafFields.Size) != 0)
        {
            ReadSize(ref block);
        }

        _unknown = (ulong)fields >> ManifestFormat.FirstUnknownField;
        if (_unknown != 0)
        {
            PassUnknown(ref block);
        }

        _position = block.Position;
        return true;
    }

    /// <summary>The entry reached, as an object of its own.</summary>
    public ManifestEntry ToEntry() => new()
    {
        Path = new EntryPath(Path.ToArray()),
        Kind = _kind,
        Flags = _flags,
        Metadata = new EntryMetadata
        {
            Mode = _mode,
            UserId = _userId,
            GroupId = _groupId,
            Modified = _modified,
            Changed = _changed,
            Created = _created,
            FileId = _fileId,
            DeviceId = _deviceId,
            LinkCount = _linkCount,
            DeviceNumber = _deviceNumber,
        },
        Size = _size,
        Content = ToContent(),
        LinkTarget = _block[_linkTarget],
        Attributes = _attributeCount == 0 ? [] : ToAttributes(),
        UnknownFields = _unknown == 0 ? [] : ToUnknownFields(),
    };

    // What only a later version knows may have what it will.
    private bool IsKnownKind => _kind <= EntryKind.BlockDevice;

    private long ReadNoContent()
    {
        _inlineCount = 0;
        _lists.Clear();
        return 0;
    }

    private long ReadContent(ref BlockReader block)
    {
        ReadNoContent();
        if (_kind != EntryKind.File && IsKnownKind)
        {
            throw block.Damaged("something other than a file has content");
        }

        ulong head = block.ReadVarint();
        ulong count = head >> 1;
        bool listed = (head & 1) != 0;
        if (count == 0 || count > (listed ? ManifestFormat.MaxSliceLists : (ulong)EntryContent.MaxInlineSlices))
        {
            throw block.Damaged($"a file has {count} slices or lists");
        }

        long size = 0;
        for (int i = 0; i < (int)count; i++)
        {
            long length = listed ? ReadListReference(ref block) : ReadSlice(ref block);
            if (length > long.MaxValue - size)
            {
                throw block.Damaged("a file has too many bytes");
            }

            size += length;
        }

        return size;
    }

    private long ReadSlice(ref BlockReader block)
    {
        if (_inlineCount == _inline.Length)
        {
            Array.Resize(ref _inline, _inlineCount * 2);
        }

        ref ContentSlice slice = ref _inline[_inlineCount++];
        _slices.Read(ref block, out slice);
        return slice.Length;
    }

    private long ReadListReference(ref BlockReader block)
    {
        ChunkId id = block.ReadId();
        long length = block.ReadNumber(long.MaxValue);
        if (length == 0)
        {
            throw block.Damaged("a slice list is empty");
        }

        _lists.Add(new SliceListReference(id, length));
        return length;
    }

    private Range ReadLinkTarget(ref BlockReader block)
    {
        int length = (int)block.ReadNumber(EntryPath.MaxLength);
        int start = block.Position;
        ReadOnlySpan<byte> target = block.ReadBytes(length);
        if ((_kind != EntryKind.SymbolicLink && IsKnownKind) || target.IsEmpty || target.Contains((byte)0))
        {
            throw block.Damaged("a link target is not legal");
        }

        return start..(start + length);
    }

    private void PassAttributes(ref BlockReader block)
    {
        _attributeCount = (int)block.ReadNumber(ManifestFormat.MaxAttributes);
        _attributesAt = block.Position;
        int left = ManifestFormat.MaxAttributeBytes;
        if (_attributeCount == 0)
        {
            throw block.Damaged("an entry's attributes are empty");
        }

        for (int i = 0; i < _attributeCount; i++)
        {
            var tag = (AttributeTag)block.ReadByte();
            ReadOnlySpan<byte> name = block.ReadBytes((int)block.ReadNumber(left));
            left -= name.Length;
            ReadOnlySpan<byte> value = block.ReadBytes((int)block.ReadNumber(left));
            left -= value.Length;
            if (tag == AttributeTag.LongStream)
            {
                ItemContent.Check(name, value, in _id);
                _hasLongStreams = true;
            }
        }
    }

    private void PassUnknown(ref BlockReader block)
    {
        _unknownAt = block.Position;
        int left = ManifestFormat.MaxUnknownBytes;
        for (int count = BitOperations.PopCount(_unknown); count > 0; count--)
        {
            left -= block.ReadBytes((int)block.ReadNumber(left)).Length;
        }
    }

    private void ReadSize(ref BlockReader block)
    {
        bool mayDiffer = !IsKnownKind || (_kind == EntryKind.File && (_flags & (EntryFlags.Partial | EntryFlags.Unreadable)) != 0);
        long size = block.ReadNumber(long.MaxValue);
        if (!mayDiffer || size == _size)
        {
            throw block.Damaged("the size of an entry does not fit its content");
        }

        _size = size;
    }

    private EntryContent ToContent()
    {
        if (_inlineCount > 0)
        {
            return new EntryContent(_inline.AsSpan(0, _inlineCount).ToArray(), []);
        }

        return _lists.Count > 0 ? new EntryContent([], [.. _lists]) : EntryContent.Empty;
    }

    private EntryAttribute[] ToAttributes()
    {
        var attributes = new EntryAttribute[_attributeCount];
        var block = new BlockReader(_block.Span, in _id, _attributesAt);
        for (int i = 0; i < attributes.Length; i++)
        {
            var tag = (AttributeTag)block.ReadByte();
            ReadOnlyMemory<byte> name = Counted(ref block);
            attributes[i] = new EntryAttribute(tag, name, Counted(ref block));
        }

        return attributes;
    }

    private UnknownField[] ToUnknownFields()
    {
        var fields = new UnknownField[BitOperations.PopCount(_unknown)];
        var block = new BlockReader(_block.Span, in _id, _unknownAt);
        ulong left = _unknown;
        for (int i = 0; i < fields.Length; i++, left &= left - 1)
        {
            fields[i] = new UnknownField(ManifestFormat.FirstUnknownField + BitOperations.TrailingZeroCount(left), Counted(ref block));
        }

        return fields;
    }

    private ReadOnlyMemory<byte> Counted(ref BlockReader block)
    {
        int length = (int)block.ReadNumber(ManifestFormat.MaxBlockBytes);
        int start = block.Position;
        block.ReadBytes(length);
        return _block.Slice(start, length);
    }
}
