namespace MSOnlineBackup;

/// <summary>Which recovery points are kept longer than the daily ones, and for how long.</summary>
public sealed class OBLTRSchedule
{
    internal OBLTRSchedule(LtrUnit unit) => Unit = unit;

    /// <summary>For how long, in days: weeks times 7, months times 31, years times 366.</summary>
    public int RetentionRange { get; set; }

    /// <summary>Of which days of the week.</summary>
    public DayOfWeek[] DaysOfWeek { get; set => field = value ?? []; } = [];

    /// <summary>In which weeks of the month; empty where days are meant by number.</summary>
    public CBNthWeek[] WeeksOfMonth { get; set => field = value ?? []; } = [];

    /// <summary>Of which days of the month, 1 to 31; 0 is the last day.</summary>
    public int[] DaysOfMonth { get; set => field = value ?? []; } = [];

    /// <summary>In which months.</summary>
    public CBMonth[] MonthsOfYear { get; set => field = value ?? []; } = [];

    /// <summary>Of which times of the schedule; empty for the first of the day.</summary>
    public TimeSpan[] TimesOfDay { get; set => field = value ?? []; } = [];

    /// <summary>What the range is counted in.</summary>
    internal LtrUnit Unit { get; }

    /// <summary>The range in its unit: a started one counts.</summary>
    internal int Count => (int)((RetentionRange + (long)Unit - 1) / (long)Unit);

    /// <summary>As in "First Sunday, 9:00 PM, for 13 months".</summary>
    public override string ToString()
    {
        string?[] parts =
        [
            List(DaysOfMonth.Select(day => day == 0 ? "Last day" : $"Day {day}")),
            List(WeeksOfMonth) is string weeks ? $"{weeks} {List(DaysOfWeek)}" : List(DaysOfWeek),
            List(MonthsOfYear) is string months ? $"of {months}" : null,
            List(TimesOfDay.Select(OBSchedule.TimeText)),
            $"for {Count} {Unit.ToString().ToLowerInvariant()}{(Count == 1 ? "" : "s")}",
        ];
        return string.Join(", ", parts.OfType<string>());
    }

    private static string? List<T>(IEnumerable<T> values) => string.Join(", ", values) is { Length: > 0 } text ? text : null;
}

/// <summary>What long-term retention is counted in; the value is its days in <see cref="OBLTRSchedule.RetentionRange"/>.</summary>
internal enum LtrUnit
{
    /// <summary>Weeks.</summary>
    Week = 7,

    /// <summary>Months.</summary>
    Month = 31,

    /// <summary>Years.</summary>
    Year = 366,
}
