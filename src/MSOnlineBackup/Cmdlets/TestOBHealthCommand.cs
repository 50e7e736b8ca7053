using System.Management.Automation;
using MSOnlineBackup.Agent.Health;
using MSOnlineBackup.Model.Conversions;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Checks everything that backups of this machine need.</summary>
[Cmdlet(VerbsDiagnostic.Test, "OBHealth")]
[OutputType(typeof(OBHealthTest))]
public sealed class TestOBHealthCommand : OBEngineCmdlet
{
    /// <inheritdoc/>
    protected override void Process()
    {
        foreach (HealthFinding finding in Run((_, stop) => Agent.Health.TestAsync(stop)))
        {
            WriteObject(finding.ToOutput());
        }
    }
}
