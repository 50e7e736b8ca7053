using System.Management.Automation;
using MSOnlineBackup.Agent.Schedules;
using MSOnlineBackup.Model.Conversions;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Looks for everything that would keep the schedules of this machine from running.</summary>
[Cmdlet(VerbsDiagnostic.Test, "OBSchedule")]
[OutputType(typeof(OBScheduleTest))]
public sealed class TestOBScheduleCommand : OBEngineCmdlet
{
    /// <inheritdoc/>
    protected override void Process()
    {
        foreach (ScheduleFinding finding in Run((_, stop) => Agent.Schedules.TestAsync(stop)))
        {
            WriteObject(finding.ToOutput());
        }
    }
}
