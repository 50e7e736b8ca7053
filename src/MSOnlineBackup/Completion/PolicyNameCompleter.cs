using System.Collections;
using MSOnlineBackup.Agent;
using MSOnlineBackup.Agent.Policies;

namespace MSOnlineBackup.Completion;

/// <summary>Completes the names of the saved policies.</summary>
public sealed class PolicyNameCompleter : ValueCompleter
{
    /// <inheritdoc/>
    protected override IEnumerable<(string Text, string Tip)> Values(IDictionary bound)
    {
        BackupAgent agent = ModuleEnvironment.OpenAgent(_ => { });
        return agent.Policies.List()
            .Where(policy => policy.Id is not null)
            .Select(policy => (policy.Id.ToString()!, $"The policy for {PolicyScope.Of(policy.Kind).Label}"));
    }
}
