using System.Buffers.Binary;

namespace MSOnlineBackup.Disks.Ntfs;

/// <summary>A record of $MFT: a file, a folder, or more attributes of one that has no room for them in its own.</summary>
internal sealed class NtfsRecord
{
    private const int ShortestHeader = 42;

    private NtfsRecord()
    {
    }

    /// <summary>Its number and, in the upper 16 bits, how often that was taken: what folders know it by.</summary>
    public required ulong Reference { get; init; }

    /// <summary>Its number.</summary>
    public long Number => (long)(Reference & NumberMask);

    /// <summary>Whether it is a folder's.</summary>
    public required bool IsFolder { get; init; }

    /// <summary>How many names it has, short ones of DOS among them.</summary>
    public required int Names { get; init; }

    /// <summary>The reference of the record that it belongs to; 0: it is a file's own.</summary>
    public required ulong Base { get; init; }

    public required IReadOnlyList<NtfsAttribute> Attributes { get; init; }

    /// <summary>What of a reference is the number.</summary>
    public const ulong NumberMask = 0xFFFF_FFFF_FFFF;

    /// <summary>Reads one.</summary>
    /// <param name="bytes">As they are on the volume; they are changed.</param>
    /// <param name="number">Its number.</param>
    /// <exception cref="Vaults.Errors.BackupException">VolumeCorrupt; also where the record is free.</exception>
    public static NtfsRecord Decode(Memory<byte> bytes, long number)
    {
        string name = $"record {number}";
        Span<byte> span = bytes.Span;
        if (!span[..4].SequenceEqual("FILE"u8))
        {
            throw NtfsFault.Corrupt($"{name} is no record");
        }

        NtfsFixups.Apply(span, name);
        int flags = BinaryPrimitives.ReadUInt16LittleEndian(span[22..]);
        if ((flags & 1) == 0)
        {
            throw NtfsFault.Corrupt($"{name} is free");
        }

        // From version 3.1 on a record knows its number.
        if (BinaryPrimitives.ReadUInt16LittleEndian(span[4..]) >= 48 && BinaryPrimitives.ReadUInt32LittleEndian(span[44..]) != unchecked((uint)number))
        {
            throw NtfsFault.Corrupt($"in the place of {name} is another");
        }

        uint used = BinaryPrimitives.ReadUInt32LittleEndian(span[24..]);
        int at = BinaryPrimitives.ReadUInt16LittleEndian(span[20..]);
        if (used > span.Length || at < ShortestHeader || at % 4 != 0)
        {
            throw NtfsFault.Corrupt($"{name} is longer than it may be");
        }

        ulong sequence = BinaryPrimitives.ReadUInt16LittleEndian(span[16..]);
        return new NtfsRecord
        {
            Reference = (ulong)number | (sequence << 48),
            IsFolder = (flags & 2) != 0,
            Names = BinaryPrimitives.ReadUInt16LittleEndian(span[18..]),
            Base = BinaryPrimitives.ReadUInt64LittleEndian(span[32..]),
            Attributes = Split(bytes[..(int)used], at, name),
        };
    }

    /// <summary>The first attribute of a kind that stands in this record; null where there is none.</summary>
    public NtfsAttribute? Find(NtfsAttributeType type, string name = "") =>
        Attributes.FirstOrDefault(attribute => attribute.Type == type && attribute.Name == name);

    private static List<NtfsAttribute> Split(ReadOnlyMemory<byte> bytes, int at, string name)
    {
        var attributes = new List<NtfsAttribute>();
        while (true)
        {
            ReadOnlySpan<byte> rest = at + 4 <= bytes.Length ? bytes.Span[at..] : throw NtfsFault.Corrupt($"{name} has no end");
            if (BinaryPrimitives.ReadUInt32LittleEndian(rest) == (uint)NtfsAttributeType.End)
            {
                return attributes;
            }

            uint length = rest.Length < 24 ? 0 : BinaryPrimitives.ReadUInt32LittleEndian(rest[4..]);
            if (length < 24 || length > rest.Length || length % 8 != 0)
            {
                throw NtfsFault.Corrupt($"an attribute of {name} has {length} bytes");
            }

            attributes.Add(NtfsAttribute.Decode(bytes.Slice(at, (int)length)));
            at += (int)length;
        }
    }
}
