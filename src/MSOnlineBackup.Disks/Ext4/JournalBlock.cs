using System.Buffers.Binary;
using MSOnlineBackup.Disks.Reading;

namespace MSOnlineBackup.Disks.Ext4;

/// <summary>A block of the file system that the journal has.</summary>
/// <param name="Block">Where on the disk the journal has it.</param>
/// <param name="Sequence">The transaction that wrote it.</param>
/// <param name="IsEscaped">Whether its first four bytes were those with which the journal's own blocks begin.</param>
/// <param name="Checksum">Its sum; null where the journal has none.</param>
/// <param name="Seed">What the sum begins with.</param>
/// <param name="IsShort">Whether only half of the sum was kept.</param>
internal readonly record struct JournalBlock(long Block, uint Sequence, bool IsEscaped, uint? Checksum, uint Seed, bool IsShort)
{
    /// <summary>Whether bytes are those that were written.</summary>
    public bool IsSound(ReadOnlySpan<byte> bytes)
    {
        if (Checksum is not uint told)
        {
            return true;
        }

        uint sum = Crc32C.Add(Crc32C.Add(Seed, BinaryPrimitives.ReverseEndianness(Sequence)), bytes);
        return told == (IsShort ? sum & 0xFFFF : sum);
    }
}
