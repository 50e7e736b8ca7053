using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Tests.Backup;

/// <summary>A named stream by script: runs of data, and holes between them.</summary>
/// <param name="name">Its name.</param>
/// <param name="size">Its length.</param>
/// <param name="runs">Where data are, in order.</param>
internal sealed class FakeStream(string name, long size, params (long Offset, byte[] Content)[] runs)
{
    /// <summary>A stream without holes.</summary>
    public FakeStream(string name, byte[] content)
        : this(name, content.Length, (0, content))
    {
    }

    public string Name => name;

    public long Size => size;

    public IReadOnlyList<(long Offset, byte[] Content)> Runs => runs;

    /// <summary>Why it does not open.</summary>
    public BackupException? Refuses { get; set; }

    /// <summary>Called before each read, with its offset; may throw.</summary>
    public Action<long>? Reading { get; set; }

    /// <summary>Told how much room each read has.</summary>
    public Action<int>? ReadingInto { get; set; }

    /// <summary>Its size when it was read.</summary>
    public long? SizeAfterwards { get; set; }

    /// <summary>How many bytes were read of it.</summary>
    public long ReadBytes { get; private set; }

    public ISourceFile Open(ManifestEntry item) => new OpenStream(this, item);

    private sealed class OpenStream(FakeStream stream, ManifestEntry item) : ISourceFile
    {
        public bool TryGetDataRun(long offset, out long start, out long length)
        {
            (long Offset, byte[] Content) run = stream.Runs.FirstOrDefault(one => one.Offset + one.Content.Length > offset);
            start = Math.Max(offset, run.Offset);
            length = run.Content is null ? 0 : run.Offset + run.Content.Length - start;
            return length > 0;
        }

        public int Read(long offset, Span<byte> destination)
        {
            stream.Reading?.Invoke(offset);
            stream.ReadingInto?.Invoke(destination.Length);
            int count = (int)Math.Clamp(stream.Size - offset, 0, destination.Length);
            destination[..count].Clear();
            foreach ((long at, byte[] content) in stream.Runs)
            {
                long from = Math.Max(at, offset);
                long to = Math.Min(at + content.Length, offset + count);
                if (from < to)
                {
                    content.AsSpan((int)(from - at), (int)(to - from)).CopyTo(destination[(int)(from - offset)..]);
                }
            }

            stream.ReadBytes += count;
            return count;
        }

        public ManifestEntry Stat() => item with { Size = stream.SizeAfterwards ?? stream.Size };

        public void Dispose()
        {
        }
    }
}
