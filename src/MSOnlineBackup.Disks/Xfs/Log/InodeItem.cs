using System.Buffers.Binary;

namespace MSOnlineBackup.Disks.Xfs.Log;

/// <summary>Changes of an inode: its fields in the machine's own form, and its data or what tells where they are.</summary>
internal sealed class InodeItem
{
    private const int FormatLength = 56;
    private const int PackedLength = 52;
    private const int OwnerFields = 0x200 | 0x400;
    private const int DataFields = 2 | 4;
    private const int RootField = 8;
    private const int FieldsLength3 = 176;
    private const int FieldsLength2 = 96;
    private const int ForkAt3 = 176;
    private const int ForkAt2 = 100;
    private const int ChecksumAt = 100;
    private const int LsnAt = 112;
    private const ulong BigTime = 8;
    private const ulong ManyExtents = 16;
    private const int RootHeader = 4;

    // Where numbers of two, four and eight bytes are in both forms, but for times and what depends on flags.
    private static readonly int[] _of2 = [0, 2, 20, 22, 88, 90];
    private static readonly int[] _of4 = [8, 12, 16, 72, 84, 92];
    private static readonly int[] _of8 = [56, 64];

    private readonly LogItem _item;
    private readonly int _fields;
    private readonly int _offset;

    /// <summary>Reads one.</summary>
    /// <exception cref="Vaults.Errors.BackupException">VolumeCorrupt.</exception>
    public InodeItem(LogItem item)
    {
        ReadOnlySpan<byte> format = item.Format;
        if (format.Length is not (FormatLength or PackedLength) || item.Total < 2)
        {
            throw XfsFault.Corrupt("an inode in its log has another length");
        }

        int place = format.Length == FormatLength ? 40 : 36;
        _item = item;
        _fields = BinaryPrimitives.ReadInt32LittleEndian(format[4..]);
        Sector = BinaryPrimitives.ReadInt64LittleEndian(format[place..]);
        Count = BinaryPrimitives.ReadInt32LittleEndian(format[(place + 8)..]);
        _offset = BinaryPrimitives.ReadInt32LittleEndian(format[(place + 12)..]);
        if (Sector is < 0 or > long.MaxValue / 1024 || _offset < 0)
        {
            throw XfsFault.Corrupt("an inode in its log has a place that none has");
        }
    }

    /// <summary>Where the block of inodes is, in sectors of 512 bytes.</summary>
    public long Sector { get; }

    /// <summary>How many sectors that has.</summary>
    public int Count { get; }

    /// <summary>Brings it into place.</summary>
    /// <exception cref="Vaults.Errors.BackupException">VolumeCorrupt; VolumeUnsupported.</exception>
    public async ValueTask ApplyAsync(LogOverlay overlay, XfsSuperblock superblock, ulong lsn, CancellationToken cancellationToken)
    {
        if ((_fields & OwnerFields) != 0)
        {
            throw XfsFault.Unsupported("its log gives the extents of one file to another");
        }

        long place = (Sector * LogPlace.Sector) + _offset;
        byte[] inode = await overlay.ReadAsync(place, superblock.InodeSize, cancellationToken).ConfigureAwait(false);
        if (!inode.AsSpan(0, 2).SequenceEqual("IN"u8))
        {
            throw XfsFault.Corrupt("its log tells of an inode where none is");
        }

        if (!IsNewer(inode, superblock.Version, lsn))
        {
            Change(inode, superblock.Version == 5, lsn);
            await overlay.KeepAsync(place, inode, cancellationToken).ConfigureAwait(false);
        }
    }

    // Whether what is in the place was written later. Before version 5 a count tells, which is as good as any once one was brought into place.
    private bool IsNewer(ReadOnlySpan<byte> inode, int version, ulong lsn)
    {
        if (version == 5)
        {
            ulong there = BinaryPrimitives.ReadUInt64BigEndian(inode[LsnAt..]);
            return there is not (0 or ulong.MaxValue) && there > lsn;
        }

        ReadOnlySpan<byte> fields = _item.Regions[1].Span;
        int logged = fields.Length >= FieldsLength2 ? BinaryPrimitives.ReadUInt16LittleEndian(fields[30..]) : 0;
        int count = BinaryPrimitives.ReadUInt16BigEndian(inode[30..]);
        return logged < count && !(count == ushort.MaxValue && logged < ushort.MaxValue / 2);
    }

