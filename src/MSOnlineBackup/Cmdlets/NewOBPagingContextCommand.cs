using System.Management.Automation;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Makes a context by which a listing is read page by page.</summary>
[Cmdlet(VerbsCommon.New, "OBPagingContext")]
[OutputType(typeof(OBPagingContext))]
public sealed class NewOBPagingContextCommand : OBCmdlet
{
    /// <inheritdoc/>
    protected override void Process() => WriteObject(new OBPagingContext());
}
