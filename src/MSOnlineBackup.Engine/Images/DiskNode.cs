using MSOnlineBackup.Disks.Volumes;
using MSOnlineBackup.Engine.Views;

namespace MSOnlineBackup.Engine.Images;

/// <summary>A place in the folder of a disk: that folder, a part of the disk in it, or an item of the file system on a part.</summary>
/// <param name="Number">Its number among the places of the view.</param>
/// <param name="Parent">The number of the folder that it is in, or of the item that is the disk.</param>
/// <param name="Disk">The disk.</param>
/// <param name="Name">Its name.</param>
internal sealed record DiskNode(ulong Number, ulong Parent, ViewItem Disk, ReadOnlyMemory<byte> Name)
{
    /// <summary>Of the disk's folder: the number of the folder that the disk is in.</summary>
    public ulong Folder { get; init; }

    /// <summary>The part that it is, or is on; null for the disk's folder.</summary>
    public ImagePart? Part { get; init; }

    /// <summary>The item of the file system; null for the disk's folder, and for a part without a file system.</summary>
    public VolumeItem? Item { get; init; }

    /// <summary>Where a symbolic link leads to.</summary>
    public ReadOnlyMemory<byte> LinkTarget { get; init; }
}

