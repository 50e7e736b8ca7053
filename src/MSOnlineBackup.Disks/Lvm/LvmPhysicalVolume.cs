using System.Buffers.Binary;
using System.Text;
using MSOnlineBackup.Disks.Reading;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Disks.Lvm;

/// <summary>A part of a disk that belongs to a volume group.</summary>
/// <param name="Id">Its id, without dashes.</param>
/// <param name="Content">Its bytes.</param>
/// <param name="Text">What it says of its group; null where it says nothing, as others of the group do.</param>
/// <param name="Damage">Why it says nothing, where that is damage.</param>
internal sealed record LvmPhysicalVolume(string Id, IDiskContent Content, LvmSection? Text, BackupException? Damage)
{
    /// <summary>The name under which <c>blkid</c> knows one.</summary>
    public const string Kind = "LVM2_member";

    private const int Sector = 512;
    private const int LabelSectors = 4;
    private const int IdLength = 32;
    private const int TextHeader = 512;
    private const int PlaceAt = 40;
    private const int LongestText = 16 << 20;
    private const uint IgnoredFlag = 1;

    private static ReadOnlySpan<byte> AreaMagic => " LVM2 x[5A%r0N*>"u8;

    /// <summary>Whether the beginning of a part has a label.</summary>
    /// <param name="head">Its first four sectors.</param>
    public static bool IsOne(ReadOnlySpan<byte> head) => LabelIn(head) >= 0;

    /// <summary>Reads it; null where the part is none.</summary>
    /// <exception cref="BackupException">VolumeCorrupt; what reading gives.</exception>
    public static async ValueTask<LvmPhysicalVolume?> ReadAsync(IDiskContent content, CancellationToken cancellationToken)
    {
        byte[] head = new byte[Math.Min(Sector * LabelSectors, content.Length / Sector * Sector)];
        await content.ReadAsync(0, head, cancellationToken).ConfigureAwait(false);
        int at = LabelIn(head);
        if (at < 0)
        {
            return null;
        }

        (string id, List<(long Offset, long Size)> areas) = ReadLabel(head.AsSpan(at, Sector));
        LvmSection? best = null;
        BackupException? damage = null;
        foreach ((long offset, long size) in areas)
        {
            try
            {
                LvmSection? text = await ReadAreaAsync(content, offset, size, cancellationToken).ConfigureAwait(false);
                best = text is not null && (best is null || LvmGroup.SequenceOf(text) > LvmGroup.SequenceOf(best)) ? text : best;
            }
            catch (BackupException e) when (e.Id == BackupErrorId.VolumeCorrupt)
            {
                damage = e;
            }
        }

        return new LvmPhysicalVolume(id, content, best, best is null ? damage : null);
    }

    private static int LabelIn(ReadOnlySpan<byte> head)
    {
        for (int at = 0; at + Sector <= head.Length && at < Sector * LabelSectors; at += Sector)
        {
            if (head[at..].StartsWith("LABELONE"u8) && head[(at + 24)..].StartsWith("LVM2 001"u8))
            {
                return at;
            }
        }

        return -1;
    }

    // Two lists of places, each with a zero at its end: data, and texts.
    private static (string Id, List<(long Offset, long Size)> Areas) ReadLabel(ReadOnlySpan<byte> label)
    {
        uint header = BinaryPrimitives.ReadUInt32LittleEndian(label[20..]);
        if (LvmChecksum.Of(label[20..]) != BinaryPrimitives.ReadUInt32LittleEndian(label[16..]) || header is < 32 or > Sector - IdLength - 8)
        {
            throw LvmFault.Corrupt("its label has another checksum");
        }

        var areas = new List<(long Offset, long Size)>();
        ReadOnlySpan<byte> places = label[((int)header + IdLength + 8)..];
        for (int lists = 0; lists < 2; places = places[16..])
        {
            if (places.Length < 16)
            {
                throw LvmFault.Corrupt("its label has no end");
            }

            long offset = BinaryPrimitives.ReadInt64LittleEndian(places);
            if (offset == 0)
            {
                lists++;
            }
            else if (lists == 1)
            {
                areas.Add((offset, BinaryPrimitives.ReadInt64LittleEndian(places[8..])));
            }
        }

        return (Encoding.Latin1.GetString(label.Slice((int)header, IdLength)), areas);
    }

    // A text that reaches the end of its area goes on behind the area's header.
    private static async ValueTask<LvmSection?> ReadAreaAsync(IDiskContent content, long start, long size, CancellationToken cancellationToken)
    {
        if (start < 0 || size <= TextHeader || start > content.Length - size)
        {
            throw LvmFault.Corrupt("the place of its text lies outside");
        }

        byte[] header = new byte[TextHeader];
        await content.ReadAsync(start, header, cancellationToken).ConfigureAwait(false);
        if (!header.AsSpan(4, 16).SequenceEqual(AreaMagic) || LvmChecksum.Of(header.AsSpan(4)) != BinaryPrimitives.ReadUInt32LittleEndian(header))
        {
            throw LvmFault.Corrupt("the place of its text has another checksum");
        }

        long offset = BinaryPrimitives.ReadInt64LittleEndian(header.AsSpan(PlaceAt));
        long length = BinaryPrimitives.ReadInt64LittleEndian(header.AsSpan(PlaceAt + 8));
        uint flags = BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(PlaceAt + 20));
        if (offset == 0 || (flags & IgnoredFlag) != 0)
        {
            return null;
        }

        if (offset < TextHeader || offset >= size || length is < 1 or > LongestText || length > size - TextHeader)
        {
            throw LvmFault.Corrupt("its text lies outside of its place");
        }

        byte[] text = new byte[length];
        int first = (int)Math.Min(length, size - offset);
        await content.ReadAsync(start + offset, text.AsMemory(0, first), cancellationToken).ConfigureAwait(false);
        await content.ReadAsync(start + TextHeader, text.AsMemory(first), cancellationToken).ConfigureAwait(false);
        return LvmChecksum.Of(text) == BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(PlaceAt + 16))
            ? LvmGroup.Checked(LvmText.Parse(Encoding.UTF8.GetString(text).TrimEnd('\0')))
            : throw LvmFault.Corrupt("its text has another checksum");
    }
}
