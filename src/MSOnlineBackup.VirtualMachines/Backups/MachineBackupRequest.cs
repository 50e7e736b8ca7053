using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.VirtualMachines.Machines;

namespace MSOnlineBackup.VirtualMachines.Backups;

/// <summary>What of a virtual machine is backed up, and how.</summary>
public sealed record MachineBackupRequest
{
    /// <summary>What the recovery point is called after, and whatever else of a backup is the caller's to say: its sources are not looked at.</summary>
    public required BackupRequest Backup { get; init; }

    /// <summary>How the machine is held still, and where there is room meanwhile.</summary>
    public required MomentOptions Moment { get; init; }

    /// <summary>The names of the disks that are taken; empty for all.</summary>
    public IReadOnlyList<string> Disks { get; init; } = [];

    /// <summary>The names of disks that are left out.</summary>
    public IReadOnlyList<string> ExcludedDisks { get; init; } = [];

    /// <summary>Is asked before anything is done with the machine whether the disks that are taken may be; null for nobody.</summary>
    public Action<IReadOnlyList<MachineDisk>>? Check { get; init; }

    /// <summary>What the machines of a group have in common, one of which is read at a time once each has its moment; null where a machine stands alone.</summary>
    public SemaphoreSlim? Turn { get; init; }
}

/// <summary>What a backup of a virtual machine did.</summary>
/// <param name="Backup">The recovery point, and what was read for it.</param>
/// <param name="Disks">The disks that are in it.</param>
/// <param name="Frozen">For how long the guest was held still; zero where it was not.</param>
public sealed record MachineBackupResult(BackupResult Backup, IReadOnlyList<MachineDisk> Disks, TimeSpan Frozen);
