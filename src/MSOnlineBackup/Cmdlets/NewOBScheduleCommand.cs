using System.Management.Automation;
using MSOnlineBackup.Model.Conversions;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Makes a schedule.</summary>
[Cmdlet(VerbsCommon.New, "OBSchedule")]
[OutputType(typeof(OBSchedule))]
public sealed class NewOBScheduleCommand : OBCmdlet
{
    /// <summary>On which days.</summary>
    [Parameter(Position = 0)]
    [ValidateNotNullOrEmpty]
    public DayOfWeek[] DaysOfWeek { get; set; } = [DayOfWeek.Sunday];

    /// <summary>At which times of day.</summary>
    [Parameter(Position = 1)]
    [ValidateNotNullOrEmpty]
    public TimeSpan[] TimesOfDay { get; set; } = [TimeSpan.FromHours(21)];

    /// <summary>Every how many weeks.</summary>
    [Parameter(Position = 2)]
    public int WeeklyFrequency { get; set; } = 1;

    /// <inheritdoc/>
    protected override void Process()
    {
        var schedule = new OBSchedule { ScheduleRunDays = DaysOfWeek, ScheduleRunTimes = TimesOfDay, ScheduleWeeklyFrequency = WeeklyFrequency };
        ModuleEnvironment.Limits().CheckSchedule(schedule.ToEngine());
        WriteObject(schedule);
    }
}
