using System.Text;
using Microsoft.Win32.SafeHandles;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Platform.Folders;
using MSOnlineBackup.Platform.Unix;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.VirtualMachines.Backups;
using MSOnlineBackup.VirtualMachines.Images;
using MSOnlineBackup.VirtualMachines.Machines;

namespace MSOnlineBackup.VirtualMachines.Restores;

/// <summary>How a disk is replaced.</summary>
public sealed record DiskReplacementRequest
{
    /// <summary>The name of the disk in the recovery point.</summary>
    public required string Disk { get; init; }

    /// <summary>The file of its image now; null: the one that the recovery point names.</summary>
    public string? Image { get; init; }

    /// <summary>The format of that; null: by its name, or as the recovery point says.</summary>
    public string? Format { get; init; }

    /// <summary>Whether the disk is replaced without a recovery point of what it is now.</summary>
    public bool SkipsSafetyPoint { get; init; }

    /// <summary>A folder for sockets, with a short path.</summary>
    public required string WorkFolder { get; init; }
}

/// <summary>
/// Replaces a disk of a machine that is off by what it was at a recovery point, and takes that back. First the disk gets a recovery point as it is; then its successor is written beside it, and takes its name in one step, while
/// the file of the disk keeps another: whenever this is killed, the name has the one or the other, whole.
/// </summary>
/// <param name="vault">The vault, which gets the safety point.</param>
/// <param name="point">The recovery point.</param>
/// <param name="monitor">Is told how far it is.</param>
public sealed class DiskReplacement(UnlockedVault vault, MachinePoint point, JobMonitor monitor)
{
    /// <summary>The tag of recovery points of disks that were replaced. Another one, "before-" and a point's id, says which point took their place.</summary>
    public const string Tag = "before-replace";

    /// <summary>Told before each step, for tests that end it there.</summary>
    internal Action<string> Reached { get; init; } = static _ => { };

    /// <summary>The file that a disk is kept in when it was replaced.</summary>
    public static string KeptName(string image, SessionId point) => $"{image}.before-{point}";

    /// <summary>Replaces it.</summary>
    /// <param name="request">Which, and how.</param>
    /// <param name="cancellationToken">Stops it. Then the disk is as it was.</param>
    /// <exception cref="BackupException">
    /// MachineNotOff; MachineTargetTaken: it was replaced from this point before; MachinePointUnfit: there is no such disk, or no image of it; ArgumentInvalid; what a backup and a restore throw. Then the disk is as it was.
    /// </exception>
    public async Task<RestoredMachine> RunAsync(DiskReplacementRequest request, CancellationToken cancellationToken)
    {
        (MachineDisk disk, string image, string format) = await FindAsync(request, cancellationToken).ConfigureAwait(false);
        SessionId session = point.Point.SessionId;
        (string staged, string kept) = (RestoreFiles.StagedName(image, session), KeptName(image, session));
        Settle(image, staged, kept);
        if (File.Exists(kept))
        {
            throw new BackupException(
                BackupErrorId.MachineTargetTaken,
                $"The disk '{disk.Name}' was replaced from this recovery point before: '{kept}' is there.",
                "Put it back (--undo, -Undo), or move or delete that file, and replace the disk then.",
                kept);
        }

        await RestoreFiles.ClearAsync(staged, cancellationToken).ConfigureAwait(false);
        (long Length, DateTime Written) seen = Look(image);
        Reached("safety");
        string? safety = request.SkipsSafetyPoint ? null : await SaveAsync(disk, image, format, request.WorkFolder, cancellationToken).ConfigureAwait(false);
        Reached("write");
        await WriteAsync(point, disk, image, staged, format, cancellationToken).ConfigureAwait(false);
        try
        {
            Reached("swap");
            await RequireOffAsync(image, cancellationToken).ConfigureAwait(false);
            if (Look(image) != seen)
            {
                throw NotOff(image, "it was written meanwhile.");
            }

            Swap(staged, image, kept);
        }
        finally
        {
            RestoreFiles.TryDelete(staged);
        }

        monitor.Enter(JobPhase.Finished);
        return new RestoredMachine(point.Description.Name, [(disk, image)], null, null, Notes(kept, safety)) { Kept = kept, SafetyPoint = safety };
    }

