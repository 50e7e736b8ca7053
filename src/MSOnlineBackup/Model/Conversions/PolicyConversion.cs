using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Model.Conversions;

/// <summary>Between the policy that scripts change and the engine's.</summary>
internal static class PolicyConversion
{
    /// <summary>The engine's form of a draft.</summary>
    public static BackupPolicy ToEngine(this OBPolicy draft) => new()
    {
        Id = Guid.TryParse(draft.PolicyName, out Guid id) ? id : null,
        Kind = draft.Kind,
        Files = [.. draft.FileSpecs.Select(spec => new FileSpecification(spec.FileSpec, spec.IsExclude, !spec.IsRecursive))],
        Workloads = [.. draft.WorkloadSpecs.Select(workload => workload.ToEngine())],
        VirtualMachines = [.. draft.VirtualMachineSpecs.Select(machine => machine.ToEngine())],
        Schedule = draft.BackupSchedule?.ToEngine(),
        Retention = draft.RetentionPolicy?.ToEngine(),
        CopyTo = [.. draft.CopyTo ?? []],
        IsPaused = draft.PolicyState == OMPolicyStates.Paused,
    };

    /// <summary>The engine's form of a schedule.</summary>
    public static BackupSchedule ToEngine(this OBSchedule draft) => new(Ordered(draft.ScheduleRunDays), Ordered(draft.ScheduleRunTimes), draft.ScheduleWeeklyFrequency)
    {
        EveryMinutes = draft.ScheduleEveryMinutes,
        FullEveryMinutes = WorkloadConversion.WholeMinutes(draft.ScheduleFullEvery, "schedule"),
        Start = draft.ScheduleStartDate is { } start ? DateOnly.FromDateTime(start) : null,
        TimeZone = draft.ScheduleTimeZone is { Length: > 0 } zone ? zone : null,
        UtcOffsetMinutes = draft.ScheduleFixedUtcOffset is { } offset ? Minutes(offset) : null,
        SkipsMissed = draft.ScheduleMissedRuns == OBMissedRuns.Skip,
        CatchesUpStops = draft.ScheduleMissedRuns == OBMissedRuns.CatchUpAlways,
        RandomDelayMinutes = Minutes(draft.ScheduleRandomDelay),
        NotOnBattery = draft.ScheduleNotOnBattery,
        NotOnMetered = draft.ScheduleNotOnMetered,
    };

    /// <summary>The engine's form of a retention.</summary>
    public static RetentionPolicy ToEngine(this OBRetentionPolicy draft) => new(
        int.CreateSaturating(draft.RetentionDays),
        draft.WeeklyLTRSchedule is { } week ? new WeeklyRetention(week.Count, Ordered(week.DaysOfWeek), Ordered(week.TimesOfDay)) : null,
        draft.MonthlyLTRSchedule is { } month ? new MonthlyRetention(month.Count, DaysOf(month), Ordered(month.TimesOfDay)) : null,
        draft.YearlyLTRSchedule is { } year
            ? new YearlyRetention(year.Count, [.. Ordered(year.MonthsOfYear).Select(each => (int)each)], DaysOf(year), Ordered(year.TimesOfDay))
            : null);

    /// <summary>A draft of a policy; of a saved one where it has an id.</summary>
    public static OBPolicy ToDraft(this BackupPolicy policy)
    {
        var draft = new OBPolicy
        {
            Kind = policy.Kind,
            BackupSchedule = policy.Schedule?.ToDraft(),
            RetentionPolicy = policy.Retention?.ToDraft(),
            CopyTo = [.. policy.CopyTo],
            PolicyState = policy.IsPaused ? OMPolicyStates.Paused : OMPolicyStates.Valid,
        };
        draft.FileSpecs.AddRange(policy.Files.Select(file => new OBFileSpec(file.Path, file.Exclude, !file.NonRecursive)));
        draft.WorkloadSpecs.AddRange(policy.Workloads.Select(workload => workload.ToOutput()));
        draft.VirtualMachineSpecs.AddRange(policy.VirtualMachines.Select(machine => machine.ToOutput()));
        draft.MarkSavedAs(policy.Id);
        return draft;
    }

