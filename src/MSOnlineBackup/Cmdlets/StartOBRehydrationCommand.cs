using System.Management.Automation;
using MSOnlineBackup.Completion;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Asks for what is archived of a vault in Azure to become readable again.</summary>
[Cmdlet(VerbsLifecycle.Start, "OBRehydration", SupportsShouldProcess = true)]
[OutputType(typeof(OBRehydration))]
public sealed class StartOBRehydrationCommand : OBEngineCmdlet
{
    /// <summary>The vault, or its URL.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    [VaultLocationTransformation]
    public string Vault { get; set; } = "";

    /// <summary>Within an hour or so for small objects, at a higher price, instead of up to 15 hours.</summary>
    [Parameter]
    public SwitchParameter Priority { get; set; }

    /// <inheritdoc/>
    protected override void Process()
    {
        string location = VaultPlace(Vault);
        if (ShouldProcess(location, "Rehydrate archived objects"))
        {
            VaultRehydration found = Run((_, stop) => Agent.Vaults.RehydrateAsync(location, Priority, stop));
            WriteObject(new OBRehydration
            {
                Location = location,
                StartedObjects = found.Started,
                StartedBytes = found.StartedBytes,
                PendingObjects = found.Pending,
                PendingBytes = found.PendingBytes,
            });
        }
    }
}
