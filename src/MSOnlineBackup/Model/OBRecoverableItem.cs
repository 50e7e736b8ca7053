using System.Globalization;
using MSOnlineBackup.Recovery;

namespace MSOnlineBackup;

/// <summary>A file or folder of a recovery point; the source's root stands for the point itself.</summary>
public class OBRecoverableItem
{
    /// <summary>Whether it is a folder.</summary>
    public bool IsDir { get; internal init; }

    /// <summary>The full path, as people read it.</summary>
    public string ItemNameFriendly { get; internal init; } = "";

    /// <summary>The full path, as the recovery point has it.</summary>
    public string ItemNameGuid { get; internal init; } = "";

    /// <summary>The source's path.</summary>
    public string LocalMountPoint { get; internal init; } = "";

    /// <summary>The source's path.</summary>
    public string MountPointName { get; internal init; } = "";

    /// <summary>The last part of the path; the whole path for a source's root.</summary>
    public string Name { get; internal init; } = "";

    /// <summary>When the backup began, in UTC.</summary>
    public DateTime PointInTime { get; internal init; }

    /// <summary>The machine it is of.</summary>
    public string ServerName { get; internal init; } = "";

    /// <summary>Its size in bytes; null for a folder.</summary>
    public long? ItemSize { get; internal init; }

    /// <summary>When its content last changed, in UTC; null where unknown, and where no <see cref="DateTime"/> can tell it.</summary>
    public DateTime? ItemLastModifiedTime { get; internal init; }

    /// <summary>The source's number, the same in policies, jobs and recovery points.</summary>
    public long RecoverySourceId { get; internal init; }

    /// <summary>When the backup began, in local time.</summary>
    public DateTime RecoveryPointLocalTime => PointInTime.ToLocalTime();

    /// <summary>The recovery point's id.</summary>
    public string RecoveryPointId { get; internal init; } = "";

    /// <summary>The way into its vault; null for this machine's own.</summary>
    internal VaultAccess? Access { get; init; }

    /// <summary>Whether it stands for everything in the point: the system state has many roots, and a point named by its time or id all it holds.</summary>
    internal bool IsWholePoint { get; init; }

    /// <summary>The workload, and the time to which it is recovered, where it is a database of one; null otherwise.</summary>
    internal (string Name, DateTimeOffset Time)? Workload { get; init; }

    /// <summary>All of a recovery point of this machine, so that cmdlets take one of the list of all where they ask for an item.</summary>
    public static implicit operator OBRecoverableItem(OBBackupInfo point)
    {
        ArgumentNullException.ThrowIfNull(point);
        return new OBRecoverableItem { IsDir = true, IsWholePoint = true, RecoveryPointId = point.RecoveryPointId, PointInTime = point.BackupTime };
    }

    /// <summary>The item of a version, as the last recovery point that has it, so that cmdlets take what Find-OBRecoverableItem has found.</summary>
    public static implicit operator OBRecoverableItem(OBItemVersion version)
    {
        ArgumentNullException.ThrowIfNull(version);
        return version.Item;
    }

    /// <summary>The item of a difference, so that cmdlets take what Compare-OBRecoveryPoint has found.</summary>
    public static implicit operator OBRecoverableItem(OBRecoveryPointDifference difference)
    {
        ArgumentNullException.ThrowIfNull(difference);
        return difference.Item;
    }

    /// <summary>All of the recovery point whose backup began at a time; a time without a kind is local.</summary>
    public static implicit operator OBRecoverableItem(DateTime time) => Parse(
        (time.Kind == DateTimeKind.Unspecified ? DateTime.SpecifyKind(time, DateTimeKind.Local) : time).ToString("o", CultureInfo.InvariantCulture));

    /// <summary>All of the recovery point whose backup began at a time with its zone.</summary>
    public static implicit operator OBRecoverableItem(DateTimeOffset time) => Parse(time.ToString("o", CultureInfo.InvariantCulture));

    /// <summary>
    /// All of a recovery point of this machine, so that cmdlets take text where they ask for an item. Whether there is such a point, they find out.
    /// </summary>
    /// <param name="recoveryPoint">
    /// The id of a point, the beginning of one, or its time: local, as in "2026-11-21 21:00:05", or with its zone, as in "2026-11-21T20:00:05Z".
    /// </param>
    public static OBRecoverableItem Parse(string recoveryPoint)
    {
        ArgumentException.ThrowIfNullOrEmpty(recoveryPoint);
        return new OBRecoverableItem { IsDir = true, IsWholePoint = true, RecoveryPointId = recoveryPoint };
    }

    /// <summary>The time of its recovery point and its path, by which <c>New-PSDrive -Root</c> finds it; what was typed, where that is all there is.</summary>
    public override string ToString() => PointInTime == default ? RecoveryPointId : $"{PointInTime:u} {ItemNameFriendly}";
}
