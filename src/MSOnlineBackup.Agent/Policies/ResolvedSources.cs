using MSOnlineBackup.Agent.VirtualMachines;
using MSOnlineBackup.Agent.Workloads;
using MSOnlineBackup.Engine.Backup;

namespace MSOnlineBackup.Agent.Policies;

/// <summary>What a backup by a policy reads.</summary>
/// <param name="Sources">The sources, in the policy's order.</param>
/// <param name="Names">What the job calls them, and how many of the sources each name stands for, in the same order.</param>
/// <param name="IsPartial">Whether these are only some of the policy's sources.</param>
internal sealed record ResolvedSources(IReadOnlyList<BackupSource> Sources, IReadOnlyList<(string Name, int Parts)> Names, bool IsPartial)
{
    /// <summary>Database servers that are backed up beside them, each for itself.</summary>
    public IReadOnlyList<WorkloadSettings> Workloads { get; init; } = [];

    /// <summary>Virtual machines that are backed up beside them, each for itself.</summary>
    public IReadOnlyList<VirtualMachineSettings> VirtualMachines { get; init; } = [];

    /// <summary>Makes what must be made before the sources are read.</summary>
    public Func<CancellationToken, Task> PrepareAsync { get; init; } = static _ => Task.CompletedTask;
}
