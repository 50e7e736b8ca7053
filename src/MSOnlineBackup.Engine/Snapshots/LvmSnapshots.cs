using System.Globalization;
using System.Text;
using System.Text.Json;
using MSOnlineBackup.Engine.Sources.SystemState;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Snapshots;

/// <summary>
/// Snapshots of logical volumes of LVM, thick and thin, by its own programs. While one is made, the kernel writes out the file system on it and lets nobody write, so it has all that
/// had been written to files. It is mounted, read-only, in a folder of the machine's state.
/// </summary>
/// <param name="commands">Runs the programs.</param>
/// <param name="readDeviceId">The id that the device mapper has for a device, by its numbers, as "LVM-…"; null for other devices.</param>
/// <param name="isMounted">Whether something is mounted at a path.</param>
internal sealed class LvmSnapshots(ISystemCommands commands, Func<string, string?> readDeviceId, Func<string, bool> isMounted) : ISnapshotMaker
{
    // What is overwritten while a backup runs has to fit in; a snapshot that is full can no longer be read, and its files are told as unreadable.
    private const int ShareOfFree = 4;
    private const long LeastRoom = 16L << 20;

    // LVM takes whole sectors only, and rounds up to its extents.
    private const long RoomUnit = 1L << 20;

    private readonly Dictionary<string, LogicalVolume> _volumes = [];

    /// <inheritdoc/>
    public string Kind => "LVM";

    /// <inheritdoc/>
    public ConsistencyLevel Level => ConsistencyLevel.FileSystem;

    /// <inheritdoc/>
    public string? WhyNotStaying => "Snapshots of LVM do not stay after a backup: they take room of their own, those that fill up can no longer be read, and they would have to stay mounted.";

    /// <summary>That of this machine.</summary>
    public static LvmSnapshots OfThisMachine(Func<string, bool> isMounted) => new(
        new SystemCommands(),
        numbers => File.Exists($"/sys/dev/block/{numbers}/dm/uuid") ? File.ReadAllText($"/sys/dev/block/{numbers}/dm/uuid").Trim() : null,
        isMounted);

    /// <inheritdoc/>
    public bool IsOf(SnapshotVolume volume) => readDeviceId(volume.DeviceNumber)?.StartsWith("LVM-", StringComparison.Ordinal) == true;

    /// <inheritdoc/>
    public async Task<string?> FindObstacleAsync(SnapshotVolume volume, CancellationToken cancellationToken)
    {
        CommandResult? told = await commands.RunAsync(
            "lvs",
            ["--reportformat", "json", "--units", "b", "--nosuffix", "--options", "vg_name,lv_name,segtype,lv_size,vg_free", volume.Device],
            cancellationToken).ConfigureAwait(false);
        if (told is not { ExitCode: 0 })
        {
            return Refusal("lvs", told);
        }

        if (LogicalVolume.TryParse(told.Output) is not { } found)
        {
            return $"'lvs' does not tell what '{volume.Device}' is.";
        }

        if (!found.IsThin && found.Free / ShareOfFree < LeastRoom)
        {
            return $"The volume group '{found.Group}' has no room for a snapshot.";
        }

        _volumes[volume.Identity] = found;
        return null;
    }

    /// <inheritdoc/>
    public SnapshotMark Mark(SnapshotVolume volume, string id, string folder) =>
        new(Kind, EntryName.Escape(volume.Path), volume.Identity, $"{_volumes[volume.Identity].Group}/obengine_snapshot_{id}") { Mount = Path.Combine(folder, id) };

    /// <inheritdoc/>
    public async Task TakeAsync(IReadOnlyList<WantedSnapshot> snapshots, CancellationToken cancellationToken)
    {
        var made = new List<WantedSnapshot>();
        foreach (WantedSnapshot snapshot in snapshots)
        {
            LogicalVolume origin = _volumes[snapshot.Volume.Identity];
            string[] room = origin.IsThin ? ["--setactivationskip", "n"] : ["--size", $"{RoomOf(origin, snapshots)}b"];

            // Neither this nor what mounts it is ended before its time: this one holds the volume still meanwhile, and killed it would leave it so.
            cancellationToken.ThrowIfCancellationRequested();
            CommandResult? told = await commands.RunAsync(
                "lvcreate",
                ["--yes", "--snapshot", "--permission", "r", .. room, "--name", snapshot.Mark.Name.Split('/')[1], $"{origin.Group}/{origin.Name}"],
                CancellationToken.None).ConfigureAwait(false);
            if (told is { ExitCode: 0 })
            {
                made.Add(snapshot);
            }
            else
            {
                snapshot.Fail(Refusal("lvcreate", told));
            }
        }

        foreach (WantedSnapshot snapshot in made)
        {
            string folder = snapshot.Mark.Mount!;
            Directory.CreateDirectory(folder);
            cancellationToken.ThrowIfCancellationRequested();
            CommandResult? told = await commands.RunAsync(
                "mount",
                ["--types", snapshot.Volume.FileSystem, "--options", OptionsOf(snapshot.Volume.FileSystem), $"/dev/{snapshot.Mark.Name}", folder],
                CancellationToken.None).ConfigureAwait(false);
            if (told is { ExitCode: 0 })
            {
                snapshot.Succeed(Encoding.UTF8.GetBytes(folder + Encoding.UTF8.GetString(snapshot.Volume.Root).TrimEnd('/')));
            }
            else
            {
                snapshot.Fail(Refusal("mount", told));
            }
        }
    }

