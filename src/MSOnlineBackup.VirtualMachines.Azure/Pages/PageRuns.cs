namespace MSOnlineBackup.VirtualMachines.Azure.Pages;

/// <summary>Runs of bytes of a disk, in order, none of which touches another.</summary>
internal sealed class PageRuns
{
    private readonly List<(long Start, long End)> _runs;

    private PageRuns(List<(long Start, long End)> runs) => _runs = runs;

    /// <summary>No run.</summary>
    public static PageRuns None { get; } = new([]);

    /// <summary>From where each goes, and up to where, exclusively.</summary>
    public IReadOnlyList<(long Start, long End)> Runs => _runs;

    /// <summary>How many bytes they have.</summary>
    public long Bytes => _runs.Sum(run => run.End - run.Start);

    /// <summary>Puts runs in order, in whatever order they come, and joins those that touch.</summary>
    public static PageRuns Of(IEnumerable<(long Start, long End)> runs)
    {
        var joined = new List<(long Start, long End)>();
        foreach ((long start, long end) in runs.Where(run => run.Start < run.End).OrderBy(run => run.Start))
        {
            if (joined is [.., var last] && start <= last.End)
            {
                joined[^1] = (last.Start, Math.Max(last.End, end));
            }
            else
            {
                joined.Add((start, end));
            }
        }

        return new PageRuns(joined);
    }

    /// <summary>What lies in these or in others.</summary>
    public PageRuns With(PageRuns others) => Of(_runs.Concat(others._runs));

    /// <summary>What lies in these and not in others.</summary>
    public PageRuns Without(PageRuns others)
    {
        var left = new List<(long Start, long End)>();
        int next = 0;
        foreach ((long start, long end) in _runs)
        {
            long at = start;
            while (next < others._runs.Count && others._runs[next].End <= at)
            {
                next++;
            }

            for (int index = next; index < others._runs.Count && others._runs[index].Start < end; index++)
            {
                if (others._runs[index].Start > at)
                {
                    left.Add((at, others._runs[index].Start));
                }

                at = Math.Max(at, others._runs[index].End);
            }

            if (at < end)
            {
                left.Add((at, end));
            }
        }

        return new PageRuns(left);
    }

    /// <summary>What lies both in these and in others.</summary>
    public PageRuns Within(PageRuns others) => Without(Without(others));

    /// <summary>These, each begun and ended at multiples of a number of bytes, and none beyond an end.</summary>
    public PageRuns Widened(int grid, long end) => Of(_runs.Select(run => (run.Start - (run.Start % grid), Math.Min(end, run.End + ((grid - (run.End % grid)) % grid)))));

    /// <summary>Whether they are the same.</summary>
    public bool IsSame(PageRuns others) => _runs.SequenceEqual(others._runs);

    /// <summary>The first run that ends after an offset, from the offset on; null where there is none.</summary>
    public (long Start, long End)? From(long offset)
    {
        int low = 0;
        int high = _runs.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = _runs[middle].End <= offset ? (middle + 1, high) : (low, middle);
        }

        return low == _runs.Count ? null : (Math.Max(offset, _runs[low].Start), _runs[low].End);
    }
}
