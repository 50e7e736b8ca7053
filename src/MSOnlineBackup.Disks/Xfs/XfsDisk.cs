using MSOnlineBackup.Disks.Reading;

namespace MSOnlineBackup.Disks.Xfs;

/// <summary>The blocks of a file system.</summary>
internal sealed class XfsDisk(IDiskContent content, XfsSuperblock superblock)
{
    public XfsSuperblock Superblock => superblock;

    /// <summary>Whether structures have checksums.</summary>
    public bool HasChecksums => superblock.Version == 5;

    /// <summary>Reads from a block on.</summary>
    /// <param name="block">Its number.</param>
    /// <param name="skip">How many bytes after its beginning.</param>
    public ValueTask ReadBlocksAsync(ulong block, long skip, Memory<byte> destination, CancellationToken cancellationToken)
    {
        long blocks = (skip + destination.Length + superblock.BlockSize - 1) / superblock.BlockSize;
        return ReadAsync(superblock.OffsetOf(block, Math.Max(1, blocks)) + skip, destination, cancellationToken);
    }

    /// <summary>Reads from a byte on.</summary>
    public ValueTask ReadAsync(long offset, Memory<byte> destination, CancellationToken cancellationToken) =>
        offset <= content.Length - destination.Length
            ? content.ReadAsync(offset, destination, cancellationToken)
            : throw XfsFault.Corrupt("it is longer than where it lies");
}
