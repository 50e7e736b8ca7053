using System.Buffers.Binary;

namespace MSOnlineBackup.Disks.Ntfs;

/// <summary>
/// The last two bytes of every 512 of a record or an index block stand in its update sequence array, and the same number in the place of all of
/// them: where one differs, not all of the block was written.
/// </summary>
internal static class NtfsFixups
{
    private const int Stride = 512;

    /// <summary>Puts the bytes where they belong.</summary>
    /// <param name="block">A whole number of 512 bytes; the array is behind its magic number.</param>
    /// <param name="name">What it is, for messages.</param>
    public static void Apply(Span<byte> block, string name)
    {
        int at = BinaryPrimitives.ReadUInt16LittleEndian(block[4..]);
        int count = BinaryPrimitives.ReadUInt16LittleEndian(block[6..]);
        int strides = block.Length / Stride;
        if (count != strides + 1 || at % 2 != 0 || at < 8 || at + (count * 2) > Stride - 2)
        {
            throw NtfsFault.Corrupt($"{name} has no sound update sequence");
        }

        ReadOnlySpan<byte> sequence = block.Slice(at, count * 2);
        for (int i = 1; i <= strides; i++)
        {
            Span<byte> last = block.Slice((i * Stride) - 2, 2);
            if (!last.SequenceEqual(sequence[..2]))
            {
                throw NtfsFault.Corrupt($"{name} was not written as a whole");
            }

            sequence.Slice(i * 2, 2).CopyTo(last);
        }
    }
}
