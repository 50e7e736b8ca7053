using System.Management.Automation;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Model.Conversions;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Returns the policy for the system state as it is saved; nothing where there is none.</summary>
[Cmdlet(VerbsCommon.Get, "OBSystemStatePolicy")]
[OutputType(typeof(OBPolicy))]
public sealed class GetOBSystemStatePolicyCommand : OBCmdlet
{
    /// <inheritdoc/>
    protected override void Process()
    {
        if (Agent.Policies.Get(PolicyKind.SystemState) is { } policy)
        {
            WriteObject(policy.ToDraft());
        }
    }
}
