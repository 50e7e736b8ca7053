using System.Collections;
using MSOnlineBackup.Agent;
using MSOnlineBackup.Agent.Policies;

namespace MSOnlineBackup.Completion;

/// <summary>Completes the sources of the saved policy.</summary>
public sealed class PolicySourceCompleter : ValueCompleter
{
    /// <inheritdoc/>
    protected override IEnumerable<(string Text, string Tip)> Values(IDictionary bound)
    {
        BackupAgent agent = ModuleEnvironment.OpenAgent(_ => { });
        BackupPolicy? policy = agent.Policies.Get(PolicyKind.Files);
        return (policy?.Files ?? []).Where(file => !file.Exclude).Select(file => (file.Path, "Source of the policy"))
            .Concat((policy?.Workloads ?? []).Select(workload => (workload.Name, "Workload of the policy")))
            .Concat((policy?.VirtualMachines ?? []).Select(machine => (machine.Name, "Virtual machine of the policy")));
    }
}
