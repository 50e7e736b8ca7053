using System.Management.Automation;
using MSOnlineBackup.Recovery;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Ends a mount of a recovery point, in whatever process it is served.</summary>
[Cmdlet(VerbsLifecycle.Stop, "OBRecoveryMount", SupportsShouldProcess = true)]
[OutputType(typeof(void))]
public sealed class StopOBRecoveryMountCommand : OBEngineCmdlet
{
    /// <summary>The folder; also from Get-OBRecoveryMount.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    public string[] Path { get; set; } = [];

    /// <summary>Also where a program has a file of it open, or works in it: that gets errors.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <inheritdoc/>
    protected override void Process()
    {
        foreach (string path in Path)
        {
            string folder = MountPlace.Resolve(SessionState, path);
            if (ShouldProcess(folder, "Unmount the recovery point"))
            {
                Run((_, stop) => Agent.Mounts.StopAsync(folder, Force, stop));
            }
        }
    }
}
