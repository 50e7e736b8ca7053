using MSOnlineBackup.Agent.Workloads.PostgreSql;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Workloads;

/// <summary>The one place that knows which class is for which kind of workload.</summary>
internal static class WorkloadKinds
{
    /// <summary>A workload of this machine.</summary>
    /// <param name="settings">Which.</param>
    /// <param name="spoolFolder">A folder of this machine's state for its log, absolute; made if need be.</param>
    /// <param name="clock">The clock.</param>
    /// <exception cref="BackupException">NotAvailable.</exception>
    public static IWorkload Open(WorkloadSettings settings, string spoolFolder, TimeProvider clock)
    {
        RequireSupport();
        return settings.Kind switch
        {
            WorkloadKind.PostgreSql => new PgWorkload(settings, spoolFolder, new PgPrograms(settings), clock),
            _ => throw new ArgumentOutOfRangeException(nameof(settings)),
        };
    }

    /// <summary>What recovers a kind of workload.</summary>
    /// <exception cref="BackupException">NotAvailable.</exception>
    public static IWorkloadRecovery Recovery(WorkloadKind kind)
    {
        RequireSupport();
        return kind switch
        {
            WorkloadKind.PostgreSql => new PgRecovery(),
            _ => throw new ArgumentOutOfRangeException(nameof(kind)),
        };
    }

    /// <summary>Refuses where workloads cannot be backed up or recovered.</summary>
    /// <exception cref="BackupException">NotAvailable.</exception>
    public static void RequireSupport()
    {
        if (!OperatingSystem.IsLinux())
        {
            throw new BackupException(
                BackupErrorId.NotAvailable,
                "Database servers are backed up as workloads, and recovered, on Linux only in this version.",
                "Elsewhere back them up between scripts and from a snapshot (docs/operations.md).");
        }
    }
}
