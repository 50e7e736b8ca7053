using System.Management.Automation;
using MSOnlineBackup.Completion;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Takes a machine off a vault's list. Its recovery points stay.</summary>
[Cmdlet(VerbsLifecycle.Unregister, "OBMachine", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High)]
[OutputType(typeof(void))]
public sealed class UnregisterOBMachineCommand : OBEngineCmdlet
{
    /// <summary>The vault, or its folder or URL.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    [VaultLocationTransformation]
    public string Vault { get; set; } = "";

    /// <summary>The machine, in upper or lower case.</summary>
    [Parameter(Mandatory = true, Position = 1)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(MachineNameCompleter))]
    public string Name { get; set; } = "";

    /// <inheritdoc/>
    protected override void Process()
    {
        string location = VaultPlace(Vault);
        if (ShouldProcess(location, $"Unregister the machine '{Name}'; its recovery points stay"))
        {
            Run((_, stop) => Agent.UnregisterMachineAsync(location, Name, stop));
        }
    }
}
