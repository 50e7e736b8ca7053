using System.Text;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Platform.Unix;
using MSOnlineBackup.Platform.Volumes;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Sources.Unix;

/// <summary>A block device of Linux that was named as a source: a tree that is one file, the image of the disk.</summary>
internal sealed class BlockDeviceSource : ISourceTree
{
    private readonly BlockDeviceDisk _disk;
    private readonly Item _item;

    private BlockDeviceSource(byte[] path, BlockDeviceDisk disk, bool isLeftOut, IReadOnlyList<string> writable)
    {
        _disk = disk;
        RootPath = path;
        IsLeftOut = isLeftOut;
        _item = new Item(disk, new ManifestEntry
        {
            Path = EntryPath.Root,
            Kind = EntryKind.File,
            Size = disk.Length,
            Metadata = MadeMetadata.Of(EntryKind.File, ItemTime.From(TimeProvider.System.GetUtcNow())),
        });
        string text = EntryName.Escape(path);
        if (writable.Count == 0)
        {
            Consistency = new SourceConsistency(
                ConsistencyLevel.Crash, Reason: "No file system on the device was mounted for writing when the backup began. Of programs that write to it directly nothing is known.");
            return;
        }

        string places = string.Join(", ", writable.Take(3).Select(place => $"'{place}'"));
        Consistency = new SourceConsistency(ConsistencyLevel.None, Reason: $"The device was mounted for writing at {places}, and its blocks were read one after another.");
        Warning = $"'{text}' is mounted for writing at {places}: what is written while it is read leaves the copy in pieces of different moments, which a repair (fsck) may not mend. "
            + "Back up a snapshot of the volume, the folder itself, or the device while it is not mounted.";
    }

    /// <inheritdoc/>
    public ReadOnlyMemory<byte> RootPath { get; }

    /// <inheritdoc/>
    public string? FileSystem => null;

    /// <inheritdoc/>
    public bool IsMountPoint => false;

    /// <inheritdoc/>
    public bool IsLeftOut { get; }

    /// <inheritdoc/>
    public SourceConsistency? Consistency { get; }

    /// <inheritdoc/>
    public string? Warning { get; }

    /// <summary>Whether a path leads to a block device, over links where there are some.</summary>
    public static bool IsAt(byte[] path) => OperatingSystem.IsLinux() && NumberOf(path) is not null;

    /// <summary>Opens a device.</summary>
    /// <param name="path">Absolute path, raw: under it recovery points have the device, wherever a link there leads.</param>
    /// <param name="selection">What leaves it out.</param>
    /// <param name="mounts">What is mounted.</param>
    /// <exception cref="BackupException">SourceUnreadable; SourceNotFound: it is gone; PatternInvalid.</exception>
    public static BlockDeviceSource Open(byte[] path, SourceSelection selection, IReadOnlyList<MountedVolume> mounts)
    {
        ExclusionRules rules = ExclusionRules.Compile(selection.Exclude, path, filePatterns: selection.ExcludeFiles);
        byte[] real = UnixSystem.RealPath(path) ?? path;
        int handle = UnixSystem.Current.OpenFile(-1, real);
        if (handle < 0)
        {
            throw UnixSourceError.OfRoot(handle, path);
        }

        try
        {
            long length = UnixSystem.Current.Stat(handle, out UnixStat stat) is < 0 and int untold ? untold
                : stat.Kind == EntryKind.BlockDevice ? UnixSystem.Current.LengthOfDevice(handle)
                : -Errno.NoSuchDevice;
            if (length < 0)
            {
                throw UnixSourceError.OfRoot((int)length, path);
            }

            if (length > DiskGrid.MostBytes)
            {
                string text = EntryName.Escape(path);
                throw new BackupException(
                    BackupErrorId.SourceUnreadable,
                    FormattableString.Invariant($"The device '{text}' has {length:N0} bytes; of a disk {DiskGrid.MostBytes:N0} can be backed up."),
                    "Name its partitions or volumes one by one, or the folders that they are mounted at.",
                    text);
            }

            bool isLeftOut = rules.MatchRoot(path).HasFlag(Exclusion.File) || length > selection.ExcludeLargerThan;
            var disk = new BlockDeviceDisk(handle, path, length);
            handle = -1;
            return new BlockDeviceSource(path, disk, isLeftOut, FindWritable(stat.DeviceNumber, mounts));
        }
        finally
        {
            if (handle >= 0)
            {
                UnixSystem.Close(handle);
            }
        }
    }

    /// <inheritdoc/>
    public IEnumerable<SourceItem> Walk(CancellationToken cancellationToken) => [_item];

    /// <inheritdoc/>
    public void Dispose() => _disk.Dispose();

    // Null where it is no block device.
    private static ulong? NumberOf(byte[] path)
    {
        byte[] real = UnixSystem.RealPath(path) ?? path;
        int slash = Array.LastIndexOf(real, (byte)'/');
        int folder = UnixSystem.Current.OpenBase(-1, slash <= 0 ? "/"u8 : real.AsSpan(0, slash), followLink: true);
        if (folder < 0)
        {
            return null;
        }

        int told = UnixSystem.Current.Stat(folder, slash + 1 == real.Length ? "."u8 : real.AsSpan(slash + 1), out UnixStat stat);
        UnixSystem.Close(folder);
        return told >= 0 && stat.Kind == EntryKind.BlockDevice ? stat.DeviceNumber : null;
    }

    // Where file systems that lie on the device, or on a part of it, are mounted for writing.
    private static List<string> FindWritable(ulong number, IReadOnlyList<MountedVolume> mounts)
    {
        var devices = new BlockDevices("/");
        if (devices.FindByNumber(FormattableString.Invariant($"{number >> 32}:{number & uint.MaxValue}")) is not { } device)
        {
            return [];
        }

        var places = new List<string>();
        foreach (MountedVolume mount in mounts.Where(mount => !mount.IsReadOnly))
        {
            BlockDevice? below = (mount.DeviceNumber.StartsWith("0:", StringComparison.Ordinal) ? null : devices.FindByNumber(mount.DeviceNumber)) ?? devices.FindByPath(mount.Device);
            if (below is not null && below.Names.Contains(device.Names[0]))
            {
                places.Add(Encoding.UTF8.GetString(mount.Point));
            }
        }

        return places;
    }

    private sealed class Item(BlockDeviceDisk disk, ManifestEntry entry) : SourceItem
    {
        public override ManifestEntry Entry => entry;

        public override BackupException? Failure => null;

        public override bool IsTimeTold => false;

        public override GriddedContent? Gridded { get; } = new(disk, DiskGrid.BlockBytes);

        public override ManifestEntry ReadDetails() => entry;

        public override ISourceFile Open() => new DiskFile(disk, entry);
    }
}
