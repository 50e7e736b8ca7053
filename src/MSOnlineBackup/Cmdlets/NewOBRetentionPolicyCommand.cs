using System.Management.Automation;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Completion;
using MSOnlineBackup.Model.Conversions;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Says for how long recovery points are kept.</summary>
[Cmdlet(VerbsCommon.New, "OBRetentionPolicy")]
[OutputType(typeof(OBRetentionPolicy))]
public sealed class NewOBRetentionPolicyCommand : OBCmdlet
{
    /// <summary>Every point for this many days.</summary>
    [Parameter(Position = 0)]
    public long RetentionDays { get; set; } = 30;

    /// <summary>Keeps certain points for weeks.</summary>
    [Parameter(Position = 1)]
    public SwitchParameter RetentionWeeklyPolicy { get; set; }

    /// <summary>Of which days of the week they are.</summary>
    [Parameter(Position = 2)]
    [ArgumentCompleter(typeof(EnumCompleter<DayOfWeek>))]
    public List<DayOfWeek> WeekDaysOfWeek { get; set; } = [];

    /// <summary>Of which times of the schedule; the first of the day where it is not given.</summary>
    [Parameter(Position = 3)]
    public List<TimeSpan> WeekTimesOfDay { get; set; } = [];

    /// <summary>For how many weeks.</summary>
    [Parameter(Position = 4)]
    public long RetentionWeeks { get; set; }

    /// <summary>Keeps certain points for months.</summary>
    [Parameter(Position = 5)]
    public SwitchParameter RetentionMonthlyPolicy { get; set; }

    /// <summary>Of which days of the month they are: 1 to 31; 0 is the last day.</summary>
    [Parameter]
    public List<int> MonthDaysOfMonth { get; set; } = [];

    /// <summary>Of which days of the week, in the weeks that MonthWeeksOfMonth names.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(EnumCompleter<DayOfWeek>))]
    public List<DayOfWeek> MonthDaysOfWeek { get; set; } = [];

    /// <summary>Of which times of the schedule; the first of the day where it is not given.</summary>
    [Parameter]
    public List<TimeSpan> MonthTimesOfDay { get; set; } = [];

    /// <summary>In which weeks of the month.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(EnumCompleter<CBNthWeek>))]
    public List<CBNthWeek> MonthWeeksOfMonth { get; set; } = [];

    /// <summary>For how many months.</summary>
    [Parameter]
    public long RetentionMonths { get; set; }

    /// <summary>Keeps certain points for years.</summary>
    [Parameter]
    public SwitchParameter RetentionYearlyPolicy { get; set; }

    /// <summary>For how many years.</summary>
    [Parameter]
    public long RetentionYears { get; set; }

    /// <summary>Of which days of the month they are: 1 to 31; 0 is the last day.</summary>
    [Parameter]
    public List<int> YearDaysOfMonth { get; set; } = [];

    /// <summary>Of which days of the week, in the weeks that YearWeeksOfMonth names.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(EnumCompleter<DayOfWeek>))]
    public List<DayOfWeek> YearDaysOfWeek { get; set; } = [];

    /// <summary>In which months of the year.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(EnumCompleter<CBMonth>))]
    public List<CBMonth> YearMonthsOfYear { get; set; } = [];

    /// <summary>Of which times of the schedule; the first of the day where it is not given.</summary>
    [Parameter]
    public List<TimeSpan> YearTimesOfDay { get; set; } = [];

    /// <summary>In which weeks of the month.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(EnumCompleter<CBNthWeek>))]
    public List<CBNthWeek> YearWeeksOfMonth { get; set; } = [];

