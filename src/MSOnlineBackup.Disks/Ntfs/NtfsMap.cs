namespace MSOnlineBackup.Disks.Ntfs;

/// <summary>
/// Where the clusters of an attribute are. One in many pieces has its runs in many records, and only those of one record are held at a time.
/// </summary>
/// <param name="parts">The first cluster of each part, in order; the first is 0.</param>
/// <param name="load">Gives the runs of a part.</param>
internal sealed class NtfsMap(IReadOnlyList<long> parts, Func<int, CancellationToken, ValueTask<NtfsRun[]>> load)
{
    private Loaded? _last;

    /// <summary>The run that a cluster is in, from that cluster on; null where it is in none.</summary>
    /// <param name="cluster">Counted from the attribute's first.</param>
    public async ValueTask<NtfsRun?> FindAsync(long cluster, CancellationToken cancellationToken)
    {
        int part = PartOf(cluster);
        Loaded? loaded = _last;
        if (loaded?.Part != part)
        {
            loaded = new Loaded(part, await load(part, cancellationToken).ConfigureAwait(false));
            Check(loaded);
            _last = loaded;
        }

        NtfsRun[] runs = loaded.Runs;
        (int from, int to) = (0, runs.Length);
        while (from < to)
        {
            int middle = (from + to) / 2;
            (from, to) = runs[middle].End <= cluster ? (middle + 1, to) : (from, middle);
        }

        if (from == runs.Length)
        {
            return null;
        }

        long skip = cluster - runs[from].Start;
        return new NtfsRun(cluster, runs[from].IsHole ? -1 : runs[from].Cluster + skip, runs[from].Count - skip);
    }

    private int PartOf(long cluster)
    {
        (int from, int to) = (0, parts.Count - 1);
        while (from < to)
        {
            int middle = (from + to + 1) / 2;
            (from, to) = parts[middle] <= cluster ? (middle, to) : (from, middle - 1);
        }

        return from;
    }

    private void Check(Loaded loaded)
    {
        long end = loaded.Runs.Length == 0 ? parts[loaded.Part] : loaded.Runs[^1].End;
        bool isSound = loaded.Runs.Length == 0 || loaded.Runs[0].Start == parts[loaded.Part];
        if (!isSound || (loaded.Part + 1 < parts.Count && end != parts[loaded.Part + 1]))
        {
            throw NtfsFault.Corrupt("the parts of an attribute do not follow each other");
        }
    }

    private sealed record Loaded(int Part, NtfsRun[] Runs);
}
