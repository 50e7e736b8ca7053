using System.Management.Automation;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Lists what a policy takes and leaves out.</summary>
[Cmdlet(VerbsCommon.Get, "OBFileSpec")]
[OutputType(typeof(OBFileSpec))]
public sealed class GetOBFileSpecCommand : OBCmdlet
{
    /// <summary>The policy.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    public OBPolicy Policy { get; set; } = null!;

    /// <inheritdoc/>
    protected override void Process() => WriteObject(Policy.FileSpecs.ToArray(), enumerateCollection: true);
}