    /// <inheritdoc/>
    protected override void Process()
    {
        RefuseWithout(
            RetentionWeeklyPolicy, nameof(RetentionWeeklyPolicy), [nameof(WeekDaysOfWeek), nameof(WeekTimesOfDay), nameof(RetentionWeeks)]);
        RefuseWithout(
            RetentionMonthlyPolicy,
            nameof(RetentionMonthlyPolicy),
            [nameof(MonthDaysOfMonth), nameof(MonthDaysOfWeek), nameof(MonthTimesOfDay), nameof(MonthWeeksOfMonth), nameof(RetentionMonths)]);
        RefuseWithout(
            RetentionYearlyPolicy,
            nameof(RetentionYearlyPolicy),
            [nameof(YearDaysOfMonth), nameof(YearDaysOfWeek), nameof(YearMonthsOfYear), nameof(YearTimesOfDay), nameof(YearWeeksOfMonth), nameof(RetentionYears)]);

        TakeDefaults();
        var retention = new OBRetentionPolicy
        {
            RetentionDays = RetentionDays,
            WeeklyLTRSchedule = !RetentionWeeklyPolicy ? null : new OBLTRSchedule(LtrUnit.Week)
            {
                RetentionRange = Range(RetentionWeeks, LtrUnit.Week),
                DaysOfWeek = [.. WeekDaysOfWeek],
                TimesOfDay = [.. WeekTimesOfDay],
            },
            MonthlyLTRSchedule = !RetentionMonthlyPolicy ? null : new OBLTRSchedule(LtrUnit.Month)
            {
                RetentionRange = Range(RetentionMonths, LtrUnit.Month),
                DaysOfMonth = [.. MonthDaysOfMonth],
                DaysOfWeek = [.. MonthDaysOfWeek],
                WeeksOfMonth = [.. MonthWeeksOfMonth],
                TimesOfDay = [.. MonthTimesOfDay],
            },
            YearlyLTRSchedule = !RetentionYearlyPolicy ? null : new OBLTRSchedule(LtrUnit.Year)
            {
                RetentionRange = Range(RetentionYears, LtrUnit.Year),
                DaysOfMonth = [.. YearDaysOfMonth],
                DaysOfWeek = [.. YearDaysOfWeek],
                WeeksOfMonth = [.. YearWeeksOfMonth],
                MonthsOfYear = [.. YearMonthsOfYear],
                TimesOfDay = [.. YearTimesOfDay],
            },
        };
        ModuleEnvironment.Limits().CheckRetention(retention.ToEngine());
        if (PolicyDoubts.OfRetention(retention.ToEngine()) is { } doubt)
        {
            WriteWarning($"{doubt} The profile {PolicyLimits.Open.Name}, which is in force, allows it.");
        }

        WriteObject(retention);
    }

    // Published scripts leave out what the original then decides by itself. What is decided here is said.
    private void TakeDefaults()
    {
        if (RetentionMonthlyPolicy)
        {
            TakeFirst(
                nameof(MonthWeeksOfMonth),
                MonthWeeksOfMonth,
                MonthDaysOfWeek.Count > 0 && MonthDaysOfMonth.Count == 0,
                CBNthWeek.First,
                "the first week of the month");
            TakeFirst(nameof(MonthDaysOfMonth), MonthDaysOfMonth, MonthDaysOfWeek.Count == 0 && MonthWeeksOfMonth.Count == 0, 1, "the first day of the month");
        }

        if (RetentionYearlyPolicy)
        {
            TakeFirst(nameof(YearMonthsOfYear), YearMonthsOfYear, true, CBMonth.January, "January");
            TakeFirst(
                nameof(YearWeeksOfMonth),
                YearWeeksOfMonth,
                YearDaysOfWeek.Count > 0 && YearDaysOfMonth.Count == 0,
                CBNthWeek.First,
                "the first week of the month");
            TakeFirst(nameof(YearDaysOfMonth), YearDaysOfMonth, YearDaysOfWeek.Count == 0 && YearWeeksOfMonth.Count == 0, 1, "the first day of the month");
        }
    }

    private void TakeFirst<T>(string parameter, List<T> values, bool isWanted, T first, string name)
    {
        if (isWanted && values.Count == 0)
        {
            values.Add(first);
            WriteWarning($"-{parameter} was not given; using {name}.");
        }
    }

    // What is said of a rule that was not asked for would be lost without a word.
    private void RefuseWithout(bool rule, string name, string[] details)
    {
        if (!rule && details.FirstOrDefault(MyInvocation.BoundParameters.ContainsKey) is string given)
        {
            throw new BackupException(
                BackupErrorId.ArgumentInvalid, $"-{given} has no effect without -{name}.", $"Add -{name}, or omit -{given}.", given);
        }
    }

    private static int Range(long count, LtrUnit unit) => int.CreateSaturating((Int128)count * (int)unit);
}