    /// <summary>Puts the disk back that was replaced from this recovery point: the file that was kept, or where that is gone, its safety point. What took its place is kept in a file.</summary>
    /// <param name="request">Which; its safety point does not count.</param>
    /// <param name="cancellationToken">Stops it. Then the disk is as it was.</param>
    /// <exception cref="BackupException">DiskNotReplaced: there is nothing to put back; as of <see cref="RunAsync"/>.</exception>
    public async Task<RestoredMachine> UndoAsync(DiskReplacementRequest request, CancellationToken cancellationToken)
    {
        (MachineDisk disk, string image, string format) = await FindAsync(request, cancellationToken).ConfigureAwait(false);
        SessionId session = point.Point.SessionId;
        (string staged, string kept) = (RestoreFiles.StagedName(image, session), KeptName(image, session));
        string undone = UndoneName(image, session);
        if (Settle(image, staged, kept))
        {
            await RestoreFiles.ClearAsync(staged, cancellationToken).ConfigureAwait(false);
            throw NotReplaced(disk, "It was begun, and the disk is the one before.");
        }

        if (File.Exists(kept))
        {
            Reached("undo");
            await RequireOffAsync(image, cancellationToken).ConfigureAwait(false);
            Swap(kept, image, undone);
            monitor.Enter(JobPhase.Finished);
            return new RestoredMachine(point.Description.Name, [(disk, image)], null, null, [$"What had taken its place is kept as '{undone}'."]) { Kept = undone };
        }

        using MachinePoint safety = await FindSafetyAsync(TagOf(session, disk), cancellationToken).ConfigureAwait(false) ?? throw NotReplaced(disk, $"There is neither '{kept}' nor a safety point.");
        string again = RestoreFiles.StagedName(image, safety.Point.SessionId);
        await RestoreFiles.ClearAsync(again, cancellationToken).ConfigureAwait(false);
        await WriteAsync(safety, safety.FindDisk(disk.Name), image, again, format, cancellationToken).ConfigureAwait(false);
        try
        {
            Reached("swap");
            await RequireOffAsync(image, cancellationToken).ConfigureAwait(false);
            Swap(again, image, undone);
        }
        finally
        {
            RestoreFiles.TryDelete(again);
        }

        monitor.Enter(JobPhase.Finished);
        return new RestoredMachine(point.Description.Name, [(disk, image)], null, null, [$"It was put back from the recovery point {safety.Point.SessionId}. What had taken its place is kept as '{undone}'."])
        {
            Kept = undone,
            SafetyPoint = safety.Point.SessionId.ToString(),
        };
    }

    /// <summary>The error of an image that is in use.</summary>
    internal static BackupException NotOff(string image, string why) => new(
        BackupErrorId.MachineNotOff, $"'{image}' is in use: a machine that runs has it. {why}", "Shut the machine down, and try again.", image);

    private static string TagOf(SessionId session, MachineDisk disk) => $"before-{session}-{disk.Name}";

    private static BackupException NotReplaced(MachineDisk disk, string why) => new(
        BackupErrorId.DiskNotReplaced, $"The disk '{disk.Name}' was not replaced from this recovery point. {why}", "Name the point that it was replaced from; points with the tag before-replace have disks as they were before.", disk.Name);

    private static List<string> Notes(string kept, string? safety) =>
    [
        $"The disk before is kept as '{kept}'{(safety is null ? "" : $", and as the recovery point {safety}")}. Delete the file when it is not wanted any more.",
        "Records of what changed since earlier backups went with it: the next backup reads all of the disk.",
    ];

    // While a successor has no name of its own yet, the kept name is only a second one of the disk. Whether it ended there, or before, is returned.
    private static bool Settle(string image, string staged, string kept)
    {
        if (!File.Exists(staged))
        {
            return false;
        }

        if (File.Exists(kept))
        {
            if (!IsOneFile(image, kept))
            {
                return false;
            }

            RestoreFiles.TryDelete(kept);
        }

        return true;
    }

