using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Workloads;

/// <summary>A kind of workload: what belongs to it alone. <see cref="WorkloadKinds"/> has the list of them, and nothing else of the program knows one.</summary>
internal interface IWorkloadKind
{
    /// <summary>Its name in policies and recovery points.</summary>
    WorkloadKind Kind { get; }

    /// <summary>Whether it has a log that is backed up in pieces; otherwise each backup is full, and stands alone.</summary>
    bool HasLog { get; }

    /// <summary>The port that its servers have where none is named; null where it is reached without one.</summary>
    int? UsualPort { get; }

    /// <summary>Refuses settings that no workload of the kind can have. Nothing is asked.</summary>
    /// <param name="settings">The settings, of which the name and the times are all right.</param>
    /// <exception cref="BackupException">PolicyInvalid.</exception>
    void Check(WorkloadSettings settings);

    /// <summary>A workload of this machine.</summary>
    /// <param name="settings">Which.</param>
    /// <param name="spoolFolder">A folder of this machine's state for its log, absolute; made if need be.</param>
    /// <param name="clock">The clock.</param>
    IWorkload Open(WorkloadSettings settings, string spoolFolder, TimeProvider clock);

    /// <summary>What recovers it.</summary>
    /// <param name="clock">The clock.</param>
    IWorkloadRecovery Recovery(TimeProvider clock);
}
