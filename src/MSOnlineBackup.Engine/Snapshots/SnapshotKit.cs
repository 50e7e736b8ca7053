using System.Text;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Engine.Sources.SystemState;
using MSOnlineBackup.Engine.Sources.Windows;
using MSOnlineBackup.Platform.Unix;
using MSOnlineBackup.Platform.Volumes;
using MSOnlineBackup.Platform.Windows;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Snapshots;

/// <summary>What snapshots can be made of on this system, and how the volumes of a source are found.</summary>
internal sealed class SnapshotKit
{
    private readonly Func<string, SourceSelection, SourceVolumes?> _find;

    /// <summary>A kit of these makers.</summary>
    /// <param name="makers">The first that knows a volume makes its snapshot.</param>
    /// <param name="find">Finds the volumes of a source; null where nothing is at its path.</param>
    public SnapshotKit(IReadOnlyList<ISnapshotMaker> makers, Func<string, SourceSelection, SourceVolumes?> find)
    {
        Makers = makers;
        _find = find;
    }

    /// <summary>The makers.</summary>
    public IReadOnlyList<ISnapshotMaker> Makers { get; }

    /// <summary>Whether paths are those of Windows.</summary>
    public bool IsOfWindows { get; init; } = OperatingSystem.IsWindows();

    /// <summary>How paths below a source are told apart; null: by their bytes.</summary>
    public IEqualityComparer<EntryPath>? PathComparer => IsOfWindows ? WindowsPathComparer.Instance : null;

    /// <summary>What this system has.</summary>
    public static SnapshotKit ForThisSystem() => ForThisSystem(OperatingSystem.IsLinux() ? MountTable.Read() : []);

    /// <summary>What this system has.</summary>
    /// <param name="mounts">What is mounted; of use on Linux alone.</param>
    public static SnapshotKit ForThisSystem(IReadOnlyList<MountedVolume> mounts)
    {
        if (OperatingSystem.IsLinux())
        {
            var volumes = new LinuxVolumes(mounts);
            return new SnapshotKit([new BtrfsSnapshots(), new ZfsSnapshots(new SystemCommands()), LvmSnapshots.OfThisMachine(IsMounted)], volumes.Find);
        }

        if (OperatingSystem.IsWindows())
        {
            return new SnapshotKit([new VssSnapshots(new VssService(), TimeProvider.System)], new WindowsDrives(new WindowsVolumes()).Find);
        }

        if (UnixSystem.Current is MacSystem system)
        {
            var disks = new MacDisks(system);
            return new SnapshotKit([new ApfsSnapshots(new SystemCommands(), disks.Mounts, Environment.IsPrivilegedProcess)], disks.Find);
        }

        return new SnapshotKit([], static (_, _) => null);
    }

    /// <summary>The maker of a kind; null where this version has none.</summary>
    public ISnapshotMaker? FindMaker(string kind) => Makers.FirstOrDefault(maker => maker.Kind == kind);

    /// <summary>How much of the volume at a path is free, 0 to 1.</summary>
    public Func<string, double> FreeShareOf { get; init; } = static path =>
    {
        var drive = new DriveInfo(path);
        return drive.TotalSize == 0 ? 1 : (double)drive.AvailableFreeSpace / drive.TotalSize;
    };

    /// <summary>Removes what marks name, as far as it is there; the last first. One that cannot be removed keeps none of the others.</summary>
    /// <returns>What is still there, each with the reason.</returns>
    public async Task<IReadOnlyList<(SnapshotMark Mark, string Why)>> RemoveAsync(IReadOnlyList<SnapshotMark> marks)
    {
        var left = new List<(SnapshotMark, string)>();
        foreach (SnapshotMark mark in marks.Reverse())
        {
            ISnapshotMaker? maker = FindMaker(mark.Kind);

            // Where one that stayed was removed by somebody else, what has its name now is not ours.
            bool isGone = mark.Uuid is not null && maker is not null && (await maker.FindAsync(mark, CancellationToken.None).ConfigureAwait(false)).IsGone;
            string? why = isGone ? null
                : maker is null ? $"This version knows no snapshots of the kind '{mark.Kind}'."
                : await maker.RemoveAsync(mark).ConfigureAwait(false);
            if (why is not null)
            {
                left.Add((mark, why));
            }
        }

        return left;
    }

    /// <summary>The volumes of a source; null where nothing is at its path.</summary>
    public SourceVolumes? FindVolumes(string path, SourceSelection selection) => _find(path, selection);

    /// <summary>A path at or below a volume's, in the tree of its snapshot.</summary>
    public static byte[] Move(byte[] path, byte[] volume, byte[] place)
    {
        // An absolute path of Unix begins with its separator; one of Windows never does.
        byte separator = volume[0] == (byte)'/' ? (byte)'/' : (byte)'\\';
        ReadOnlySpan<byte> rest = path.AsSpan(volume.AsSpan().TrimEnd(separator).Length).TrimStart(separator);
        return rest.IsEmpty ? place : [.. place.AsSpan().TrimEnd(separator), separator, .. rest];
    }

    /// <summary>The devices of snapshots, each with that of the volume.</summary>
    /// <remarks>On Windows a shadow copy has its volume's own serial number.</remarks>
    public IReadOnlyDictionary<ulong, ulong> FindDevices(IReadOnlyList<WantedSnapshot> snapshots)
    {
        var devices = new Dictionary<ulong, ulong>();
        foreach (WantedSnapshot snapshot in IsOfWindows ? [] : snapshots)
        {
            if (snapshot.Place is { } place && Look(place)?.Device is { } read && Look(snapshot.Volume.Path)?.Device is { } live)
            {
                devices[read] = live;
            }
        }

        return devices;
    }

    /// <summary>Whether two paths show the same item: by its number, which a snapshot keeps. Windows has none that can be asked for here.</summary>
    public bool IsSame(byte[] one, byte[] other) => IsOfWindows || (Look(one)?.Inode is { } inode && inode == Look(other)?.Inode);

    private static bool IsMounted(string path) => MountTable.Read().Any(mount => mount.Point.AsSpan().SequenceEqual(Encoding.UTF8.GetBytes(path)));

    private static UnixStat? Look(byte[] path)
    {
        int slash = Array.LastIndexOf(path, (byte)'/');
        int folder = UnixSystem.Current.OpenBase(-1, path.Length == 1 ? path : path.AsSpan(0, Math.Max(slash, 1)), followLink: true);
        if (folder < 0)
        {
            return null;
        }

        int result = UnixSystem.Current.Stat(folder, path.Length == 1 ? "."u8 : path.AsSpan(slash + 1), out UnixStat stat);
        UnixSystem.Close(folder);
        return result >= 0 ? stat : null;
    }
}