    private static bool IsOneFile(string one, string other)
    {
        if (OperatingSystem.IsWindows())
        {
            return false;
        }

        using SafeFileHandle first = File.OpenHandle(one, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using SafeFileHandle second = File.OpenHandle(other, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        UnixSystem system = UnixSystem.Current;
        return system.Stat((int)first.DangerousGetHandle(), out UnixStat left) == 0
            && system.Stat((int)second.DangerousGetHandle(), out UnixStat right) == 0
            && left.IsSameInode(right);
    }

    private static string UndoneName(string image, SessionId session)
    {
        string name = $"{image}.undone-{session}";
        for (int number = 2; File.Exists(name); number++)
        {
            name = FormattableString.Invariant($"{image}.undone-{session}.{number}");
        }

        return name;
    }

    private static (long Length, DateTime Written) Look(string image)
    {
        var info = new FileInfo(image);
        return (info.Length, info.LastWriteTimeUtc);
    }

    private static Task RequireOffAsync(string image, CancellationToken cancellationToken) => ImageLock.RequireFreeAsync(image, why => NotOff(image, why), cancellationToken);

    private async Task<(MachineDisk Disk, string Image, string Format)> FindAsync(DiskReplacementRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        MachineDisk disk = point.FindDisk(request.Disk);
        string named = request.Image ?? disk.Image ?? throw new BackupException(
            BackupErrorId.MachinePointUnfit, $"The recovery point does not say which file is the image of the disk '{disk.Name}'.", "Name it: --image FILE (-Image).", disk.Name);

        // The file that has the bytes gets a successor, and not a link to it.
        string image = new FileInfo(Path.GetFullPath(named)).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? Path.GetFullPath(named);
        if (!File.Exists(image) || (File.GetAttributes(image) & FileAttributes.Device) != 0)
        {
            throw new BackupException(
                BackupErrorId.MachinePointUnfit,
                File.Exists(image) ? $"'{image}' is a device, and only files of images are replaced." : $"There is no image '{image}' to be replaced.",
                "Name the image of the disk: --image FILE (-Image). Where there is none, restore the disk to a file.",
                image);
        }

        string format = request.Format ?? (request.Image is null ? disk.Format : MachineRestore.FormatOf(image));
        if (!DiskImageWriter.Formats.Contains(format))
        {
            throw new BackupException(BackupErrorId.ArgumentInvalid, $"Images of the format '{format}' are not written.", $"Use one of: {string.Join(", ", DiskImageWriter.Formats)}.", format);
        }

        await RequireOffAsync(image, cancellationToken).ConfigureAwait(false);
        return (disk, image, format);
    }

    private async Task<MachinePoint?> FindSafetyAsync(string tag, CancellationToken cancellationToken)
    {
        RecoveryPoint? found = (await vault.ListPointsAsync(point.Point.MachineName, cancellationToken).ConfigureAwait(false)).FirstOrDefault(each => each.Tags.Contains(tag));
        return found is null ? null : await MachinePoint.OpenAsync(await vault.IndexAsync(cancellationToken).ConfigureAwait(false), found, cancellationToken).ConfigureAwait(false);
    }

    private async Task<string> SaveAsync(MachineDisk disk, string image, string format, string workFolder, CancellationToken cancellationToken)
    {
        await using var machine = new SafetyMachine(point.Description.Name, new MachineImage(disk.Name, image, format), point.Description);
        MachineBackupResult saved = await MachineBackup.RunAsync(
            vault,
            machine,
            new MachineBackupRequest
            {
                Backup = new BackupRequest { MachineName = point.Point.MachineName, Sources = [], Tags = [Tag, TagOf(point.Point.SessionId, disk)] },
                Moment = new MomentOptions { WorkFolder = workFolder },
            },
            monitor,
            cancellationToken).ConfigureAwait(false);
        return saved.Backup.Point.SessionId.ToString();
    }

    private async Task WriteAsync(MachinePoint from, MachineDisk disk, string image, string staged, string format, CancellationToken cancellationToken)
    {
        monitor.Enter(JobPhase.Transferring);
        await new DiskImageWriter(from, monitor).WriteAsync(disk, staged, format, cancellationToken).ConfigureAwait(false);
        try
        {
            TakeOwner(image, staged);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            RestoreFiles.TryDelete(staged);
            throw RestoreFiles.Failed(staged, e);
        }

        monitor.Enter(JobPhase.Committing);
    }

    // The account that QEMU runs as must be able to use it as before.
    private static void TakeOwner(string image, string staged)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        using (SafeFileHandle old = File.OpenHandle(image, FileMode.Open, FileAccess.Read, FileShare.ReadWrite))
        using (SafeFileHandle successor = File.OpenHandle(staged, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite))
        {
            UnixSystem system = UnixSystem.Current;
            int failed = system.Stat((int)old.DangerousGetHandle(), out UnixStat owned);
            if (failed == 0 && system.Stat((int)successor.DangerousGetHandle(), out UnixStat made) == 0 && (made.UserId, made.GroupId) != (owned.UserId, owned.GroupId))
            {
                failed = Libc.ChangeOwner((int)successor.DangerousGetHandle(), owned.UserId, owned.GroupId);
            }

            if (failed != 0)
            {
                throw new UnauthorizedAccessException($"it cannot be given to the owner of '{image}'");
            }
        }

        File.SetUnixFileMode(staged, File.GetUnixFileMode(image));
    }

    // First the disk gets a second name, then its successor takes the first in one step. Windows has a call for both.
    private void Swap(string successor, string image, string kept)
    {
        try
        {
            if (OperatingSystem.IsWindows())
            {
                File.Replace(successor, image, kept, ignoreMetadataErrors: true);
                return;
            }

            string folder = Path.GetDirectoryName(image)!;
            Link(image, kept);
            Durability.FlushFolder(folder);
            try
            {
                Reached("linked");
                Durability.Move(successor, image, replace: true);
            }
            catch
            {
                // Otherwise it would look as if the disk had been replaced.
                RestoreFiles.TryDelete(kept);
                throw;
            }

            Durability.FlushFolder(folder);
            Reached("done");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw RestoreFiles.Failed(image, e);
        }
    }

    private static void Link(string image, string kept)
    {
        // Of full paths, no folder counts.
        int failed = UnixSystem.MakeHardLink(-1, Encoding.UTF8.GetBytes(image), -1, Encoding.UTF8.GetBytes(kept));
        if (failed != 0)
        {
            throw new IOException($"It cannot get the second name '{kept}': {UnixSystem.Describe(-failed)}");
        }
    }
}
