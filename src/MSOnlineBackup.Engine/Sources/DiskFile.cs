using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Sources;

/// <summary>A disk as a file, for whoever reads it from its beginning to its end. The disk stays its owner's.</summary>
/// <param name="disk">The disk.</param>
/// <param name="entry">What is told of it.</param>
internal sealed class DiskFile(ISourceDisk disk, ManifestEntry entry) : ISourceFile
{
    public bool TryGetDataRun(long offset, out long start, out long length) => disk.TryGetDataRun(offset, out start, out length);

    public int Read(long offset, Span<byte> destination)
    {
        int count = (int)Math.Clamp(disk.Length - offset, 0, destination.Length);
        if (count > 0)
        {
            disk.Read(offset, destination[..count]);
        }

        return count;
    }

    public ManifestEntry Stat() => entry;

    public void Dispose()
    {
    }
}
