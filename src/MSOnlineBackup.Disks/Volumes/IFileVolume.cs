using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Disks.Volumes;

/// <summary>A file system on a disk that is only read: its folders and files, without the system's help and without writing to it. Thread-safe.</summary>
/// <remarks>
/// What it reads is hostile: sizes, chains and cycles are bounded, memory is bounded whatever the volume says of itself, and what contradicts itself is VolumeCorrupt where it is
/// met, and nowhere else. A folder may still be within itself, which only shows on the way through the tree: <see cref="VolumeWalk"/>.
/// </remarks>
public interface IFileVolume
{
    /// <summary>The file system's name as the system's tools have it: "ext4", "xfs", "ntfs", "vfat", "exfat".</summary>
    string Kind { get; }

    /// <summary>Its label; null where it has none.</summary>
    string? Label { get; }

    /// <summary>Its id in the form in which <c>blkid</c> shows it; null where it has none.</summary>
    string? Id { get; }

    /// <summary>What a user must know of its state, as a sentence: it was in use when its bytes were taken; null where there is nothing.</summary>
    string? Note => null;

    /// <summary>Whether that is all that <see cref="Note"/> says: it was in use, and has a log that is not read. Where whoever used it was held still for the moment, everything is in its place all the same.</summary>
    bool WasInUse => false;

    /// <summary>The folder that holds everything.</summary>
    VolumeItem Root { get; }

    /// <summary>The item of a folder that has a name, compared as the file system does; null where it has none.</summary>
    /// <param name="folder">A folder of this volume.</param>
    /// <param name="name">The raw name (UTF-8 where the file system has UTF-16).</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">VolumeCorrupt; what <see cref="Reading.IDiskContent.ReadAsync"/> throws.</exception>
    ValueTask<VolumeItem?> FindAsync(VolumeItem folder, ReadOnlyMemory<byte> name, CancellationToken cancellationToken);

    /// <summary>The items of a folder, in the order in which the file system has them; without "." and "..".</summary>
    /// <param name="folder">A folder of this volume.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">VolumeCorrupt, after what could be read of it; what <see cref="Reading.IDiskContent.ReadAsync"/> throws.</exception>
    IAsyncEnumerable<VolumeItem> ListAsync(VolumeItem folder, CancellationToken cancellationToken);

    /// <summary>Reads a file's bytes, or the target of a symbolic link: as many as there are from the offset on, and have room.</summary>
    /// <param name="item">A file or a symbolic link of this volume.</param>
    /// <param name="offset">From where, in bytes, from 0.</param>
    /// <param name="destination">Where to.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>How many bytes; fewer than there is room only at the item's end. Holes read as zeroes.</returns>
    /// <exception cref="BackupException">VolumeCorrupt; VolumeUnsupported: the file is compressed or encrypted in a way that is not read; what <see cref="Reading.IDiskContent.ReadAsync"/> throws.</exception>
    ValueTask<int> ReadAsync(VolumeItem item, long offset, Memory<byte> destination, CancellationToken cancellationToken);
}