    private void Change(Span<byte> inode, bool isVersion3, ulong lsn)
    {
        ReadOnlySpan<byte> fields = _item.Regions[1].Span;
        int version = fields.Length > 4 ? fields[4] : 0;
        if (fields.Length != (isVersion3 ? FieldsLength3 : FieldsLength2) || fields[0] != 'N' || fields[1] != 'I' || (isVersion3 ? version != 3 : version is not (1 or 2)))
        {
            throw XfsFault.Corrupt("an inode in its log has another form");
        }

        SetFields(inode, fields, isVersion3, lsn);
        if ((_fields & (DataFields | RootField)) != 0)
        {
            int start = isVersion3 ? ForkAt3 : ForkAt2;
            int length = fields[82] == 0 ? inode.Length - start : fields[82] * 8;
            if (_item.Regions.Count < 3 || length > inode.Length - start)
            {
                throw XfsFault.Corrupt("an inode in its log lacks its data");
            }

            SetFork(inode.Slice(start, length), _item.Regions[2].Span, isVersion3);
        }

        if (isVersion3)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(inode[ChecksumAt..], XfsChecksum.Of(inode, ChecksumAt));
        }
    }

    private static void SetFields(Span<byte> inode, ReadOnlySpan<byte> fields, bool isVersion3, ulong lsn)
    {
        ulong flags = isVersion3 ? BinaryPrimitives.ReadUInt64LittleEndian(fields[120..]) : 0;
        void SwapTime(ReadOnlySpan<byte> from, Span<byte> to, int at)
        {
            if ((flags & BigTime) != 0)
            {
                Swap(from, to, at, 8);
                return;
            }

            Swap(from, to, at, 4);
            Swap(from, to, at + 4, 4);
        }

        foreach (int at in _of2)
        {
            Swap(fields, inode, at, 2);
        }

        foreach (int at in _of4)
        {
            Swap(fields, inode, at, 4);
        }

        foreach (int at in _of8)
        {
            Swap(fields, inode, at, 8);
        }

        // Its version, the forms of both forks, and where the second begins are bytes. That of version 1 has become one of version 2.
        inode[4] = Math.Max((byte)2, fields[4]);
        inode[5] = fields[5];
        inode[6] = inode[7] = 0;
        fields.Slice(82, 2).CopyTo(inode[82..]);
        inode.Slice(24, 8).Clear();
        if ((flags & ManyExtents) != 0)
        {
            Swap(fields, inode, 24, 8);
            Swap(fields, inode, 76, 4);
            Swap(fields, inode, 80, 2);
        }
        else
        {
            Swap(fields, inode, 76, 4);
            Swap(fields, inode, 80, 2);
        }

        foreach (int at in (ReadOnlySpan<int>)[32, 40, 48])
        {
            SwapTime(fields, inode, at);
        }

        if (isVersion3)
        {
            Swap(fields, inode, 104, 8);
            BinaryPrimitives.WriteUInt64BigEndian(inode[LsnAt..], lsn);
            Swap(fields, inode, 120, 8);
            Swap(fields, inode, 128, 4);
            inode.Slice(132, 12).Clear();
            SwapTime(fields, inode, 144);
            Swap(fields, inode, 152, 8);
            fields.Slice(160, 16).CopyTo(inode[160..]);
        }
    }

    private static void Swap(ReadOnlySpan<byte> from, Span<byte> to, int at, int length)
    {
        from.Slice(at, length).CopyTo(to[at..]);
        to.Slice(at, length).Reverse();
    }

    private void SetFork(Span<byte> fork, ReadOnlySpan<byte> data, bool isVersion3)
    {
        if ((_fields & RootField) == 0)
        {
            if (data.Length > fork.Length)
            {
                throw XfsFault.Corrupt("an inode in its log has too much data");
            }

            data.CopyTo(fork);
            return;
        }

        // The root of a tree: in memory with the header of a block, and with other room for the keys.
        int header = isVersion3 ? 72 : 24;
        int count = data.Length >= header ? BinaryPrimitives.ReadUInt16BigEndian(data[6..]) : int.MaxValue;
        int room = (fork.Length - RootHeader) / 16;
        int roomThere = (data.Length - header) / 16;
        if (count > room || count > roomThere)
        {
            throw XfsFault.Corrupt("the root of an inode's tree in its log has too many entries");
        }

        data.Slice(4, RootHeader).CopyTo(fork);
        data.Slice(header, count * 8).CopyTo(fork[RootHeader..]);
        data.Slice(header + (roomThere * 8), count * 8).CopyTo(fork[(RootHeader + (room * 8))..]);
    }
}
