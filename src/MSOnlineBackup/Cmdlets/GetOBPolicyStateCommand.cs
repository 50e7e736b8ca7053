using System.Management.Automation;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Returns whether the schedule of a policy runs.</summary>
[Cmdlet(VerbsCommon.Get, "OBPolicyState")]
[OutputType(typeof(OBPolicyState))]
public sealed class GetOBPolicyStateCommand : OBCmdlet
{
    /// <summary>The policy.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    public OBPolicy Policy { get; set; } = null!;

    /// <inheritdoc/>
    protected override void Process() => WriteObject(new OBPolicyState { PolicyName = Policy.PolicyName, State = Policy.PolicyState });
}
