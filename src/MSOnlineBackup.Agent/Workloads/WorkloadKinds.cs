using MSOnlineBackup.Agent.Workloads.MariaDb;
using MSOnlineBackup.Agent.Workloads.PostgreSql;
using MSOnlineBackup.Agent.Workloads.Sqlite;
using MSOnlineBackup.Agent.Workloads.SqlServer;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Workloads;

/// <summary>The kinds of workloads that this version knows: the one place that has a list of them.</summary>
internal static class WorkloadKinds
{
    private static readonly IReadOnlyList<IWorkloadKind> _all = [new PgKind(), new MariaKind(), new SqliteKind(), new SqlServerKind()];

    /// <summary>Their names.</summary>
    public static IEnumerable<WorkloadKind> Names => _all.Select(kind => kind.Kind);

    /// <summary>A kind; null where this version does not know it.</summary>
    public static IWorkloadKind? Find(WorkloadKind kind) => _all.FirstOrDefault(each => each.Kind == kind);

    /// <summary>Whether backups of a kind stand alone, without a log between them.</summary>
    public static bool StandAlone(WorkloadKind kind) => Find(kind) is { HasLog: false };

    /// <summary>A workload of this machine.</summary>
    /// <param name="settings">Which; checked.</param>
    /// <param name="spoolFolder">A folder of this machine's state for its log, absolute; made if need be.</param>
    /// <param name="clock">The clock.</param>
    /// <exception cref="BackupException">NotAvailable.</exception>
    public static IWorkload Open(WorkloadSettings settings, string spoolFolder, TimeProvider clock)
    {
        RequireSupport();
        return Known(settings.Kind).Open(settings, spoolFolder, clock);
    }

    /// <summary>What recovers a kind of workload.</summary>
    /// <exception cref="BackupException">NotAvailable.</exception>
    public static IWorkloadRecovery Recovery(WorkloadKind kind, TimeProvider clock)
    {
        RequireSupport();
        return Known(kind).Recovery(clock);
    }

    /// <summary>Refuses where workloads cannot be backed up or recovered.</summary>
    /// <exception cref="BackupException">NotAvailable.</exception>
    public static void RequireSupport()
    {
        if (!OperatingSystem.IsLinux())
        {
            throw new BackupException(
                BackupErrorId.NotAvailable,
                "Databases are backed up as workloads, and recovered, on Linux only in this version.",
                "Elsewhere back them up between scripts and from a snapshot (docs/operations.md).");
        }
    }

    private static IWorkloadKind Known(WorkloadKind kind) => Find(kind) ?? throw new ArgumentOutOfRangeException(nameof(kind));
}
