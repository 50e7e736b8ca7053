using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Disks.Volumes;

/// <summary>What a part of a disk holds.</summary>
/// <param name="Kind">
/// The name under which <c>blkid</c> knows it: "ext4", "vfat", "swap", "crypto_LUKS", "BitLocker", "LVM2_member"; null where nothing was recognised.
/// </param>
/// <param name="Files">The file system, opened; null where there is none that can be read.</param>
/// <param name="Error">Why there is none: VolumeUnsupported, VolumeCorrupt, or what reading the disk gave; null where there is one.</param>
public sealed record PartContent(string? Kind, IFileVolume? Files, BackupException? Error)
{
    /// <summary>The file system that was opened.</summary>
    /// <exception cref="BackupException">There is none; <see cref="Error"/> says why.</exception>
    public IFileVolume RequireFiles() => Files ?? throw Error!;

    /// <summary>A file system that is open.</summary>
    internal static PartContent Of(IFileVolume volume) => new(volume.Kind, volume, null);

    /// <summary>Something that was recognised and has no files that could be read.</summary>
    internal static PartContent Without(string? kind, BackupException why) => new(kind, null, why);

    /// <summary>Opens a file system that was recognised; one that cannot be is told with its error.</summary>
    internal static async ValueTask<PartContent> OpenAsync<T>(string kind, Task<T> opening)
        where T : IFileVolume
    {
        try
        {
            return Of(await opening.ConfigureAwait(false));
        }
        catch (BackupException e)
        {
            return Without(kind, e);
        }
    }
}
