using System.Collections;

namespace MSOnlineBackup.Completion;

/// <summary>Completes the names of machines on which this one has put agents.</summary>
public sealed class AgentCompleter : ValueCompleter
{
    /// <inheritdoc/>
    protected override IEnumerable<(string Text, string Tip)> Values(IDictionary bound) =>
        ModuleEnvironment.OpenAgent(_ => { }).Remotes.List().Select(agent => (agent.Machine.HostName, $"{agent.State} {agent.Version}".TrimEnd()));
}
