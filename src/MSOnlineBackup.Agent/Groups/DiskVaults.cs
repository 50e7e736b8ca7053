using MSOnlineBackup.Agent.Capacity;
using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Agent.Groups;

/// <summary>How a disk vault of a group stands.</summary>
public enum DiskVaultState
{
    /// <summary>It takes backups.</summary>
    Ready,

    /// <summary>Less than 5 % of its disk is free: machines go to the next disk vault, where there is one with room.</summary>
    LowSpace,

    /// <summary>It is not there, or cannot be opened.</summary>
    Away,
}

/// <summary>A disk vault of a group.</summary>
/// <param name="Path">Its folder.</param>
/// <param name="State">How it stands.</param>
/// <param name="FreeBytes">What its disk has free; null where that is not known.</param>
/// <param name="TotalBytes">How large its disk is; null where that is not known.</param>
/// <param name="FullOn">When it is full by the group's retention, if its machines go on changing as they do; null where that is not known, or not within a hundred years.</param>
/// <param name="Fault">Why it is Away; null otherwise.</param>
public sealed record DiskVault(string Path, DiskVaultState State, long? FreeBytes, long? TotalBytes, DateTimeOffset? FullOn, BackupException? Fault);

/// <summary>Looks at disk vaults.</summary>
internal static class DiskVaults
{
    /// <summary>How those of a group stand, in their order. Lists what is stored, and reads points and no data.</summary>
    public static async Task<IReadOnlyList<DiskVault>> ReadAsync(ProtectionGroup group, ServerVault known, GroupPlaces places, TimeProvider clock, CancellationToken cancellationToken)
    {
        var disks = new List<DiskVault>();
        foreach (string place in group.DiskVaults)
        {
            try
            {
                using UnlockedVault vault = await places.OpenKnownAsync(known, place, VaultPatience.Person, cancellationToken).ConfigureAwait(false);
                (long? free, long? total) = RoomOf(place);
                disks.Add(new DiskVault(
                    place,
                    PoolChoice.HasRoom(free, total) ? DiskVaultState.Ready : DiskVaultState.LowSpace,
                    free,
                    total,
                    await ForecastAsync(vault, group.Policy.Retention, clock, cancellationToken).ConfigureAwait(false),
                    null));
            }
            catch (BackupException e)
            {
                disks.Add(new DiskVault(place, DiskVaultState.Away, null, null, null, e));
            }
        }

        return disks;
    }

    /// <summary>What the disk of a folder has free, and how large it is; nulls where that cannot be asked, as of a share of Windows.</summary>
    public static (long? Free, long? Total) RoomOf(string folder)
    {
        if (new VaultAddress(folder).IsRemote || folder.StartsWith(@"\\", StringComparison.Ordinal))
        {
            return (null, null);
        }

        try
        {
            var drive = new DriveInfo(Path.GetFullPath(folder));
            return (drive.AvailableFreeSpace, drive.TotalSize);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Not known: nothing is decided by it.
            return (null, null);
        }
    }

    private static async Task<DateTimeOffset?> ForecastAsync(UnlockedVault vault, RetentionPolicy? retention, TimeProvider clock, CancellationToken cancellationToken)
    {
        DateTimeOffset now = clock.GetUtcNow();
        CapacityMeasurement measured = await CapacityMeasurement.TakeAsync(vault, now, cancellationToken).ConfigureAwait(false);
        if (retention is null || measured is not { ProtectedBytes: > 0, DailyChange: not null, FreeBytes: not null })
        {
            return null;
        }

        var request = new CapacityRequest
        {
            RetentionDays = retention.Days,
            RetentionWeeks = retention.Weekly?.Weeks ?? 0,
            RetentionMonths = retention.Monthly?.Months ?? 0,
            RetentionYears = retention.Yearly?.Years ?? 0,
        };
        return CapacityPlanner.Plan(request, measured).DaysUntilFull is { } days ? now.AddDays(days) : null;
    }
}
