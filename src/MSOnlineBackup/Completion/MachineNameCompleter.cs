using System.Collections;
using System.Management.Automation;
using MSOnlineBackup.Agent;

namespace MSOnlineBackup.Completion;

/// <summary>Completes the machines of the vault that is on the command line already, or else of the one that this machine is registered with.</summary>
public sealed class MachineNameCompleter : ValueCompleter
{
    /// <inheritdoc/>
    protected override IEnumerable<(string Text, string Tip)> Values(IDictionary bound)
    {
        ArgumentNullException.ThrowIfNull(bound);
        BackupAgent agent = ModuleEnvironment.OpenAgent(_ => { });
        return (LocationOf(bound["Vault"]) ?? agent.Machine.Registration?.VaultLocation) is not { } location
            ? []
            : CompletionWork.Run(async stop => (await agent.Vaults.ListMachinesAsync(location, stop).ConfigureAwait(false))
                .Where(machine => machine.Left is null)
                .Select(machine => (machine.Name, "Machine in the vault"))
                .ToList());
    }

    // A vault converts to where it is.
    private static string? LocationOf(object? given) =>
        given is not null && LanguagePrimitives.TryConvertTo(given, out string location) && location.Length > 0 ? location : null;
}
