using System.Globalization;
using System.Text;
using MSOnlineBackup.Engine.Sources.SystemState;
using MSOnlineBackup.Platform.Unix;
using MSOnlineBackup.Platform.Volumes;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Snapshots;

/// <summary>
/// Snapshots of APFS, by Time Machine's own program, which makes one of each volume that Time Machine would back up, and names all by the same date. Each is
/// mounted, read-only, in a folder of the machine's state.
/// </summary>
/// <remarks>
/// The name is the program's. Until it has told it, nothing tells the snapshot from one of Time Machine's own, so one that was made in the moment in which the
/// backup was killed is left for macOS, which removes local snapshots within a day, or sooner where it needs the room.
/// </remarks>
/// <param name="commands">Runs the programs.</param>
/// <param name="readMounts">What is mounted now.</param>
/// <param name="isRoot">Whether this account is root.</param>
internal sealed class ApfsSnapshots(ISystemCommands commands, Func<IReadOnlyList<VolumeDescription>> readMounts, bool isRoot) : ISnapshotMaker
{
    internal const string FileSystem = "apfs";

    private const string Told = "Created local snapshot with date: ";
    private const string DateForm = "yyyy-MM-dd-HHmmss";
    private const string Prefix = "com.apple.TimeMachine.";
    private const string NotNamedYet = "";

    /// <inheritdoc/>
    public string Kind => "APFS";

    /// <inheritdoc/>
    public ConsistencyLevel Level => ConsistencyLevel.Crash;

    /// <inheritdoc/>
    public bool IsOf(SnapshotVolume volume) => volume.FileSystem == FileSystem;

    /// <inheritdoc/>
    public async Task<string?> FindObstacleAsync(SnapshotVolume volume, CancellationToken cancellationToken)
    {
        if (!isRoot)
        {
            return "This account may not mount snapshots of APFS; root may.";
        }

        CommandResult? told = await ListAsync(Encoding.UTF8.GetString(volume.Path), cancellationToken).ConfigureAwait(false);
        return told is { ExitCode: 0 } ? null : Refusal("tmutil", told);
    }

    /// <inheritdoc/>
    public SnapshotMark Mark(SnapshotVolume volume, string id, string folder) =>
        new(Kind, EntryName.Escape(volume.Path), volume.Identity, NotNamedYet) { Mount = Path.Combine(folder, id) };

