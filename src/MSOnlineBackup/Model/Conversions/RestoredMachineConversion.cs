using MSOnlineBackup.VirtualMachines.Restores;

namespace MSOnlineBackup.Model.Conversions;

/// <summary>Restored virtual machines, as cmdlets write them.</summary>
internal static class RestoredMachineConversion
{
    /// <summary>What was restored of one.</summary>
    public static OBRestoredMachine ToOutput(this RestoredMachine made, string pointId) => new()
    {
        Name = made.Name,
        RecoveryPointId = pointId,
        Disks = [.. made.Disks.Select(disk => disk.Disk.Name)],
        Files = [.. made.Disks.Select(disk => disk.File)],
        Definition = made.Definition,
        Script = made.Script,
        Kept = made.Kept,
        SafetyPointId = made.SafetyPoint,
        Notes = made.Notes,
    };
}
