using System.Globalization;

namespace MSOnlineBackup;

/// <summary>When backups run: wall time of the machine.</summary>
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

    /// <summary>The days as people write them: "Saturday, Sunday".</summary>
    public string ScheduleRunDaysToString() => string.Join(", ", ScheduleRunDays);

    /// <summary>The times as people write them: "4:00 PM, 9:00 PM".</summary>
    public string ScheduleRunTimesToString() => string.Join(", ", ScheduleRunTimes.Select(TimeText));

    /// <summary>Times, days and weeks, by line.</summary>
    public override string ToString() =>
        $"{ScheduleRunTimesToString()}\n{ScheduleRunDaysToString()},\n{(ScheduleWeeklyFrequency == 1 ? "Every week" : $"Every {ScheduleWeeklyFrequency} weeks")}";

    /// <summary>A time of day as the original prints it: "4:00 PM".</summary>
    internal static string TimeText(TimeSpan time) => (DateTime.UnixEpoch + time).ToString("h:mm tt", CultureInfo.InvariantCulture);
}
