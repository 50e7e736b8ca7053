using System.Management.Automation;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Returns the retention of a policy; nothing where it has none.</summary>
[Cmdlet(VerbsCommon.Get, "OBRetentionPolicy")]
[OutputType(typeof(OBRetentionPolicy))]
public sealed class GetOBRetentionPolicyCommand : OBCmdlet
{
    /// <summary>The policy.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    public OBPolicy Policy { get; set; } = null!;

    /// <inheritdoc/>
    protected override void Process()
    {
        if (Policy.RetentionPolicy is { } retention)
        {
            WriteObject(retention);
        }
    }
}
