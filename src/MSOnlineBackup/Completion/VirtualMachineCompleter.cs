using System.Collections;
using MSOnlineBackup.Agent.Policies;

namespace MSOnlineBackup.Completion;

/// <summary>Completes the virtual machines of the saved policy.</summary>
public sealed class VirtualMachineCompleter : ValueCompleter
{
    /// <inheritdoc/>
    protected override IEnumerable<(string Text, string Tip)> Values(IDictionary bound) =>
        (ModuleEnvironment.OpenAgent(_ => { }).Policies.Get(PolicyKind.Files)?.VirtualMachines ?? []).Select(machine => (machine.Name, $"{string.Join(", ", machine.Addresses)}"));
}
