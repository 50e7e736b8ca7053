using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace MSOnlineBackup.Disks.Ntfs;

/// <summary>The kinds of attributes that are read.</summary>
internal enum NtfsAttributeType : uint
{
    StandardInformation = 0x10,
    AttributeList = 0x20,
    FileName = 0x30,
    VolumeName = 0x60,
    VolumeInformation = 0x70,
    Data = 0x80,
    IndexRoot = 0x90,
    IndexAllocation = 0xA0,
    ReparsePoint = 0xC0,
    End = 0xFFFF_FFFF,
}

/// <summary>An attribute of a file as it stands in a record, or the part of it that does.</summary>
internal sealed class NtfsAttribute
{
    /// <summary>No file is larger: 8 PiB.</summary>
    private const long LongestFile = 1L << 53;

    private const int LargestUnitShift = 8;

    public required NtfsAttributeType Type { get; init; }

    /// <summary>Empty for most; "$I30" for a folder's index.</summary>
    public required string Name { get; init; }

    /// <summary>Its number in its record.</summary>
    public required ushort Number { get; init; }

    /// <summary>How it is compressed; 0: not at all, 1: LZNT1.</summary>
    public required int Compression { get; init; }

    /// <summary>Whether its bytes are encrypted.</summary>
    public required bool IsEncrypted { get; init; }

    /// <summary>Its value, where that stands in the record; null where it has clusters.</summary>
    public ReadOnlyMemory<byte>? Value { get; private init; }

    /// <summary>The first cluster that this part tells.</summary>
    public long Lowest { get; private init; }

    /// <summary>The last; <see cref="Lowest"/> - 1 where it has none.</summary>
    public long Highest { get; private init; } = -1;

    /// <summary>How many bytes it has; told by its first part.</summary>
    public long Length { get; private init; }

    /// <summary>How many bytes were ever written: those after them are zeroes; told by its first part.</summary>
    public long ValidLength { get; private init; }

    /// <summary>Of a compressed one: the logarithm of how many clusters are compressed together.</summary>
    public int UnitShift { get; private init; }

    private ReadOnlyMemory<byte> Pairs { get; init; }

    /// <summary>Reads it.</summary>
    /// <param name="bytes">From its first byte to its last.</param>
    public static NtfsAttribute Decode(ReadOnlyMemory<byte> bytes)
    {
        ReadOnlySpan<byte> span = bytes.Span;
        bool hasClusters = span[8] != 0;
        int nameLength = span[9] * 2;
        int nameAt = BinaryPrimitives.ReadUInt16LittleEndian(span[10..]);
        int flags = BinaryPrimitives.ReadUInt16LittleEndian(span[12..]);
        var type = (NtfsAttributeType)BinaryPrimitives.ReadUInt32LittleEndian(span);
        if (nameLength > 0 && nameAt + nameLength > span.Length)
        {
            throw NtfsFault.Corrupt($"the name of an attribute (0x{(uint)type:x}) lies beyond it");
        }

        string name = nameLength == 0 ? "" : new string(MemoryMarshal.Cast<byte, char>(span.Slice(nameAt, nameLength)));
        ushort number = BinaryPrimitives.ReadUInt16LittleEndian(span[14..]);
        bool encrypted = (flags & 0x4000) != 0;
        if (!hasClusters)
        {
            uint length = BinaryPrimitives.ReadUInt32LittleEndian(span[16..]);
            int at = BinaryPrimitives.ReadUInt16LittleEndian(span[20..]);
            return at <= span.Length && length <= span.Length - at
                ? new NtfsAttribute { Type = type, Name = name, Number = number, Compression = 0, IsEncrypted = encrypted, Value = bytes.Slice(at, (int)length), Length = length, ValidLength = length }
                : throw NtfsFault.Corrupt($"the value of an attribute (0x{(uint)type:x}) lies beyond it");
        }

        int pairsAt = span.Length < 64 ? int.MaxValue : BinaryPrimitives.ReadUInt16LittleEndian(span[32..]);
        if (pairsAt > span.Length)
        {
            throw NtfsFault.Corrupt($"the runs of an attribute (0x{(uint)type:x}) lie beyond it");
        }

        var attribute = new NtfsAttribute
        {
            Type = type,
            Name = name,
            Number = number,
            Compression = flags & 0xFF,
            IsEncrypted = encrypted,
            Lowest = BinaryPrimitives.ReadInt64LittleEndian(span[16..]),
            Highest = BinaryPrimitives.ReadInt64LittleEndian(span[24..]),
            UnitShift = span[34],
            Length = BinaryPrimitives.ReadInt64LittleEndian(span[48..]),
            ValidLength = BinaryPrimitives.ReadInt64LittleEndian(span[56..]),
            Pairs = bytes[pairsAt..],
        };
        attribute.Check();
        return attribute;
    }

    /// <summary>The clusters that this part tells.</summary>
    /// <param name="clusters">How many the volume has.</param>
    public NtfsRun[] Runs(long clusters) => NtfsRun.Decode(Pairs.Span, Lowest, Highest, clusters);

    private void Check()
    {
        bool isSound = Lowest is >= 0 and < LongestFile && Highest >= Lowest - 1 && Highest < LongestFile;
        if (isSound && Lowest == 0)
        {
            isSound = Length is >= 0 and <= LongestFile && ValidLength >= 0 && ValidLength <= Length && UnitShift <= LargestUnitShift;
        }

        if (!isSound)
        {
            throw NtfsFault.Corrupt($"the sizes of an attribute (0x{(uint)Type:x}) contradict each other");
        }
    }
}
