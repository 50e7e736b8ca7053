namespace MSOnlineBackup.Disks.Fat;

/// <summary>Where the parts of a FAT or exFAT file system lie.</summary>
/// <param name="EntryBits">How many bits an entry of the file allocation table has: 12, 16 or 32.</param>
/// <param name="EntryMask">Which of these bits are the number of a cluster: FAT32 keeps the upper four for others, exFAT has all.</param>
/// <param name="TableOffset">Where the table begins that is in use, in bytes.</param>
/// <param name="TableLength">How many bytes it has.</param>
/// <param name="DataOffset">Where cluster 2 begins, in bytes.</param>
/// <param name="ClusterSize">In bytes.</param>
/// <param name="ClusterCount">How many clusters there are; they are numbered from 2.</param>
internal sealed record FatLayout(int EntryBits, uint EntryMask, long TableOffset, long TableLength, long DataOffset, int ClusterSize, uint ClusterCount)
{
    /// <summary>Entries from this on end a chain.</summary>
    public uint FirstEnd => EntryMask - 7;

    /// <summary>Whether a number is that of a cluster.</summary>
    public bool HasCluster(uint cluster) => cluster >= 2 && cluster - 2 < ClusterCount;

    /// <summary>Where a cluster begins, in bytes.</summary>
    public long OffsetOf(uint cluster) => DataOffset + ((long)(cluster - 2) * ClusterSize);

    /// <summary>How many clusters so many bytes need.</summary>
    public long ClustersFor(long length) => (length + ClusterSize - 1) / ClusterSize;
}
