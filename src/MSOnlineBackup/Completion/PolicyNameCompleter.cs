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
        return new[] { PolicyKind.Files, PolicyKind.SystemState }
            .Select(agent.Policies.Get)
            .OfType<BackupPolicy>()
            .Where(policy => policy.Id is not null)
            .Select(policy => (policy.Id.ToString()!, policy.Kind == PolicyKind.Files ? "Folders and files" : "System state"));
    }
}
