using System.Management.Automation;
using MSOnlineBackup.Completion;
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

    /// <summary>So many minutes apart, in place of times of day.</summary>
    [Parameter]
    public int? EveryMinutes { get; set; }

    /// <summary>After which time a workload of the policy is backed up whole again, where it says nothing of that itself.</summary>
    [Parameter]
    [DurationTransformation]
    public TimeSpan? FullEvery { get; set; }

    /// <summary>The zone whose wall time is meant.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? TimeZone { get; set; }

    /// <summary>The offset from UTC that is meant all year: no clock is changed.</summary>
    [Parameter]
    public TimeSpan? FixedUtcOffset { get; set; }

    /// <summary>What becomes of backups that were missed.</summary>
    [Parameter]
    public OBMissedRuns MissedRuns { get; set; }

    /// <summary>Up to so much later, each time by another time.</summary>
    [Parameter]
    public TimeSpan RandomDelay { get; set; }

    /// <summary>Starts nothing while the machine runs on its battery.</summary>
    [Parameter]
    public SwitchParameter NotOnBattery { get; set; }

    /// <summary>Starts nothing while the network is paid for by volume.</summary>
    [Parameter]
    public SwitchParameter NotOnMetered { get; set; }

    /// <inheritdoc/>
    protected override void Process()
    {
        bool isInterval = EveryMinutes is not null;
        var schedule = new OBSchedule
        {
            ScheduleRunDays = isInterval && !IsGiven(nameof(DaysOfWeek)) ? Enum.GetValues<DayOfWeek>() : DaysOfWeek,
            ScheduleRunTimes = isInterval && !IsGiven(nameof(TimesOfDay)) ? [] : TimesOfDay,
            ScheduleWeeklyFrequency = WeeklyFrequency,
            ScheduleEveryMinutes = EveryMinutes,
            ScheduleFullEvery = FullEvery,
            ScheduleTimeZone = TimeZone,
            ScheduleFixedUtcOffset = FixedUtcOffset,
            ScheduleMissedRuns = MissedRuns,
            ScheduleRandomDelay = RandomDelay,
            ScheduleNotOnBattery = NotOnBattery,
            ScheduleNotOnMetered = NotOnMetered,
        };
        ModuleEnvironment.Limits().CheckSchedule(schedule.ToEngine());
        WriteObject(schedule);
    }

    private bool IsGiven(string parameter) => MyInvocation.BoundParameters.ContainsKey(parameter);
}
