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
        return (agent.Policies.Get(PolicyKind.Files)?.Files ?? []).Where(file => !file.Exclude).Select(file => (file.Path, "Source of the policy"));
    }
}
