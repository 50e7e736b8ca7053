using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Agent.Schedules;

namespace MSOnlineBackup.Model.Conversions;

/// <summary>From what the agent finds about schedules to what scripts see.</summary>
internal static class ScheduleConversion
{
    /// <summary>A finding as scripts see it.</summary>
    public static OBScheduleTest ToOutput(this ScheduleFinding finding) => new()
    {
        Id = finding.Check.ToString(),
        Policy = PolicyScope.Of(finding.Policy).Label,
        Result = Enum.Parse<OBScheduleResult>(finding.Verdict.ToString()),
        Cause = finding.Cause,
        Fix = finding.Fix,
    };
}
