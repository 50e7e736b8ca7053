using System.Collections;

namespace MSOnlineBackup.Completion;

/// <summary>Completes the names of protection groups.</summary>
public sealed class GroupCompleter : ValueCompleter
{
    /// <inheritdoc/>
    protected override IEnumerable<(string Text, string Tip)> Values(IDictionary bound) => CompletionWork.Run(
        async stop => (await ModuleEnvironment.OpenAgent(_ => { }).Groups.ListAsync(stop).ConfigureAwait(false)).Groups
            .Select(group => (group.Name, string.Join(", ", group.Machines.Select(machine => machine.HostName))))
            .ToList());
}
