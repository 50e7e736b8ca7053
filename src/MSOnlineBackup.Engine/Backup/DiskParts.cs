using MSOnlineBackup.Engine.Sources;

namespace MSOnlineBackup.Engine.Backup;

/// <summary>A run of blocks of a disk.</summary>
/// <param name="Start">Where it begins: a multiple of the grid.</param>
/// <param name="End">Where it ends: a multiple of the grid, or the end of the disk.</param>
/// <param name="IsKnown">Whether its bytes are as an earlier recovery point has them.</param>
internal readonly record struct DiskPart(long Start, long End, bool IsKnown)
{
    /// <summary>Divides a disk into runs of blocks that changed and runs of those that did not, in order.</summary>
    /// <param name="length">How long the disk is.</param>
    /// <param name="earlier">How long it was.</param>
    /// <param name="changes">What was written since.</param>
    /// <param name="grid">How long blocks are.</param>
    public static IEnumerable<DiskPart> Divide(long length, long earlier, DiskChanges changes, int grid)
    {
        // Of a disk that has grown the last block may have been a short one.
        long known = earlier < length ? earlier - (earlier % grid) : length;
        long position = 0;
        foreach ((long start, long count) in changes.Extents)
        {
            if (start >= known)
            {
                break;
            }

            long first = start - (start % grid);
            long end = count > known - start ? known : Math.Min(known, RoundUp(start + count, grid));
            if (end <= position)
            {
                continue;
            }

            if (first > position)
            {
                yield return new DiskPart(position, first, IsKnown: true);
                position = first;
            }

            yield return new DiskPart(position, end, IsKnown: false);
            position = end;
        }

        if (position < known)
        {
            yield return new DiskPart(position, known, IsKnown: true);
        }

        if (known < length)
        {
            yield return new DiskPart(known, length, IsKnown: false);
        }
    }

    /// <summary>Whether what was written can be believed: extents with bytes, in order, without overlap.</summary>
    public static bool IsOrdered(DiskChanges changes)
    {
        long end = 0;
        foreach ((long start, long length) in changes.Extents)
        {
            if (start < end || length < 1 || length > long.MaxValue - start)
            {
                return false;
            }

            end = start + length;
        }

        return true;
    }

    /// <summary>The next multiple of the grid, at or after an offset.</summary>
    public static long RoundUp(long offset, int grid) => offset > long.MaxValue - grid ? long.MaxValue - (long.MaxValue % grid) : (offset + grid - 1) / grid * grid;
}
