using System.Management.Automation;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Makes an empty policy.</summary>
[Cmdlet(VerbsCommon.New, "OBPolicy")]
[OutputType(typeof(OBPolicy))]
public sealed class NewOBPolicyCommand : OBCmdlet
{
    /// <inheritdoc/>
    protected override void Process() => WriteObject(new OBPolicy());
}
