using System.Management.Automation;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Agent.Schedules;
using MSOnlineBackup.Model.Conversions;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Registers the schedules of this machine anew, and says what is left amiss.</summary>
[Cmdlet(VerbsDiagnostic.Repair, "OBSchedule", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium)]
[OutputType(typeof(OBScheduleTest))]
public sealed class RepairOBScheduleCommand : OBEngineCmdlet
{
    /// <inheritdoc/>
    protected override void Process()
    {
        foreach (PolicyKind kind in AgentSchedules.Kinds)
        {
            if (Agent.Schedules.SchedulerName is { } scheduler
                && ShouldProcess($"The schedule of the policy for {PolicyScope.Of(kind).Label}", $"Bring {scheduler} in line with it"))
            {
                AlignSchedule(kind);
            }
        }

        foreach (ScheduleFinding finding in Run((_, stop) => Agent.Schedules.TestAsync(stop)))
        {
            WriteObject(finding.ToOutput());
        }
    }
}
