using System.Globalization;
using MSOnlineBackup.Disks;
using MSOnlineBackup.Disks.Volumes;
using MSOnlineBackup.Engine.Views;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Layout;

namespace MSOnlineBackup.Engine.Images;

/// <summary>A part of a disk: a partition, or a logical volume that lies on it.</summary>
/// <param name="Name">What it is called: the number of the partition, 0 where the disk has no table; of a logical volume its group and its name, joined by '-'.</param>
/// <param name="Start">Where it begins on the disk, in bytes; null for a logical volume, which need not be in one piece.</param>
/// <param name="Length">How many bytes it has.</param>
/// <param name="Type">What the partition table says that it is for; null where nothing does.</param>
/// <param name="Title">The name that the partition table gives it; null where it gives none.</param>
/// <param name="Content">What it holds.</param>
public sealed record ImagePart(string Name, long? Start, long Length, string? Type, string? Title, PartContent Content)
{
    /// <summary>The parts of a disk, the partitions first.</summary>
    /// <param name="view">The view that has the disk.</param>
    /// <param name="disk">The disk.</param>
    /// <param name="folder">The number of the folder that it is in: other disks there may have the rest of its logical volumes.</param>
    /// <param name="refusal">Why files of logical volumes are not read: <see cref="RefusalOf"/>; null where they are.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">VolumeCorrupt: there is a partition table that cannot be read. VaultDataCorrupt, ….</exception>
    internal static async Task<IReadOnlyList<ImagePart>> ReadAsync(IItemView view, ViewItem disk, ulong folder, BackupException? refusal, CancellationToken cancellationToken)
    {
        Disk opened = await Disk.OpenAsync(new ViewedDisk(view, disk), cancellationToken).ConfigureAwait(false);
        ImagePart[] partitions =
        [
            .. opened.Volumes.Select(volume => new ImagePart(
                volume.Partition.Number.ToString(CultureInfo.InvariantCulture), volume.Partition.Start, volume.Partition.Length, volume.Partition.Type, volume.Partition.Name, volume.Content)),
        ];
        if (!HasGroup(opened))
        {
            return partitions;
        }

        List<(string, Disk)> disks = [(disk.ShownName, opened)];
        await foreach (ViewItem other in ListOthersAsync(view, disk, folder, cancellationToken).ConfigureAwait(false))
        {
            if (await TryOpenAsync(view, other, cancellationToken).ConfigureAwait(false) is { } known && HasGroup(known))
            {
                disks.Add((other.ShownName, known));
            }
        }

        LogicalVolumes volumes = await LogicalVolumes.OpenAsync(disks, cancellationToken).ConfigureAwait(false);
        return [.. partitions, .. volumes.Volumes.Select(volume => new ImagePart($"{volume.Group}-{volume.Name}", null, volume.Length, null, null, refusal is null ? volume.Content : new PartContent(volume.Content.Kind, null, refusal)))];
    }

    /// <summary>Why files of logical volumes are not read; null where they are.</summary>
    internal static BackupException? RefusalOf(VaultOptions options) => options.ReadsLogicalVolumes ? null : new BackupException(
        BackupErrorId.PolicyLimitExceeded,
        "Limit 'logical volumes' (files out of a disk): the profile Mars reads files of partitions only, as the original does; this is a logical volume.",
        "Restore the whole disk, and read it where its group can be put together. The profile Open reads linear logical volumes.",
        "logical volumes");

    private static bool HasGroup(Disk disk) => disk.Volumes.Any(volume => volume.Content.Kind == "LVM2_member");

    private static async IAsyncEnumerable<ViewItem> ListOthersAsync(
        IItemView view, ViewItem disk, ulong folder, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        const int AtATime = 64;
        ViewPage page = default;
        while (!page.IsLast)
        {
            page = await view.ListAsync(folder, page.Items is [.., var last] ? last.Id : 0, AtATime, cancellationToken).ConfigureAwait(false);
            foreach (ViewItem item in page.Items.Where(item => item.Id != disk.Id && DiskImage.IsDisk(item)))
            {
                yield return item;
            }
        }
    }

    // What another disk has for this one is missing then, and the volumes that need it say so.
    private static async Task<Disk?> TryOpenAsync(IItemView view, ViewItem disk, CancellationToken cancellationToken)
    {
        try
        {
            return await Disk.OpenAsync(new ViewedDisk(view, disk), cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException e) when (e.IsOfDisk)
        {
            return null;
        }
    }
}
