using MSOnlineBackup.Engine;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.VirtualMachines.Qemu;

namespace MSOnlineBackup.VirtualMachines.Backups;

/// <summary>Backs up a virtual machine: its disks as they are at one moment, and what it is made of. The recovery point is a tree of files like any other.</summary>
public static class MachineBackup
{
    /// <summary>How many disks a machine may have.</summary>
    public const int MostDisks = 32;

    /// <summary>Backs up a machine that runs under QEMU.</summary>
    /// <param name="vault">Where to.</param>
    /// <param name="machine">The machine.</param>
    /// <param name="request">What of it, and how.</param>
    /// <param name="monitor">Is told how far it is.</param>
    /// <param name="cancellationToken">Stops it: nothing of it stays in the machine, and what had arrived in the vault is not sent again.</param>
    /// <exception cref="BackupException">
    /// VirtualMachineUnfit: no disk is left, there is none of a name, or there are too many or too large ones; what <see cref="QemuMachine.BeginBackupAsync"/> and <see cref="VaultFiles.BackUpAsync"/> throw. There is no recovery point then.
    /// </exception>
    public static async Task<MachineBackupResult> RunAsync(
        UnlockedVault vault, QemuMachine machine, MachineBackupRequest request, JobMonitor monitor, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        ArgumentNullException.ThrowIfNull(machine);
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(monitor);
        IReadOnlyList<QemuDisk> all = await machine.ListDisksAsync(cancellationToken).ConfigureAwait(false);
        IReadOnlyList<QemuDisk> chosen = Choose(machine.Name, all, request);
        await using QemuBackup moment = await machine.BeginBackupAsync(chosen, request.Machine, cancellationToken).ConfigureAwait(false);
        foreach (QemuBackupDisk disk in moment.Disks.Where(disk => disk.Note is not null))
        {
            monitor.Note($"All of the disk '{disk.Disk.Name}' is read. {disk.Note}");
        }

        var description = new MachineDescription(
            machine.Name,
            machine.Uuid,
            $"QEMU {machine.Version}",
            [.. chosen.Select(disk => new MachineDisk(disk.Name, FileOf(disk), disk.Serial, disk.Size, disk.Format, disk.File, disk.IsReadOnly))],
            [.. all.Except(chosen).Select(disk => disk.Name)]);
        var source = new BackupSource.Composed(
            request.Backup.MachineName,
            [new ComposedFile(MachineDescription.FileName, description.ToJson()), .. moment.Disks.Select(disk => new ComposedFile(FileOf(disk.Disk), disk.Content))])
        {
            Consistency = moment.Consistency,
        };
        BackupResult result = await vault.BackUpAsync(request.Backup with { Sources = [source], IsWhole = true }, monitor, cancellationToken).ConfigureAwait(false);
        try
        {
            await moment.CommitAsync(result.Point.SessionId, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is BackupException or OperationCanceledException)
        {
            monitor.Note($"The recovery point is in the vault, but the machine has no record of what changes from now on: the next backup reads more than it would have to. {e.Message}");
        }

        return new MachineBackupResult(result, chosen, moment.Frozen);
    }

    /// <summary>The disks that are backed up.</summary>
    /// <exception cref="BackupException">VirtualMachineUnfit.</exception>
    internal static IReadOnlyList<QemuDisk> Choose(string machine, IReadOnlyList<QemuDisk> all, MachineBackupRequest request)
    {
        string? missing = request.Disks.Concat(request.ExcludedDisks).FirstOrDefault(name => all.All(disk => disk.Name != name));
        QemuDisk[] chosen = [.. all.Where(disk => (request.Disks.Count == 0 || request.Disks.Contains(disk.Name)) && !request.ExcludedDisks.Contains(disk.Name))];
        return missing is not null ? throw Unfit($"has no disk '{missing}'", all.Count == 0 ? "It has no disks at all." : $"Its disks are: {string.Join(", ", all.Select(disk => disk.Name))}.")
            : chosen.Length == 0 ? throw Unfit($"has no disk that would be backed up", "Leave fewer of its disks out.")
            : chosen.Length > MostDisks ? throw Unfit($"has {chosen.Length} disks; at most {MostDisks} are backed up of a machine", "Name those that are to be backed up, or leave some out.")
            : chosen.FirstOrDefault(disk => disk.Size > DiskGrid.MostBytes) is { } large ? throw Unfit($"has a disk '{large.Name}' of {large.Size >> 30:n0} GiB; at most 32 TiB of one are backed up", "Leave it out, and back it up from within the guest.")
            : chosen;

        BackupException Unfit(FormattableString why, string action) => new(
            BackupErrorId.VirtualMachineUnfit, $"The virtual machine '{machine}' {FormattableString.Invariant(why)}.", action, machine);
    }

    // By the name that people know it by; what is not plain in it is written as its number.
    private static string FileOf(QemuDisk disk) => MachineDescription.FileOf(disk.Name);
}
