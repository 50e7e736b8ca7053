using System.Management.Automation;
using MSOnlineBackup.Agent.Jobs;
using MSOnlineBackup.Agent.Policies;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Backs up the system state now, by the saved policy for it.</summary>
[Cmdlet(VerbsLifecycle.Start, "OBSystemStateBackup", SupportsShouldProcess = true)]
[OutputType(typeof(OBJob))]
public sealed class StartOBSystemStateBackupCommand : JobCmdlet
{
    /// <inheritdoc/>
    protected override void Process()
    {
        BackupPolicy policy = Agent.Policies.Require(PolicyKind.SystemState);
        Do(new BackupOrder { Policy = policy.Kind }, PolicyScope.Of(policy.Kind).SourceName!, "Back up", async: false);
    }
}
