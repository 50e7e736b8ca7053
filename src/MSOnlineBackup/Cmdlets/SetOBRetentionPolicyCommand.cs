using System.Management.Automation;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Gives a draft a retention.</summary>
[Cmdlet(VerbsCommon.Set, "OBRetentionPolicy", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium)]
[OutputType(typeof(OBPolicy))]
public sealed class SetOBRetentionPolicyCommand : OBCmdlet
{
    /// <summary>The draft that is changed, and returned.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    public OBPolicy Policy { get; set; } = null!;

    /// <summary>The retention, from New-OBRetentionPolicy.</summary>
    [Parameter(Mandatory = true, Position = 1, ValueFromPipeline = true)]
    public OBRetentionPolicy RetentionPolicy { get; set; } = null!;

    /// <inheritdoc/>
    protected override void Process()
    {
        if (ShouldProcess(Policy.ToString(), "Set retention"))
        {
            Policy.RetentionPolicy = RetentionPolicy;
        }

        WriteObject(Policy);
    }
}