    /// <summary>Marks a draft, and what is in it, as saved under an id, or as a draft again where that is null.</summary>
    public static void MarkSavedAs(this OBPolicy draft, Guid? id)
    {
        OBObjectState state = id is null ? OBObjectState.New : OBObjectState.Existing;
        string name = id?.ToString() ?? "";
        draft.State = state;
        draft.PolicyName = name;
        if (draft.BackupSchedule is { } schedule)
        {
            schedule.State = state;
            schedule.SchedulePolicyName = name;
            schedule.ScheduleId = id ?? Guid.Empty;
        }

        if (draft.RetentionPolicy is { } retention)
        {
            retention.State = state;
            retention.RetentionPolicyName = name;
        }
    }

    private static OBSchedule ToDraft(this BackupSchedule schedule) => new()
    {
        ScheduleRunDays = [.. schedule.Days],
        ScheduleRunTimes = [.. schedule.Times],
        ScheduleWeeklyFrequency = schedule.WeekFrequency,
        ScheduleEveryMinutes = schedule.EveryMinutes,
        ScheduleFullEvery = schedule.FullEveryMinutes is { } full ? TimeSpan.FromMinutes(full) : null,
        ScheduleStartDate = schedule.Start?.ToDateTime(TimeOnly.MinValue),
        ScheduleTimeZone = schedule.TimeZone,
        ScheduleFixedUtcOffset = schedule.UtcOffsetMinutes is { } minutes ? TimeSpan.FromMinutes(minutes) : null,
        ScheduleMissedRuns = schedule.SkipsMissed ? OBMissedRuns.Skip : schedule.CatchesUpStops ? OBMissedRuns.CatchUpAlways : OBMissedRuns.CatchUp,
        ScheduleRandomDelay = TimeSpan.FromMinutes(schedule.RandomDelayMinutes),
        ScheduleNotOnBattery = schedule.NotOnBattery,
        ScheduleNotOnMetered = schedule.NotOnMetered,
    };

    /// <summary>A draft of a retention.</summary>
    public static OBRetentionPolicy ToDraft(this RetentionPolicy retention) => new()
    {
        RetentionDays = retention.Days,
        WeeklyLTRSchedule = retention.Weekly is not { } week ? null : new OBLTRSchedule(LtrUnit.Week)
        {
            RetentionRange = week.Weeks * (int)LtrUnit.Week,
            DaysOfWeek = [.. week.Days],
            TimesOfDay = [.. week.Times],
        },
        MonthlyLTRSchedule = retention.Monthly is not { } month ? null : LongTerm(LtrUnit.Month, month.Months, month.When, month.Times, []),
        YearlyLTRSchedule = retention.Yearly is not { } year ? null : LongTerm(LtrUnit.Year, year.Years, year.When, year.Times, year.InMonths),
    };

    private static OBLTRSchedule LongTerm(LtrUnit unit, int count, DaysOfMonth when, IReadOnlyList<TimeSpan> times, IReadOnlyList<int> months) => new(unit)
    {
        RetentionRange = count * (int)unit,
        DaysOfMonth = [.. when.Numbers],
        DaysOfWeek = [.. when.Days],
        WeeksOfMonth = [.. when.Weeks.Select(week => (CBNthWeek)week)],
        MonthsOfYear = [.. months.Select(month => (CBMonth)month)],
        TimesOfDay = [.. times],
    };

    /// <exception cref="BackupException">PolicyInvalid: seconds, or a number that PowerShell has read as ticks.</exception>
    private static int Minutes(TimeSpan time) => time.Ticks % TimeSpan.TicksPerMinute == 0
        ? int.CreateSaturating(time.TotalMinutes)
        : throw new BackupException(
            BackupErrorId.PolicyInvalid, $"'{time:c}' in the schedule is not a time in whole minutes.", "Write it as hours and minutes, such as '01:30', not as a bare number.", "schedule");

    private static DaysOfMonth DaysOf(OBLTRSchedule draft) =>
        new(Ordered(draft.DaysOfMonth), Ordered(draft.DaysOfWeek), [.. Ordered(draft.WeeksOfMonth).Select(week => (NthWeek)week)]);

    private static T[] Ordered<T>(IEnumerable<T> values) => [.. values.Distinct().Order()];

    // Weeks are read from Monday on: "Saturday, Sunday", as the original shows them.
    private static DayOfWeek[] Ordered(IEnumerable<DayOfWeek> days) => [.. days.Distinct().OrderBy(day => ((int)day + 6) % 7)];
}
