using MSOnlineBackup.Vaults.Copies;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Agent.Groups;

/// <summary>What came of a run of a group.</summary>
/// <param name="Group">The group.</param>
/// <param name="Machines">What became of each machine, in their order.</param>
/// <param name="Copies">What became of each place of copies, in their order.</param>
/// <param name="Expired">Recovery points that the disk vaults have let go of, by the group's policy.</param>
/// <param name="Warnings">What somebody should see to beside that.</param>
public sealed record GroupRun(
    ProtectionGroup Group, IReadOnlyList<GroupMachineRun> Machines, IReadOnlyList<GroupCopyRun> Copies, int Expired, IReadOnlyList<BackupException> Warnings)
{
    /// <summary>Whether each machine has a new recovery point.</summary>
    public bool IsComplete => Machines.All(machine => machine.Failure is null);
}

/// <summary>What became of a machine of a group.</summary>
/// <param name="HostName">The machine.</param>
/// <param name="DiskVault">Where its recovery point is, or would have been; null where no disk vault could take it.</param>
/// <param name="Point">The recovery point, as the vault has it; null where there is none.</param>
/// <param name="Failure">Why there is none; null where there is one.</param>
/// <param name="Warnings">What somebody should see to, though the backup went on.</param>
public sealed record GroupMachineRun(string HostName, string? DiskVault, RecoveryPoint? Point, BackupException? Failure, IReadOnlyList<BackupException> Warnings);

/// <summary>What became of a place of copies.</summary>
/// <param name="Place">The place.</param>
/// <param name="Reports">What each disk vault has brought.</param>
/// <param name="Failure">CopyIncomplete: why not all is there; the next run goes on. Null where it is.</param>
public sealed record GroupCopyRun(string Place, IReadOnlyList<VaultCopyReport> Reports, BackupException? Failure);
