using System.Buffers.Binary;

namespace MSOnlineBackup.Disks.Ntfs;

/// <summary>The beginning of $LogFile, which says whether the volume was let go.</summary>
internal static class NtfsLog
{
    /// <summary>How many bytes of it are looked at: two restart pages.</summary>
    public const int Length = 2 * LargestPage;

    private const int LargestPage = 64 << 10;
    private const int NoClient = 0xFFFF;
    private const int CleanFlag = 2;

    /// <summary>Whether all that it tells of is in its place.</summary>
    public static bool IsClean(ReadOnlySpan<byte> log)
    {
        uint page = log.Length < 20 ? 0 : BinaryPrimitives.ReadUInt32LittleEndian(log[16..]);
        (long lsn, bool clean) first = Restart(log);
        (long lsn, bool clean) second = page is >= 512 and <= LargestPage && log.Length > page ? Restart(log[(int)page..]) : (long.MinValue, true);
        return first.lsn >= second.lsn ? first.clean : second.clean;
    }

    // One that was emptied, or is none, tells of nothing.
    private static (long Lsn, bool Clean) Restart(ReadOnlySpan<byte> page)
    {
        int at = page.Length >= 26 && page[..4].SequenceEqual("RSTR"u8) ? BinaryPrimitives.ReadUInt16LittleEndian(page[24..]) : int.MaxValue;
        if (at > page.Length - 16)
        {
            return (long.MinValue, true);
        }

        ReadOnlySpan<byte> area = page[at..];
        bool isClean = BinaryPrimitives.ReadUInt16LittleEndian(area[12..]) == NoClient || (BinaryPrimitives.ReadUInt16LittleEndian(area[14..]) & CleanFlag) != 0;
        return (BinaryPrimitives.ReadInt64LittleEndian(area), isClean);
    }
}
