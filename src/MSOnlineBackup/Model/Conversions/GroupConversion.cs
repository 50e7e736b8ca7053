using MSOnlineBackup.Agent.Groups;

namespace MSOnlineBackup.Model.Conversions;

/// <summary>From protection groups to what scripts see of them.</summary>
internal static class GroupConversion
{
    /// <summary>A group.</summary>
    /// <param name="group">The group.</param>
    /// <param name="disks">How its disk vaults stand.</param>
    public static OBProtectionGroup ToOutput(this ProtectionGroup group, IReadOnlyList<DiskVault> disks) => new()
    {
        Name = group.Name,
        Id = group.Id,
        Machine = [.. group.Machines.Select(machine => machine.HostName)],
        Policy = group.Policy.ToDraft(),
        DiskVault = [.. disks.Select(ToOutput)],
        CopyTo = [.. group.CopyTo],
        CopyRetention = group.CopyRetention?.ToDraft(),
        VaultId = group.VaultId,
        Changed = group.Changed.UtcDateTime,
    };

    /// <summary>What became of a machine.</summary>
    public static OBGroupBackup ToOutput(this GroupMachineRun run, string group) => new()
    {
        ProtectionGroup = group,
        HostName = run.HostName,
        DiskVault = run.DiskVault,
        RecoveryPointId = run.Point?.SessionId.ToString(),
        Files = run.Point?.Sources.Sum(source => source.Manifest.Files) ?? 0,
        Bytes = run.Point?.Sources.Sum(source => source.Manifest.Bytes) ?? 0,
        BytesStored = run.Point?.StoredBytes ?? 0,
        Skipped = run.Point?.SkippedCount ?? 0,
        Reason = run.Failure?.Message,
    };

    /// <summary>What a server found.</summary>
    public static OBServerSync ToOutput(this ServerSyncReport report) => new()
    {
        VaultId = report.VaultId,
        Place = [.. report.Places],
        ProtectionGroup = [.. report.Groups.Select(group => group.Name)],
        Machine = [.. report.Machines],
        RecoveryPoints = report.Points,
        MachinesRestored = [.. report.MachinesRestored],
        RecordsBrought = report.RecordsBrought,
        PointsCopied = report.PointsCopied,
        BytesCopied = report.BytesCopied,
        HasChanged = report.HasChanged,
    };

    private static OBDiskVault ToOutput(DiskVault disk) => new()
    {
        Path = disk.Path,
        State = (OBDiskVaultState)disk.State,
        FreeBytes = disk.FreeBytes,
        TotalBytes = disk.TotalBytes,
        FullOn = disk.FullOn?.UtcDateTime,
        Reason = disk.Fault?.Message,
    };
}
