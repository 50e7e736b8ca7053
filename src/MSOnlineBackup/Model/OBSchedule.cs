using System.Globalization;

namespace MSOnlineBackup;

/// <summary>When backups run: wall time of the machine, unless it names a time zone or an offset from UTC.</summary>
public sealed class OBSchedule
{
    /// <summary>The saved policy's name; empty in a draft.</summary>
    public string SchedulePolicyName { get; internal set; } = "";

    /// <summary>On which days.</summary>
    public DayOfWeek[] ScheduleRunDays { get; set => field = value ?? []; } = [];

    /// <summary>At which times of day.</summary>
    public TimeSpan[] ScheduleRunTimes { get; set => field = value ?? []; } = [];

    /// <summary>Draft, or part of a saved policy.</summary>
    public OBObjectState State { get; internal set; }

    /// <summary>Every how many weeks.</summary>
    public int ScheduleWeeklyFrequency { get; set; } = 1;

    /// <summary>The saved policy's id; empty in a draft.</summary>
    public Guid ScheduleId { get; internal set; }

    /// <summary>So many minutes apart, from the beginning of each day on; null for times of day.</summary>
    public int? ScheduleEveryMinutes { get; set; }

    /// <summary>A day of a week in which it runs, from which every few weeks are counted; null until saved.</summary>
    public DateTime? ScheduleStartDate { get; set; }

    /// <summary>The zone whose wall time is meant, as IANA calls it; null for that of the machine.</summary>
    public string? ScheduleTimeZone { get; set; }

    /// <summary>The offset from UTC that is meant all year; null for that of a zone.</summary>
    public TimeSpan? ScheduleFixedUtcOffset { get; set; }

    /// <summary>What becomes of backups that were missed.</summary>
    public OBMissedRuns ScheduleMissedRuns { get; set; }

    /// <summary>After which time a workload of the policy is backed up whole again, where it says nothing of that itself; null for a day.</summary>
    public TimeSpan? ScheduleFullEvery { get; set; }

    /// <summary>Up to so much later, each time by another time.</summary>
    public TimeSpan ScheduleRandomDelay { get; set; }

    /// <summary>Whether nothing starts while the machine runs on its battery.</summary>
    public bool ScheduleNotOnBattery { get; set; }

    /// <summary>Whether nothing starts while the network is paid for by volume.</summary>
    public bool ScheduleNotOnMetered { get; set; }

    /// <summary>The days as people write them: "Saturday, Sunday".</summary>
    public string ScheduleRunDaysToString() => string.Join(", ", ScheduleRunDays);

    /// <summary>The times as people write them: "4:00 PM, 9:00 PM", or "Every 15 minutes".</summary>
    public string ScheduleRunTimesToString() => ScheduleEveryMinutes is { } minutes
        ? string.Create(CultureInfo.InvariantCulture, $"Every {minutes} minutes")
        : string.Join(", ", ScheduleRunTimes.Select(TimeText));

    /// <summary>Times, days and weeks, by line.</summary>
    public override string ToString() =>
        $"{ScheduleRunTimesToString()}\n{ScheduleRunDaysToString()},\n{(ScheduleWeeklyFrequency == 1 ? "Every week" : $"Every {ScheduleWeeklyFrequency} weeks")}";

    /// <summary>A time of day as the original prints it: "4:00 PM".</summary>
    internal static string TimeText(TimeSpan time) => (DateTime.UnixEpoch + time).ToString("h:mm tt", CultureInfo.InvariantCulture);
}
