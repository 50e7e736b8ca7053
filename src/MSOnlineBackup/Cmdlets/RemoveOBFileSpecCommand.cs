using System.Management.Automation;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Removes specifications from a draft.</summary>
[Cmdlet(VerbsCommon.Remove, "OBFileSpec", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium)]
[OutputType(typeof(OBPolicy))]
public sealed class RemoveOBFileSpecCommand : FileSpecCmdlet
{
    /// <inheritdoc/>
    protected override string ActionOn(OBFileSpec spec) => $"Remove '{spec?.FileSpec}'";

    /// <inheritdoc/>
    protected override void Change(OBFileSpec spec)
    {
        if (Policy.FileSpecs.RemoveAll(there => AreSame(there, spec)) == 0)
        {
            WriteError(new BackupException(
                BackupErrorId.ArgumentInvalid,
                $"The policy does not {(spec.IsExclude ? "leave out" : "include")} '{spec.FileSpec}'.",
                "Get-OBFileSpec shows what it has. To remove an exclusion, give a specification with -Exclude.",
                spec.FileSpec));
        }
    }
}
