using MSOnlineBackup.Engine;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.VirtualMachines.Machines;

namespace MSOnlineBackup.VirtualMachines.Backups;

/// <summary>Backs up a virtual machine: its disks as they are at one moment, and what it is made of. The recovery point is a tree of files like any other.</summary>
public static class MachineBackup
{
    /// <summary>How many disks a machine may have.</summary>
    public const int MostDisks = 32;

    /// <summary>Backs it up.</summary>
    /// <param name="vault">Where to.</param>
    /// <param name="machine">The machine.</param>
    /// <param name="request">What of it, and how.</param>
    /// <param name="monitor">Is told how far it is.</param>
    /// <param name="cancellationToken">Stops it: nothing of it stays in the machine, and what had arrived in the vault is not sent again.</param>
    /// <exception cref="BackupException">
    /// VirtualMachineUnfit: no disk is left, there is none of a name, there are too many or too large ones, or one that was off was started; what <see cref="IVirtualMachine.BeginAsync"/> and
    /// <see cref="VaultFiles.BackUpAsync"/> throw. There is no recovery point then.
    /// </exception>
    public static async Task<MachineBackupResult> RunAsync(
        UnlockedVault vault, IVirtualMachine machine, MachineBackupRequest request, JobMonitor monitor, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        ArgumentNullException.ThrowIfNull(machine);
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(monitor);
        IReadOnlyList<MachineDisk> all = await machine.ListDisksAsync(cancellationToken).ConfigureAwait(false);
        IReadOnlyList<MachineDisk> chosen = Choose(machine.Name, all, request);
        await using IMachineMoment moment = await machine.BeginAsync(chosen, request.Moment, cancellationToken).ConfigureAwait(false);
        using IDisposable? turn = await Turn.TakeAsync(request.Turn, cancellationToken).ConfigureAwait(false);
        foreach (MomentDisk disk in moment.Disks.Where(disk => disk.Note is not null))
        {
            monitor.Note($"All of the disk '{disk.Disk.Name}' is read. {disk.Note}");
        }

        var description = new MachineDescription(
            machine.Name, machine.Uuid, machine.Hypervisor, [.. moment.Disks.Select(disk => disk.Disk)], [.. all.Select(disk => disk.Name).Except(chosen.Select(disk => disk.Name))])
        {
            Hardware = moment.Hardware,
        };
        var source = new BackupSource.Composed(
            request.Backup.MachineName,
            [
                new ComposedFile(MachineDescription.FileName, description.ToJson()),
                .. moment.Files.Select(file => new ComposedFile(file.Name, file.Content)),
                .. moment.Disks.Select(disk => new ComposedFile(disk.Disk.File, disk.Content)),
            ])
        {
            Consistency = moment.Consistency,
        };
        string[] barrier = request.Moment.Barrier is { IsMet: true } met ? [MachineTags.Barrier + met.Id] : [];
        BackupResult result = await vault.BackUpAsync(request.Backup with { Sources = [source], Tags = [.. request.Backup.Tags, .. barrier], IsWhole = true, Conclude = _ => Conclude(moment) }, monitor, cancellationToken).ConfigureAwait(false);
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

    /// <summary>The disks that are backed up.</summary>
    /// <exception cref="BackupException">VirtualMachineUnfit.</exception>
    internal static IReadOnlyList<MachineDisk> Choose(string machine, IReadOnlyList<MachineDisk> all, MachineBackupRequest request)
    {
        if (request.Disks.Concat(request.ExcludedDisks).FirstOrDefault(name => all.All(disk => disk.Name != name)) is { } missing)
        {
            throw Unfit($"has no disk '{missing}'", all.Count == 0 ? "It has no disks at all." : $"Its disks are: {string.Join(", ", all.Select(disk => disk.Name))}.");
        }

        MachineDisk[] chosen = [.. all.Where(disk => (request.Disks.Count == 0 || request.Disks.Contains(disk.Name)) && !request.ExcludedDisks.Contains(disk.Name))];
        request.Check?.Invoke(chosen);
        return chosen.Length == 0 ? throw Unfit($"has no disk that would be backed up", "Leave fewer of its disks out.")
            : chosen.Length > MostDisks ? throw Unfit($"has {chosen.Length} disks; at most {MostDisks} are backed up of a machine", "Name those that are to be backed up, or leave some out.")
            : chosen.FirstOrDefault(disk => disk.Bytes > DiskGrid.MostBytes) is { } large
                ? throw Unfit($"has a disk '{large.Name}' of {large.Bytes >> 30:n0} GiB; at most 32 TiB of one are backed up", "Leave it out, and back it up from within the guest.")
            : chosen;

        BackupException Unfit(FormattableString why, string action) => new(
            BackupErrorId.VirtualMachineUnfit, $"The virtual machine '{machine}' {FormattableString.Invariant(why)}.", action, machine);
    }

    private static Task<IReadOnlyList<string>> Conclude(IMachineMoment moment)
    {
        moment.RequireHeld();
        return Task.FromResult<IReadOnlyList<string>>([]);
    }

    private sealed class Turn(SemaphoreSlim semaphore) : IDisposable
    {
        public static async Task<IDisposable?> TakeAsync(SemaphoreSlim? semaphore, CancellationToken cancellationToken)
        {
            if (semaphore is null)
            {
                return null;
            }

            await semaphore.WaitAsync(cancellationToken).ConfigureAwait(false);
            return new Turn(semaphore);
        }

        public void Dispose() => semaphore.Release();
    }
}
