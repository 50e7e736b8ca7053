using System.Management.Automation;
using MSOnlineBackup.Agent.Health;
using MSOnlineBackup.Model.Conversions;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Checks whether this machine has what the module needs, before anything is set up.</summary>
[Cmdlet(VerbsDiagnostic.Test, "OBPrerequisite")]
[OutputType(typeof(OBHealthTest))]
public sealed class TestOBPrerequisiteCommand : OBEngineCmdlet
{
    /// <summary>The folder that is to be the scratch folder; without it the one that it is, or would be.</summary>
    [Parameter(Position = 0)]
    [ValidateNotNullOrEmpty]
    public string? ScratchPath { get; set; }

    /// <inheritdoc/>
    protected override void Process()
    {
        string? scratch = ScratchPath is null ? null : FullPath(ScratchPath);
        foreach (HealthFinding finding in Run((_, stop) => Agent.Health.TestPrerequisitesAsync(scratch, stop)))
        {
            WriteObject(finding.ToOutput());
        }
    }
}
