using System.Text;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Platform.Unix;

namespace MSOnlineBackup.Platform.Volumes;

/// <summary>Tells of volumes by what Linux tells of mounts and block devices.</summary>
/// <param name="mounts">What is mounted.</param>
/// <param name="root">Where /sys, /dev, /etc and what is mounted are found: "/" but in tests.</param>
internal sealed class LinuxVolumeReader(IReadOnlyList<MountedVolume> mounts, string root = "/") : IVolumeReader
{
    // What a locked eCryptfs folder shows in place of its content.
    private const string LockedMark = "Access-Your-Private-Data.desktop";

    // A file that Azure puts on its temporary disks, and names that its rules for devices give them.
    internal const string TemporaryMark = "DATALOSS_WARNING_README.txt";
    private static readonly string[] _temporaryLinks = ["/dev/disk/azure/resource", "/dev/disk/cloud/azure_resource"];

    private readonly BlockDevices _devices = new(root);
    private readonly Lazy<IReadOnlyList<ConfiguredMount>> _configured = new(
        () => ConfiguredMount.Parse(Lines(root, "etc/fstab"), Lines(root, "etc/crypttab")));

    private bool IsReal => root == "/";

    /// <inheritdoc/>
    public VolumeDescription? Read(byte[] path)
    {
        byte[] real = (IsReal ? UnixSystem.RealPath(path) : null) ?? path;
        if (IsReal && DeviceAt(real) is { } numbers)
        {
            return DescribeDisk(Encoding.UTF8.GetString(real), numbers);
        }

        if (FindMount(real) is not { } mount)
        {
            return null;
        }

        string point = Encoding.UTF8.GetString(mount.Point);
        BlockDevice? device = (mount.DeviceNumber.StartsWith("0:", StringComparison.Ordinal) ? null : _devices.FindByNumber(mount.DeviceNumber)) ?? _devices.FindByPath(mount.Device);
        IReadOnlyList<string> names = device?.Names ?? [];
        string folder = Local(real);
        return new VolumeDescription
        {
            Place = point,
            FileSystem = mount.FileSystem,
            Device = $"{mount.Device} {mount.DeviceNumber}",
            IsReadOnly = mount.IsReadOnly || mount.IsViewReadOnly,
            IsRemovable = device is { IsRemovable: true },
            IsOptical = IsOptical(names),
            IsMarkedTemporary = (mount.Root is [(byte)'/'] && File.Exists(Path.Combine(Local(mount.Point), TemporaryMark))) || IsTemporary(names),
            Devices = names,
            DiskModels = device?.Models ?? [],
            LockedBy = mount.FileSystem != "ecryptfs" && new FileInfo(Path.Combine(folder, LockedMark)).LinkTarget is not null ? "eCryptfs" : null,
            NotMounted = FindNotMounted(Encoding.UTF8.GetString(real), folder),
        };
    }

    // A device is what it stands for, whatever its name lies on.
    private VolumeDescription DescribeDisk(string path, string numbers)
    {
        BlockDevice? device = _devices.FindByNumber(numbers);
        IReadOnlyList<string> names = device?.Names ?? [];
        return new VolumeDescription
        {
            Place = path,
            Device = $"{path} {numbers}",
            IsRemovable = device is { IsRemovable: true },
            IsOptical = IsOptical(names),
            IsMarkedTemporary = IsTemporary(names),
            Devices = names,
            DiskModels = device?.Models ?? [],
        };
    }

    private static bool IsOptical(IReadOnlyList<string> names) =>
        names.Any(name => name.StartsWith("sr", StringComparison.Ordinal) && name.AsSpan(2).IndexOfAnyExceptInRange('0', '9') < 0);

    private bool IsTemporary(IReadOnlyList<string> names) => _temporaryLinks.Select(_devices.NameOf).Any(name => name is not null && names.Contains(name));

    // By its number, which no later mount above it hides; by its path where nothing is there.
    private MountedVolume? FindMount(byte[] path)
    {
        ulong id = IsReal ? MountIdOf(path) : 0;
        return (id == 0 ? null : mounts.FirstOrDefault(mount => mount.Id == id))
            ?? mounts.Where(mount => IsAtOrBelow(path, mount.Point)).Reverse().MaxBy(mount => mount.Point.Length);
    }

    private static ulong MountIdOf(byte[] path) => StatOf(path)?.MountId ?? 0;

    // Its numbers, as "8:1"; null where it is no block device.
    private static string? DeviceAt(byte[] path) => StatOf(path) is { Kind: EntryKind.BlockDevice } stat
        ? FormattableString.Invariant($"{stat.DeviceNumber >> 32}:{stat.DeviceNumber & uint.MaxValue}")
        : null;

    private static UnixStat? StatOf(byte[] path)
    {
        int slash = Array.LastIndexOf(path, (byte)'/');
        if (slash < 0)
        {
            return null;
        }

        int folder = UnixSystem.Current.OpenBase(-1, slash == 0 ? "/"u8 : path.AsSpan(0, slash), followLink: true);
        if (folder < 0)
        {
            return null;
        }

        int told = UnixSystem.Current.Stat(folder, path.Length == slash + 1 ? "."u8 : path.AsSpan(slash + 1), out UnixStat stat);
        UnixSystem.Close(folder);
        return told < 0 ? null : stat;
    }

    // A mount point without its volume is an empty folder, or none: what is kept in one on purpose is no mount point.
    private ConfiguredMount? FindNotMounted(string path, string folder)
    {
        ConfiguredMount? missing = _configured.Value
            .Where(mount => mount.Point.Length > 1 && IsAtOrBelow(path, mount.Point) && !mounts.Any(each => Encoding.UTF8.GetString(each.Point) == mount.Point))
            .MaxBy(mount => mount.Point.Length);
        return missing is not null && !File.Exists(folder) && (!Directory.Exists(folder) || IsEmpty(folder)) ? missing : null;
    }

    private static bool IsEmpty(string folder)
    {
        try
        {
            return !Directory.EnumerateFileSystemEntries(folder).Any();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The backup itself says why it cannot be listed.
            return false;
        }
    }

    private string Local(byte[] path) => Path.Combine(root, Encoding.UTF8.GetString(path).TrimStart('/'));

    private static bool IsAtOrBelow(byte[] path, byte[] folder) =>
        folder.Length == 1 || (path.AsSpan().StartsWith(folder) && (path.Length == folder.Length || path[folder.Length] == (byte)'/'));

    private static bool IsAtOrBelow(string path, string folder) =>
        path.StartsWith(folder, StringComparison.Ordinal) && (path.Length == folder.Length || path[folder.Length] == '/');

    private static string[] Lines(string root, string file)
    {
        string path = Path.Combine(root, file);
        try
        {
            return File.Exists(path) ? File.ReadAllLines(path) : [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What nobody may read says nothing: crypttab is root's alone on some systems.
            return [];
        }
    }
}
