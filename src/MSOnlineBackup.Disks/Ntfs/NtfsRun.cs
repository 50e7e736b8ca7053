using System.Buffers.Binary;

namespace MSOnlineBackup.Disks.Ntfs;

/// <summary>Clusters of an attribute that lie side by side on the volume.</summary>
/// <param name="Start">The first, counted from the attribute's first.</param>
/// <param name="Cluster">Where it is on the volume; negative: nowhere, all are zeroes.</param>
/// <param name="Count">How many.</param>
internal readonly record struct NtfsRun(long Start, long Cluster, long Count)
{
    /// <summary>Whether it is nowhere.</summary>
    public bool IsHole => Cluster < 0;

    /// <summary>The cluster after the last, counted from the attribute's first.</summary>
    public long End => Start + Count;

    /// <summary>Reads the mapping pairs of a record: lengths, and differences of positions.</summary>
    /// <param name="pairs">From the first pair on.</param>
    /// <param name="lowest">The first cluster that they tell.</param>
    /// <param name="highest">The last; lowest - 1 where there is none.</param>
    /// <param name="clusters">How many clusters the volume has.</param>
    public static NtfsRun[] Decode(ReadOnlySpan<byte> pairs, long lowest, long highest, long clusters)
    {
        var runs = new List<NtfsRun>();
        long start = lowest;
        long position = 0;
        while (!pairs.IsEmpty && pairs[0] != 0)
        {
            int lengthBytes = pairs[0] & 0xF;
            int positionBytes = pairs[0] >> 4;
            if (lengthBytes is 0 or > 8 || positionBytes > 8 || pairs.Length < 1 + lengthBytes + positionBytes)
            {
                throw NtfsFault.Corrupt("a list of runs is cut off");
            }

            long count = Signed(pairs.Slice(1, lengthBytes));
            if (count < 1 || count > highest - start + 1)
            {
                throw NtfsFault.Corrupt($"a run has {count} clusters");
            }

            if (positionBytes == 0)
            {
                runs.Add(new NtfsRun(start, -1, count));
            }
            else
            {
                position = unchecked(position + Signed(pairs.Slice(1 + lengthBytes, positionBytes)));
                if (position < 0 || position >= clusters || count > clusters - position)
                {
                    throw NtfsFault.Corrupt("a run lies beyond the volume's end");
                }

                runs.Add(new NtfsRun(start, position, count));
            }

            start += count;
            pairs = pairs[(1 + lengthBytes + positionBytes)..];
        }

        return start == highest + 1 ? [.. runs] : throw NtfsFault.Corrupt("a list of runs ends too early");
    }

    private static long Signed(ReadOnlySpan<byte> bytes)
    {
        Span<byte> number = stackalloc byte[8];
        number.Fill((byte)(bytes[^1] >= 0x80 ? 0xFF : 0));
        bytes.CopyTo(number);
        return BinaryPrimitives.ReadInt64LittleEndian(number);
    }
}
