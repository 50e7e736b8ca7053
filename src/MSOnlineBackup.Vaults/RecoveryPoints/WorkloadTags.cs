namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>How the tags of recovery points begin that hold a workload: a database server, or its log.</summary>
public static class WorkloadTags
{
    /// <summary>A full backup.</summary>
    public const string Full = "workload-full:";

    /// <summary>A log.</summary>
    public const string Log = "workload-log:";

    /// <summary>A database of a full backup: its name follows.</summary>
    public const string Database = "workload-database:";

    /// <summary>Whether a point holds a workload, or its log.</summary>
    public static bool AreOn(RecoveryPoint point)
    {
        ArgumentNullException.ThrowIfNull(point);
        return point.Tags.Any(tag => tag.StartsWith(Full, StringComparison.Ordinal) || tag.StartsWith(Log, StringComparison.Ordinal));
    }
}
