using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Vaults.Ids;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Backup;

/// <summary>A disk in memory that counts what is read of it, and knows what was written since a recovery point. Only what was written takes room.</summary>
internal sealed class FakeDisk(long length) : ISourceDisk
{
    private const int Cluster = 64 << 10;

    private readonly SortedDictionary<long, byte[]> _clusters = [];
    private readonly SortedSet<long> _present = [];
    private readonly List<(long Start, long End)> _written = [];
    private readonly List<(long Start, int Length)> _reads = [];

    public long Length { get; private set; } = length;

    public DiskChanges? Changes { get; set; }

    /// <summary>Whether it says that all of it may be data.</summary>
    public bool KnowsNoHoles { get; set; }

    /// <summary>Called before each read with its offset.</summary>
    public Action<long>? Reading { get; set; }

    /// <summary>What was read, in order.</summary>
    public IReadOnlyList<(long Start, int Length)> Reads => _reads;

    public long ReadBytes => _reads.Sum(read => (long)read.Length);

    /// <summary>Writes, and remembers that.</summary>
    public FakeDisk Write(long offset, ReadOnlySpan<byte> content)
    {
        if (!content.IsEmpty)
        {
            _written.Add((offset, offset + content.Length));
        }

        while (!content.IsEmpty)
        {
            long cluster = offset / Cluster;
            int within = (int)(offset % Cluster);
            int count = Math.Min(content.Length, Cluster - within);
            if (!_clusters.TryGetValue(cluster, out byte[]? bytes))
            {
                _clusters[cluster] = bytes = new byte[Cluster];
                _present.Add(cluster);
            }

            content[..count].CopyTo(bytes.AsSpan(within));
            content = content[count..];
            offset += count;
        }

        return this;
    }

    /// <summary>Makes it longer or shorter. What is cut off is gone.</summary>
    public void Resize(long length)
    {
        foreach (long cluster in _present.Where(cluster => (cluster + 1) * Cluster > length).ToArray())
        {
            int kept = (int)Math.Max(0, length - (cluster * Cluster));
            _clusters[cluster].AsSpan(kept).Clear();
        }

        Length = length;
    }

    /// <summary>Tells what was written since the last <see cref="Commit"/> as what was since a recovery point, and counts anew what is read.</summary>
    public void Begin(SessionId? since)
    {
        Changes = since is { } point ? new DiskChanges(point, [.. Merged().Where(run => run.Start < Length)]) : null;
        _reads.Clear();
    }

    /// <summary>Forgets what was written.</summary>
    public void Commit() => _written.Clear();

    public byte[] ToArray()
    {
        byte[] content = new byte[Length];
        Copy(0, content);
        return content;
    }

    public bool TryGetDataRun(long offset, out long start, out long length)
    {
        (start, length) = (offset, Length - offset);
        if (KnowsNoHoles)
        {
            return length > 0;
        }

        foreach (long cluster in _present.GetViewBetween(offset / Cluster, Length / Cluster))
        {
            start = Math.Max(offset, cluster * Cluster);
            length = Math.Min(Length, (cluster + 1) * Cluster) - start;
            return length > 0;
        }

        return false;
    }

    public void Read(long offset, Span<byte> destination)
    {
        Assert.InRange(offset + destination.Length, 1, Length);
        Reading?.Invoke(offset);
        _reads.Add((offset, destination.Length));
        Copy(offset, destination);
    }

    public void Dispose()
    {
    }

    private void Copy(long offset, Span<byte> destination)
    {
        destination.Clear();
        for (long at = offset; at < offset + destination.Length;)
        {
            int within = (int)(at % Cluster);
            int count = (int)Math.Min(Cluster - within, offset + destination.Length - at);
            if (_clusters.TryGetValue(at / Cluster, out byte[]? bytes))
            {
                bytes.AsSpan(within, count).CopyTo(destination[(int)(at - offset)..]);
            }

            at += count;
        }
    }

    private IEnumerable<(long Start, long Length)> Merged()
    {
        (long Start, long End)? open = null;
        foreach ((long start, long end) in _written.Order())
        {
            if (open is { } run && start <= run.End)
            {
                open = (run.Start, Math.Max(run.End, end));
                continue;
            }

            if (open is { } done)
            {
                yield return (done.Start, done.End - done.Start);
            }

            open = (start, end);
        }

        if (open is { } last)
        {
            yield return (last.Start, last.End - last.Start);
        }
    }
}
