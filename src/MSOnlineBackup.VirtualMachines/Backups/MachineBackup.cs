using MSOnlineBackup.Engine;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.VirtualMachines.Images;
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

        return new MachineBackupResult(result, description.Disks, moment.Frozen);
    }

    /// <summary>Backs up a machine that is off, by the images of its disks.</summary>
    /// <param name="vault">Where to.</param>
    /// <param name="images">Its images, at least one.</param>
    /// <param name="request">What the recovery point is called after; which disks are taken, and how a guest is held still, is not looked at.</param>
    /// <param name="monitor">Is told how far it is.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">
    /// VirtualMachineUnfit: two images have one name, there are too many or too large ones, or one was written while it was read: the machine was started. VirtualMachineProgramUnusable: qemu-img or qemu-nbd is missing, or a
    /// machine that runs has an image; what <see cref="VaultFiles.BackUpAsync"/> throws. There is no recovery point then.
    /// </exception>
    public static async Task<MachineBackupResult> RunAsync(
        UnlockedVault vault, IReadOnlyList<MachineImage> images, MachineBackupRequest request, JobMonitor monitor, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        ArgumentNullException.ThrowIfNull(images);
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(monitor);
        string machine = request.Backup.MachineName;
        if (images.GroupBy(image => image.Name).FirstOrDefault(same => same.Count() > 1) is { } twice)
        {
            throw Unfit(machine, $"has two images '{twice.Key}'", "Images are told apart by the names of their files.");
        }

        var disks = new List<OfflineDisk>();
        try
        {
            foreach (MachineImage image in images)
            {
                disks.Add(await OfflineDisk.OpenAsync(image.File, image.Format, image.Name, request.Machine.WorkFolder, cancellationToken).ConfigureAwait(false));
            }

            MachineDisk[] described = [.. images.Zip(disks, (image, disk) => new MachineDisk(image.Name, MachineDescription.FileOf(image.Name), null, disk.Length, image.Format, image.File, IsReadOnly: false))];
            CheckLimits(machine, [.. described.Select(disk => (disk.Name, disk.Bytes))]);
            foreach ((MachineDisk disk, OfflineDisk content) in described.Zip(disks).Where(each => each.Second is { Note: not null }))
            {
                monitor.Note($"All of the disk '{disk.Name}' is read. {content.Note}");
            }

            var source = new BackupSource.Composed(
                machine,
                [
                    new ComposedFile(MachineDescription.FileName, new MachineDescription(machine, null, "off", described, []).ToJson()),
                    .. described.Zip(disks, (disk, content) => new ComposedFile(disk.File, content)),
                ])
            {
                Consistency = new SourceConsistency(ConsistencyLevel.Crash, Reason: "The machine was off."),
            };
            BackupResult result = await vault.BackUpAsync(
                request.Backup with { Sources = [source], IsWhole = true, Conclude = _ => RequireUnwritten(machine, disks) }, monitor, cancellationToken).ConfigureAwait(false);
            foreach (OfflineDisk disk in disks)
            {
                await CommitAsync(disk, result, monitor, cancellationToken).ConfigureAwait(false);
            }

            return new MachineBackupResult(result, described, TimeSpan.Zero);
        }
        finally
        {
            disks.ForEach(disk => disk.Dispose());
        }
    }

    /// <summary>The disks that are backed up.</summary>
    /// <exception cref="BackupException">VirtualMachineUnfit.</exception>
    internal static IReadOnlyList<QemuDisk> Choose(string machine, IReadOnlyList<QemuDisk> all, MachineBackupRequest request)
    {
        string? missing = request.Disks.Concat(request.ExcludedDisks).FirstOrDefault(name => all.All(disk => disk.Name != name));
        QemuDisk[] chosen = [.. all.Where(disk => (request.Disks.Count == 0 || request.Disks.Contains(disk.Name)) && !request.ExcludedDisks.Contains(disk.Name))];
        return missing is not null ? throw Unfit($"has no disk '{missing}'", all.Count == 0 ? "It has no disks at all." : $"Its disks are: {string.Join(", ", all.Select(disk => disk.Name))}.")
            : chosen.Length == 0 ? throw Unfit($"has no disk that would be backed up", "Leave fewer of its disks out.")
            : CheckLimits(machine, [.. chosen.Select(disk => (disk.Name, disk.Size))], chosen);

        BackupException Unfit(FormattableString why, string action) => MachineBackup.Unfit(machine, why, action);
    }

    private static QemuDisk[] CheckLimits(string machine, IReadOnlyList<(string Name, long Bytes)> disks, QemuDisk[] chosen)
    {
        CheckLimits(machine, disks);
        return chosen;
    }

    private static void CheckLimits(string machine, IReadOnlyList<(string Name, long Bytes)> disks)
    {
        if (disks.Count > MostDisks)
        {
            throw Unfit(machine, $"has {disks.Count} disks; at most {MostDisks} are backed up of a machine", "Name those that are to be backed up, or leave some out.");
        }

        foreach ((string name, long bytes) in disks.Where(disk => disk.Bytes > DiskGrid.MostBytes))
        {
            throw Unfit(machine, $"has a disk '{name}' of {bytes >> 30:n0} GiB; at most 32 TiB of one are backed up", "Leave it out, and back it up from within the guest.");
        }
    }

    private static Task<IReadOnlyList<string>> RequireUnwritten(string machine, IReadOnlyList<OfflineDisk> disks) => disks.FirstOrDefault(disk => disk.WasWritten) is { } written
        ? throw Unfit(machine, $"is not off: '{written.File}' was written while it was read", "Back it up by its monitor (qmp:) while it runs, or again when it is off.")
        : Task.FromResult<IReadOnlyList<string>>([]);

    // The recovery point is there, whatever comes of this.
    private static async Task CommitAsync(OfflineDisk disk, BackupResult result, JobMonitor monitor, CancellationToken cancellationToken)
    {
        try
        {
            await disk.CommitAsync(result.Point.SessionId, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is BackupException or OperationCanceledException)
        {
            monitor.Note($"The recovery point is in the vault, but '{disk.File}' has no record of what changes from now on: the next backup reads more than it would have to. {e.Message}");
        }
    }

    private static BackupException Unfit(string machine, FormattableString why, string action) => new(
        BackupErrorId.VirtualMachineUnfit, $"The virtual machine '{machine}' {FormattableString.Invariant(why)}.", action, machine);

    // By the name that people know it by; what is not plain in it is written as its number.
    private static string FileOf(QemuDisk disk) => MachineDescription.FileOf(disk.Name);
}
