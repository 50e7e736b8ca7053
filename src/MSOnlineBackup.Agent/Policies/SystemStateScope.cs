using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Engine.Sources.SystemState;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Policies;

/// <summary>The curated set of what makes up the system, where the platform has one.</summary>
internal sealed class SystemStateScope : PolicyScope
{
    /// <inheritdoc/>
    public override PolicyKind Kind => PolicyKind.SystemState;

    /// <inheritdoc/>
    public override string Label => "the system state";

    /// <inheritdoc/>
    public override string Noun => "OBSystemStatePolicy";

    /// <inheritdoc/>
    public override string? SourceName => SystemStates.Name;

    /// <inheritdoc/>
    internal override string Key => "system-state";

    /// <inheritdoc/>
    internal override string Advice => "Make one with New-OBPolicy and Add-OBSystemState, and save it with Set-OBSystemStatePolicy.";

    /// <inheritdoc/>
    internal override void Check(BackupPolicy policy)
    {
        if (policy.Workloads is [var workload, ..])
        {
            throw new BackupException(
                BackupErrorId.PolicyInvalid,
                $"A policy for the system state cannot name workloads; this one names '{workload.Name}'.",
                "Put workloads into the policy for files.",
                workload.Name);
        }

        if (policy.VirtualMachines is [var machine, ..])
        {
            throw new BackupException(
                BackupErrorId.PolicyInvalid,
                $"A policy for the system state cannot name virtual machines; this one names '{machine.Name}'.",
                "Put virtual machines into the policy for files.",
                machine.Name);
        }

        if (policy.Files.Count > 0)
        {
            throw new BackupException(
                BackupErrorId.PolicyInvalid,
                $"A policy for the system state cannot name files; this one names '{policy.Files[0].Path}'.",
                "Put files and folders into a separate policy.",
                policy.Files[0].Path);
        }
    }

    /// <inheritdoc/>
    internal override void RequireSupport() => SystemStates.Open();

    /// <inheritdoc/>
    internal override ResolvedSources Resolve(BackupPolicy policy, IReadOnlyList<string> only, string stateFolder)
    {
        ISystemState state = SystemStates.Open();

        // Always the same place, so that the descriptions have a history.
        string descriptions = Path.Combine(stateFolder, Key);
        BackupSource[] sources = [.. state.FindFiles().Append(descriptions).Select(path => new BackupSource.Tree(path, SourceSelection.Everything))];
        return new ResolvedSources(sources, [(SystemStates.Name, sources.Length)], IsPartial: false)
        {
            PrepareAsync = stop => state.DescribeAsync(descriptions, stop),
        };
    }
}