    /// <inheritdoc/>
    public async Task<string?> FindLossAsync(SnapshotMark mark)
    {
        CommandResult? told = await commands.RunAsync(
            "lvs", ["--reportformat", "json", "--options", "lv_attr", mark.Name], CancellationToken.None).ConfigureAwait(false);

        // The fifth letter is the state: one that is invalid, also while it is suspended.
        return told is { ExitCode: 0 } && LogicalVolume.ReadRows(told.Output) is [{ } row, ..] && row.GetValueOrDefault("lv_attr") is [_, _, _, _, 'I' or 'S', ..]
            ? $"The snapshot of '{mark.Volume}' was full before all of it had been read, and shows nothing more: more was overwritten meanwhile than a quarter of the free space of '{mark.Name.Split('/')[0]}' holds."
            : null;
    }

    /// <inheritdoc/>
    public async Task<string?> RemoveAsync(SnapshotMark mark)
    {
        if (mark.Mount is { } folder)
        {
            if (isMounted(folder) && await commands.RunAsync("umount", [folder], CancellationToken.None).ConfigureAwait(false) is { ExitCode: not 0 } kept)
            {
                return Refusal("umount", kept);
            }

            if (Directory.Exists(folder))
            {
                Directory.Delete(folder);
            }
        }

        // By its name in its group; a group that is not there may come back.
        string group = mark.Name.Split('/')[0];
        CommandResult? told = await commands.RunAsync(
            "lvs", ["--reportformat", "json", "--options", "lv_name,origin", group], CancellationToken.None).ConfigureAwait(false);
        if (told is not { ExitCode: 0 })
        {
            return Refusal("lvs", told);
        }

        if (LogicalVolume.ReadRows(told.Output) is not { } rows)
        {
            return "'lvs' does not tell what is there.";
        }

        string name = mark.Name.Split('/')[1];
        if (rows.FirstOrDefault(row => row.GetValueOrDefault("lv_name") == name) is not { } row)
        {
            return null;
        }

        if (string.IsNullOrEmpty(row.GetValueOrDefault("origin")))
        {
            return $"'{mark.Name}' is no snapshot of a backup.";
        }

        CommandResult? removed = await commands.RunAsync("lvremove", ["--yes", mark.Name], CancellationToken.None).ConfigureAwait(false);
        return removed is { ExitCode: 0 } ? null : Refusal("lvremove", removed);
    }

    // Thick snapshots of one group share its free space.
    private string RoomOf(LogicalVolume origin, IReadOnlyList<WantedSnapshot> snapshots)
    {
        int sharing = snapshots.Select(snapshot => _volumes[snapshot.Volume.Identity]).Count(volume => !volume.IsThin && volume.Group == origin.Group);
        long room = Math.Min(origin.Size, origin.Free / ShareOfFree / sharing);
        return (Math.Max(room / RoomUnit, 1) * RoomUnit).ToString(CultureInfo.InvariantCulture);
    }

    // The file system was written out and whole when it was kept: no journal has to be played back, and a device that cannot be written to allows none.
    private static string OptionsOf(string fileSystem) => fileSystem switch
    {
        "xfs" => "ro,nosuid,nodev,nouuid,norecovery",
        "ext3" or "ext4" => "ro,nosuid,nodev,noload",
        _ => "ro,nosuid,nodev",
    };

    private static string Refusal(string program, CommandResult? told) => told is null
        ? $"The program '{program}' is not there."
        : $"'{program}' ended with {told.ExitCode}: {told.Error.Trim().ReplaceLineEndings(" ")}";

    /// <summary>A logical volume as 'lvs' tells of it.</summary>
    private sealed record LogicalVolume(string Group, string Name, bool IsThin, long Size, long Free)
    {
        /// <summary>The first one of a report; null where that has none, or is no report.</summary>
        public static LogicalVolume? TryParse(string report) =>
            ReadRows(report) is [{ } row, ..]
            && row.GetValueOrDefault("vg_name") is { Length: > 0 } group
            && row.GetValueOrDefault("lv_name") is { Length: > 0 } name
            && long.TryParse(row.GetValueOrDefault("lv_size"), NumberStyles.None, CultureInfo.InvariantCulture, out long size)
            && long.TryParse(row.GetValueOrDefault("vg_free"), NumberStyles.None, CultureInfo.InvariantCulture, out long free)
                ? new LogicalVolume(group, name, row.GetValueOrDefault("segtype") == "thin", size, free)
                : null;

        /// <summary>The rows of a report, each by its columns; null where it is no report.</summary>
        public static List<Dictionary<string, string>>? ReadRows(string report)
        {
            try
            {
                return JsonSerializer.Deserialize(report, SnapshotJson.Default.LvmReport) is { } read ? [.. read.Report.SelectMany(part => part.Lv)] : null;
            }
            catch (JsonException)
            {
                return null;
            }
        }
    }
}

/// <summary>What 'lvs --reportformat json' prints.</summary>
/// <param name="Report">Its parts.</param>
internal sealed record LvmReport(IReadOnlyList<LvmReportPart> Report);

/// <summary>A part of it.</summary>
/// <param name="Lv">Logical volumes, each by its columns.</param>
internal sealed record LvmReportPart(IReadOnlyList<Dictionary<string, string>> Lv);
