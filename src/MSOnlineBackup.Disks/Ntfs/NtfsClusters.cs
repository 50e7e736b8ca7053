using MSOnlineBackup.Disks.Reading;

namespace MSOnlineBackup.Disks.Ntfs;

/// <summary>The clusters of a volume.</summary>
internal sealed class NtfsClusters(IDiskContent content, NtfsBootSector boot)
{
    public NtfsBootSector Boot => boot;

    /// <summary>Reads from a cluster on.</summary>
    /// <param name="cluster">Which; within the volume.</param>
    /// <param name="skip">How many bytes after its beginning.</param>
    public ValueTask ReadAsync(long cluster, long skip, Memory<byte> destination, CancellationToken cancellationToken)
    {
        long offset = (cluster * boot.ClusterSize) + skip;
        return offset <= content.Length - destination.Length
            ? content.ReadAsync(offset, destination, cancellationToken)
            : throw NtfsFault.Corrupt("it is longer than where it lies");
    }
}
