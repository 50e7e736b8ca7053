using MSOnlineBackup.Agent.Workloads;

namespace MSOnlineBackup.Agent.Jobs;

/// <summary>How far a backup job is with one workload, for its record.</summary>
/// <param name="Settings">The workload.</param>
internal sealed record WorkloadRun(WorkloadSettings Settings) : SourceRun(Settings.Name);
