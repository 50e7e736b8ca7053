using System.Management.Automation;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Adds specifications to a draft.</summary>
[Cmdlet(VerbsCommon.Add, "OBFileSpec", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Low)]
[OutputType(typeof(OBPolicy))]
public sealed class AddOBFileSpecCommand : FileSpecCmdlet
{
    /// <inheritdoc/>
    protected override string ActionOn(OBFileSpec spec) => $"Add '{spec?.FileSpec}'";

    /// <inheritdoc/>
    protected override void Look(OBFileSpec spec)
    {
        // A draft may be for another machine: it is Set-OBPolicy that refuses. What is only doubtful is told there, too.
        if (ModuleEnvironment.Limits() == PolicyLimits.Mars && spec is { IsExclude: false } && PolicyDoubts.OfPath(spec.FileSpec, Agent.SourceRules) is { } refusal)
        {
            WriteWarning($"{refusal.Message} {refusal.RecommendedAction}");
        }
    }

    /// <inheritdoc/>
    protected override void Change(OBFileSpec spec)
    {
        if (!PolicyScope.Of(Policy.Kind).NamesFiles)
        {
            throw new BackupException(
                BackupErrorId.PolicyInvalid,
                "The policy protects the system state; folders and files need a separate policy.",
                "Make one with New-OBPolicy, and save it with Set-OBPolicy.",
                spec.FileSpec);
        }

        // What is added again replaces what was: it may be recursive now.
        Policy.FileSpecs.RemoveAll(there => AreSame(there, spec));
        Policy.FileSpecs.Add(spec);
    }
}
