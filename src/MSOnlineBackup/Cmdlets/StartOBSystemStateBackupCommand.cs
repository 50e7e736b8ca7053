using System.Management.Automation;
using MSOnlineBackup.Agent;
using MSOnlineBackup.Agent.Policies;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Backs up the system state now, by the saved policy for it.</summary>
[Cmdlet(VerbsLifecycle.Start, "OBSystemStateBackup", SupportsShouldProcess = true)]
[OutputType(typeof(OBJob))]
public sealed class StartOBSystemStateBackupCommand : BackupCmdlet
{
    /// <inheritdoc/>
    protected override void Process() =>
        BackUp(new BackupOrder { Kind = Saved(PolicyKind.SystemState).Kind }, [OBDataSource.SystemState], async: false);
}
