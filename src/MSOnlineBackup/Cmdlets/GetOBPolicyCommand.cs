using System.Management.Automation;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Model.Conversions;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Returns the policy for folders and files as it is saved; nothing where there is none.</summary>
[Cmdlet(VerbsCommon.Get, "OBPolicy")]
[OutputType(typeof(OBPolicy))]
public sealed class GetOBPolicyCommand : OBCmdlet
{
    /// <inheritdoc/>
    protected override void Process()
    {
        if (Agent.Policies.Get(PolicyKind.Files) is { } policy)
        {
            WriteObject(policy.ToDraft());
        }
    }
}