    /// <inheritdoc/>
    public async Task TakeAsync(IReadOnlyList<WantedSnapshot> snapshots, CancellationToken cancellationToken)
    {
        // Not to be stopped: what it makes is known by what it prints.
        CommandResult? made = await commands.RunAsync("tmutil", ["localsnapshot"], CancellationToken.None).ConfigureAwait(false);
        string? date = made is null ? null : DateIn(made.Output);
        if (date is null)
        {
            string why = made is { ExitCode: 0 }
                ? "'tmutil' does not tell what it has made; macOS removes it within a day."
                : Refusal("tmutil", made);
            foreach (WantedSnapshot snapshot in snapshots)
            {
                snapshot.Fail(why);
            }

            return;
        }

        foreach (WantedSnapshot snapshot in snapshots)
        {
            snapshot.Remark(snapshot.Mark with { Name = date });
        }

        foreach (WantedSnapshot snapshot in snapshots)
        {
            cancellationToken.ThrowIfCancellationRequested();
            await MountAsync(snapshot, date, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public async Task<string?> RemoveAsync(SnapshotMark mark)
    {
        if (mark.Mount is { } folder && await UnmountAsync(folder).ConfigureAwait(false) is { } busy)
        {
            return busy;
        }

        if (mark.Name == NotNamedYet)
        {
            return null;
        }

        // What was told is a date; nothing else is given to a program that removes.
        if (!IsDate(mark.Name))
        {
            return $"'{mark.Name}' is no date of a snapshot.";
        }

        (bool isLeft, string? unknown) = await LookForAsync(mark).ConfigureAwait(false);
        if (!isLeft)
        {
            return unknown;
        }

        CommandResult? removed = await commands.RunAsync("tmutil", ["deletelocalsnapshots", mark.Name], CancellationToken.None).ConfigureAwait(false);
        (isLeft, unknown) = await LookForAsync(mark).ConfigureAwait(false);
        if (!isLeft)
        {
            return unknown;
        }

        // Of a volume whose snapshot is still mounted, another mark of the same backup takes care.
        return readMounts().Any(mount => IsOfDate(mount.Device, mark.Name)) ? null
            : removed is { ExitCode: 0 } ? $"'tmutil' has not removed the snapshot of {mark.Name}." : Refusal("tmutil", removed);
    }

    private async Task MountAsync(WantedSnapshot snapshot, string date, CancellationToken cancellationToken)
    {
        string volume = Encoding.UTF8.GetString(snapshot.Volume.Path);
        CommandResult? told = await ListAsync(volume, cancellationToken).ConfigureAwait(false);
        if (told is not { ExitCode: 0 })
        {
            snapshot.Fail(Refusal("tmutil", told));
            return;
        }

        if (NameIn(told.Output, date) is not { } name)
        {
            snapshot.Fail($"Time Machine makes no snapshots of '{volume}': it is left out of what Time Machine backs up.");
            return;
        }

        string folder = snapshot.Mark.Mount!;
        Directory.CreateDirectory(folder);
        CommandResult? mounted = await commands.RunAsync("mount_apfs", ["-o", "ro,nobrowse", "-s", name, volume, folder], cancellationToken).ConfigureAwait(false);
        if (mounted is { ExitCode: 0 })
        {
            snapshot.Succeed(Encoding.UTF8.GetBytes(folder));
        }
        else
        {
            snapshot.Fail(Refusal("mount_apfs", mounted));
        }
    }

    private async Task<string?> UnmountAsync(string folder)
    {
        // The table of mounts has paths without links.
        string place = Path.Exists(folder) && UnixSystem.RealPath(Encoding.UTF8.GetBytes(folder)) is { } real ? Encoding.UTF8.GetString(real) : folder;
        if (readMounts().Any(mount => mount.Place == place)
            && await commands.RunAsync("umount", [folder], CancellationToken.None).ConfigureAwait(false) is not { ExitCode: 0 } and var kept)
        {
            return Refusal("umount", kept);
        }

        if (Directory.Exists(folder))
        {
            Directory.Delete(folder);
        }

        return null;
    }

    // Whether any volume has it still, and why that is not known.
    private async Task<(bool IsLeft, string? Unknown)> LookForAsync(SnapshotMark mark)
    {
        CommandResult? dates = await commands.RunAsync("tmutil", ["listlocalsnapshotdates"], CancellationToken.None).ConfigureAwait(false);
        if (dates is not { ExitCode: 0 })
        {
            return (false, Refusal("tmutil", dates));
        }

        if (Lines(dates.Output).Contains(mark.Name))
        {
            return (true, null);
        }

        // Some versions tell those of the volume of the system alone; and a disk that is away may come back.
        CommandResult? own = await ListAsync(Encoding.UTF8.GetString(EntryName.Unescape(mark.Volume)), CancellationToken.None).ConfigureAwait(false);
        return own is not { ExitCode: 0 } ? (false, Refusal("tmutil", own)) : (NameIn(own.Output, mark.Name) is not null, null);
    }

    private Task<CommandResult?> ListAsync(string volume, CancellationToken cancellationToken) =>
        commands.RunAsync("tmutil", ["listlocalsnapshots", volume], cancellationToken);

    // "com.apple.TimeMachine.2026-11-30-031500.local", and without its end on macOS 10.13 and 10.14.
    private static string? NameIn(string listing, string date) =>
        Lines(listing).FirstOrDefault(line => line == $"{Prefix}{date}.local" || line == Prefix + date);

    private static bool IsOfDate(string? device, string date) => device?.StartsWith($"{Prefix}{date}", StringComparison.Ordinal) == true;

    private static string? DateIn(string output) => Lines(output)
        .Where(line => line.StartsWith(Told, StringComparison.Ordinal))
        .Select(line => line[Told.Length..].Trim())
        .FirstOrDefault(IsDate);

    private static bool IsDate(string text) => DateTime.TryParseExact(text, DateForm, CultureInfo.InvariantCulture, DateTimeStyles.None, out _);

    private static IEnumerable<string> Lines(string output) => output.Split('\n').Select(line => line.Trim());

    private static string Refusal(string program, CommandResult? told) => told is null
        ? $"The program '{program}' is not there."
        : $"'{program}' ended with {told.ExitCode}: {(told.Error.Trim().Length > 0 ? told.Error : told.Output).Trim().ReplaceLineEndings(" ")}";
}
