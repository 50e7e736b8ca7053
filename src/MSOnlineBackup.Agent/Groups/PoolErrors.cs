using System.Globalization;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Groups;

/// <summary>What is said of pools, and of copies of groups.</summary>
internal static class PoolErrors
{
    /// <summary>What somebody should know of where a machine goes; null for nothing.</summary>
    public static BackupException? FindWarning(string host, IReadOnlyList<PoolPlace> pool, PoolDecision decision) => decision switch
    {
        { Reason: PoolReason.Overflow, Index: { } to, Home: { } home } => new BackupException(
            BackupErrorId.PoolOverflow,
            $"'{host}' backs up to '{pool[to].Location}' from now on: '{pool[home].Location}', which has its recovery points, {(pool[home].WasFull ? "is full" : $"has only {Share(pool[home])} free")}. The first backup there is a full one; the recovery points stay where they are.",
            "Free space there with 'obengine maintain', make the disk larger, or let it be. Get-OBProtectionGroup shows what each disk vault has free.",
            host),
        { Reason: PoolReason.AllLow, Index: { } to } => new BackupException(
            BackupErrorId.PoolOverflow,
            $"No disk vault that '{host}' could back up to has more than 5 % free; it goes to '{pool[to].Location}', which has {Share(pool[to])}.",
            "Free space with 'obengine maintain', make a disk larger, or add a disk vault: Set-OBProtectionGroup -DiskVault.",
            host),
        _ => null,
    };

    /// <summary>Of a machine that no disk vault can take.</summary>
    public static BackupException NoRoom(string host, ProtectionGroup group) => new(
        BackupErrorId.VaultFull,
        $"No disk vault of the protection group '{group.Name}' can take '{host}'.",
        "See to the disks that are away or full, or add a disk vault: Set-OBProtectionGroup -DiskVault.",
        host);

    /// <summary>Of a place that does not have all.</summary>
    public static BackupException CopyIncomplete(string place, BackupException why) => new(
        BackupErrorId.CopyIncomplete,
        $"The recovery points are in the disk vaults, and not all of them in '{place}' yet: {why.Message}",
        $"{why.RecommendedAction} The next run of the group brings what is missing.",
        place,
        innerException: why);

    private static string Share(PoolPlace place) => place is { FreeBytes: { } free, TotalBytes: > 0 and { } total }
        ? (free / (double)total).ToString("0.# %", CultureInfo.InvariantCulture)
        : "an unknown share";
}
