using MSOnlineBackup.Agent.Workloads;
using MSOnlineBackup.Engine.Sources.Rules;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.VirtualMachines.Machines;

namespace MSOnlineBackup.Agent.Policies;

/// <summary>What policies are held to, in one of two profiles; <c>docs/policies.md</c> shows <see cref="Table"/> to users.</summary>
public sealed record PolicyLimits
{
    /// <summary>The original's number for a retention below the minimum.</summary>
    private const string RetentionTooShort = "0x29834";

    private static readonly PolicyLimit _timesOfDay = new("times of day", "schedule", "", new(1, 3), new(1, 1_440));
    private static readonly PolicyLimit _weekFrequency = new("week frequency", "schedule", "weeks", new(1, 4), new(1, 52));
    private static readonly PolicyLimit _interval = new("interval", "schedule", "minutes", new(15, 1_440), new(15, 1_440));
    private static readonly PolicyLimit _copies = new("copies a day", "schedule", "", new(0, 2), new(0, 1_440));
    private static readonly PolicyLimit _randomDelay = new("random delay", "schedule", "minutes", new(0, 720), new(0, 720));
    private static readonly PolicyLimit _utcOffset = new("UTC offset", "schedule", "minutes", new(-840, 840), new(-840, 840));
    private static readonly PolicyLimit _days = new("daily retention", "retention", "days", new(7, 9_999), new(1, 36_159), RetentionTooShort);
    private static readonly PolicyLimit _weeks = new("weekly retention", "retention", "weeks", new(4, 5_163), new(1, 5_163), RetentionTooShort);
    private static readonly PolicyLimit _months = new("monthly retention", "retention", "months", new(3, 1_188), new(1, 1_188), RetentionTooShort);
    private static readonly PolicyLimit _years = new("yearly retention", "retention", "years", new(1, 99), new(1, 99), RetentionTooShort);
    private static readonly PolicyLimit _throttle =
        new("bandwidth", "machine setting", "bits a second", new(512_000, 1_023_000_000), new(512_000, 1_023_000_000));
    private static readonly PolicyLimit _recoveryPoints = Points("recovery points of a machine", 9_999);
    private static readonly PolicyLimit _filePoints = Points("recovery points of files beside a twin", 64);
    private static readonly PolicyLimit _workloadPoints = Points("recovery points of a workload beside a twin", 448);

    private static readonly PolicyLimit _machineDisks = new("disks of a virtual machine", "virtual machine", "", new(0, 32), new(0, 32), Action: "Name those that are to be backed up (-Disk), or leave some out (-ExcludeDisk).");
    private static readonly PolicyLimit _machineDisk = new("size of a disk of a virtual machine", "virtual machine", "GiB", new(0, 32 << 10), new(0, 32 << 10), Action: "Leave it out (-ExcludeDisk), and back it up from within the guest.");
    private static readonly PolicyLimit _machineSize = new("size of all disks of a virtual machine", "virtual machine", "GiB", new(0, 256 << 10), new(0, long.MaxValue), Action: "Leave some out (-ExcludeDisk). The profile Open has no such limit.");
    private static readonly PolicyLimit _machineDemand = new("backups of a virtual machine on demand in a day", "job", "", new(0, 3), new(0, long.MaxValue), Action: "Wait until tomorrow, or for the schedule. The profile Open has no such limit.");
    private static readonly PolicyLimit _machineSchedule = new("scheduled backups of a virtual machine in a day", "schedule", "", new(0, 2), new(0, 1_440));

    private readonly Func<PolicyLimit, LimitRange> _rangeOf;

    private PolicyLimits(string name, Func<PolicyLimit, LimitRange> rangeOf)
    {
        Name = name;
        _rangeOf = rangeOf;
    }

    /// <summary>As documented for the original.</summary>
    public static PolicyLimits Mars { get; } = new("Mars", limit => limit.Mars);

    /// <summary>Only what makes sense at all: nothing is kept for more than 99 years.</summary>
    public static PolicyLimits Open { get; } = new("Open", limit => limit.Open);

    /// <summary>The profile of a name, in upper or lower case; null where there is none.</summary>
    public static PolicyLimits? Find(string name) =>
        new[] { Open, Mars }.FirstOrDefault(profile => profile.Name.Equals(name, StringComparison.OrdinalIgnoreCase));

    /// <summary>The profile's name.</summary>
    public string Name { get; }

    /// <summary>
    /// Whether the scratch folder's volume must have room in proportion to what is protected, as the original's must. Our own need does not grow with it.
    /// </summary>
    public bool SizesScratch => this == Mars;

    /// <summary>Whether files are read out of logical volumes of disks that were backed up, as the original does not.</summary>
    public bool ReadsLogicalVolumes => this != Mars;

    /// <summary>Which sources backups take.</summary>
    public SourceRules Sources => this == Mars ? SourceRules.Mars : SourceRules.Open;

    /// <summary>Every limit there is.</summary>
    internal static IReadOnlyList<PolicyLimit> Table { get; } =
        [
            _timesOfDay, _weekFrequency, _interval, _copies, _randomDelay, _utcOffset, _days, _weeks, _months, _years, _throttle, _recoveryPoints, _filePoints, _workloadPoints,
            _machineDisks, _machineDisk, _machineSize, _machineDemand, _machineSchedule,
        ];

    /// <summary>Checks a policy that is to be saved: that it is complete, does not contradict itself, and is within the limits. The disk is not looked at.</summary>
    /// <exception cref="BackupException">PolicyIncomplete, PolicyInvalid, PatternInvalid; PolicyLimitExceeded, naming limit, value, bounds and profile.</exception>
    public void Check(BackupPolicy policy)
    {
        PolicyScope.Of(policy.Kind).Check(policy);
        BackupSchedule schedule = policy.Schedule
            ?? throw Incomplete("The policy has no schedule.", "Set a schedule: at least one day of the week and one time of day.");
        RetentionPolicy retention = policy.Retention
            ?? throw Incomplete("The policy has no retention.", "Set how many days recovery points are kept.");
        CheckSchedule(schedule);
        CheckRetention(retention);
        CheckAgainstSchedule(retention, schedule);
        CheckEach(policy.CopyTo, IsPlace, "list of twins", "an absolute path or a URL");
        Hold(_copies, policy.CopyTo.Count == 0 ? 0 : schedule.TimesOfDay.Count);
        Hold(_machineSchedule, policy.VirtualMachines.Count == 0 ? 0 : schedule.TimesOfDay.Count);
    }

    /// <summary>Checks a schedule.</summary>
    /// <exception cref="BackupException">PolicyIncomplete, PolicyInvalid, PolicyLimitExceeded.</exception>
    public void CheckSchedule(BackupSchedule schedule)
    {
        if (schedule.Days.Count == 0 || (schedule.Times.Count == 0 && schedule.EveryMinutes is null))
        {
            throw Incomplete("The schedule has no day or no time.", "Name at least one day of the week and one time of day.");
        }

        CheckDaysOfWeek(schedule.Days, "schedule");
        CheckTimes(schedule.Times, "schedule");
        if (schedule.EveryMinutes is { } minutes)
        {
            Hold(_interval, minutes);
            if (schedule.Times.Count > 0)
            {
                throw Invalid("The schedule has both an interval and times of day.", "Choose one of the two.", "schedule");
            }
        }

        Hold(_timesOfDay, schedule.TimesOfDay.Count);
        Hold(_weekFrequency, schedule.WeekFrequency);
        Hold(_randomDelay, schedule.RandomDelayMinutes);
        Hold(_utcOffset, schedule.UtcOffsetMinutes ?? 0);
        WorkloadSettings.CheckFullEvery("workloads", schedule.FullEveryMinutes, "schedule");
        if (schedule is { TimeZone: not null, UtcOffsetMinutes: not null })
        {
            throw Invalid("The schedule has both a time zone and a fixed UTC offset.", "Choose one of the two.", "schedule");
        }

        if (schedule is { SkipsMissed: true, CatchesUpStops: true })
        {
            throw Invalid("The schedule both skips what was missed and makes up for it.", "Choose one of 'skipsMissed' and 'catchesUpStops'.", "schedule");
        }

        // Refused now rather than by a timer at night.
        _ = ScheduleZone.Of(schedule, TimeZoneInfo.Utc);
    }

    /// <summary>Checks a retention by itself.</summary>
    /// <exception cref="BackupException">PolicyIncomplete, PolicyInvalid, PolicyLimitExceeded.</exception>
    public void CheckRetention(RetentionPolicy retention)
    {
        Hold(_days, retention.Days);
        if (retention.Weekly is { } weekly)
        {
            Hold(_weeks, weekly.Weeks);
            Require(weekly.Days.Count > 0, "weekly retention", "a day of the week");
            CheckDaysOfWeek(weekly.Days, "weekly retention");
            CheckTimes(weekly.Times, "weekly retention");
        }

        if (retention.Monthly is { } monthly)
        {
            Hold(_months, monthly.Months);
            CheckDaysOfMonth(monthly.When, "monthly retention");
            CheckTimes(monthly.Times, "monthly retention");
        }

        if (retention.Yearly is { } yearly)
        {
            Hold(_years, yearly.Years);
            Require(yearly.InMonths.Count > 0, "yearly retention", "a month");
            CheckEach(yearly.InMonths, month => month is >= 1 and <= 12, "yearly retention", "a month from 1 to 12");
            CheckDaysOfMonth(yearly.When, "yearly retention");
            CheckTimes(yearly.Times, "yearly retention");
        }
    }

    /// <summary>Checks a bandwidth in bits a second: 512 Kbps to 1,023 Mbps.</summary>
    /// <exception cref="BackupException">PolicyLimitExceeded.</exception>
    public void CheckThrottle(long bits) => Hold(_throttle, bits);

    /// <summary>Checks how many recovery points a machine would have with the one that is to be made.</summary>
    /// <exception cref="BackupException">PolicyLimitExceeded.</exception>
    public void CheckRecoveryPoints(long count) => Hold(_recoveryPoints, count);

    /// <summary>
    /// Checks how many recovery points of one kind a machine would have in a vault whose backups go to a twin as well, with the one that is to be made: the original's server keeps
    /// no more on its disks, before its cloud.
    /// </summary>
    /// <param name="ofWorkload">Whether they are those of one workload, full backups and pieces of its log; else they are those of files.</param>
    /// <param name="count">How many.</param>
    /// <exception cref="BackupException">PolicyLimitExceeded.</exception>
    public void CheckRecoveryPoints(bool ofWorkload, long count) => Hold(ofWorkload ? _workloadPoints : _filePoints, count);

    /// <summary>Checks the disks of a virtual machine that are to be backed up.</summary>
    /// <exception cref="BackupException">PolicyLimitExceeded.</exception>
    public void CheckDisks(IReadOnlyList<MachineDisk> disks)
    {
        ArgumentNullException.ThrowIfNull(disks);
        Hold(_machineDisks, disks.Count);
        Hold(_machineDisk, disks.Select(disk => Gibibytes(disk.Bytes)).DefaultIfEmpty().Max());
        Hold(_machineSize, Gibibytes(disks.Sum(disk => disk.Bytes)));

        static long Gibibytes(long bytes) => (bytes >> 30) + ((bytes & ((1L << 30) - 1)) == 0 ? 0 : 1);
    }

    /// <summary>Checks how many backups of a virtual machine there were on a day with the one that is to be made.</summary>
    /// <param name="isScheduled">Whether they are those that a schedule wanted; else those that somebody asked for.</param>
    /// <param name="count">How many.</param>
    /// <exception cref="BackupException">PolicyLimitExceeded.</exception>
    public void CheckMachineRuns(bool isScheduled, long count) => Hold(isScheduled ? _machineSchedule : _machineDemand, count);

    /// <summary>A rule about days of the week or times at which no backup runs could never hold.</summary>
    private static void CheckAgainstSchedule(RetentionPolicy retention, BackupSchedule schedule)
    {
        Compare("weekly retention", retention.Weekly?.Days, retention.Weekly?.Times);
        Compare("monthly retention", retention.Monthly?.When.Days, retention.Monthly?.Times);
        Compare("yearly retention", retention.Yearly?.When.Days, retention.Yearly?.Times);

        void Compare(string rule, IReadOnlyList<DayOfWeek>? days, IReadOnlyList<TimeSpan>? times)
        {
            foreach (DayOfWeek day in (days ?? []).Except(schedule.Days))
            {
                throw NotScheduled(rule, day.ToString());
            }

            foreach (TimeSpan time in (times ?? []).Except(schedule.TimesOfDay))
            {
                throw NotScheduled(rule, TimeOfDay.Format(time));
            }
        }

        static BackupException NotScheduled(string rule, string what) => Invalid(
            $"The {rule} names {what}, when the schedule makes no backup.", $"Add {what} to the schedule, or remove it from the {rule}.", rule);
    }

    private static bool IsPlace(string place) => Path.IsPathFullyQualified(place) || place.Contains("://", StringComparison.Ordinal);

    private static void CheckDaysOfWeek(IReadOnlyList<DayOfWeek> days, string place) =>
        CheckEach(days, Enum.IsDefined, place, "a day of the week");

    private static void CheckTimes(IReadOnlyList<TimeSpan> times, string place) =>
        CheckEach(times, TimeOfDay.IsValid, place, "a time of day in whole minutes, 0:00 to 23:59");

    private static void CheckDaysOfMonth(DaysOfMonth when, string place)
    {
        bool byNumber = when.Numbers.Count > 0;
        bool byWeek = when.Days.Count > 0 && when.Weeks.Count > 0;
        Require(byNumber || byWeek, place, "days of the month, by number or as days of certain weeks");
        if (byNumber && (when.Days.Count > 0 || when.Weeks.Count > 0))
        {
            throw Invalid($"The {place} names days of the month both by number and by week.", "Choose one of the two.", place);
        }

        CheckEach(when.Numbers, number => number is >= 0 and <= 31, place, "a day of the month: 1 to 31, or 0 for the last");
        CheckDaysOfWeek(when.Days, place);
        CheckEach(when.Weeks, Enum.IsDefined, place, "a week of the month");
    }

    private static void CheckEach<T>(IReadOnlyList<T> values, Func<T, bool> isValid, string place, string what)
    {
        var seen = new HashSet<T>();
        foreach (T value in values)
        {
            if (!isValid(value))
            {
                throw Invalid(FormattableString.Invariant($"'{value}' in the {place} is not {what}."), "Correct the value.", place);
            }

            if (!seen.Add(value))
            {
                throw Invalid(FormattableString.Invariant($"The {place} names '{value}' twice."), "Name it once.", place);
            }
        }
    }

    private static void Require(bool isThere, string place, string what)
    {
        if (!isThere)
        {
            throw Incomplete($"The {place} does not name {what}.", $"Name {what}, or leave the {place} out.");
        }
    }

    private static BackupException Incomplete(string message, string action) => new(BackupErrorId.PolicyIncomplete, message, action);

    private static BackupException Invalid(string message, string action, string target) =>
        new(BackupErrorId.PolicyInvalid, message, action, target);

    private static PolicyLimit Points(string name, long most) => new(
        name,
        "vault",
        "",
        new(0, most),
        new(0, long.MaxValue),
        Action: "Shorten the policy's retention, or delete points (Remove-OBRecoveryPoint): what the twin has, it keeps. The profile Open has no such limit.");

    private void Hold(PolicyLimit limit, long value)
    {
        LimitRange range = _rangeOf(limit);
        if (range.Contains(value))
        {
            return;
        }

        string unit = limit.Unit.Length == 0 ? "" : $" {limit.Unit}";
        throw new BackupException(
            BackupErrorId.PolicyLimitExceeded,
            FormattableString.Invariant($"Limit '{limit.Name}' ({limit.Place}): the value is {value:N0}; the profile {Name} allows {range}{unit}."),
            limit.Action is { } action ? action
            : limit.Open.Contains(value)
                ? $"Choose a value within the bounds. The profile {Open.Name} allows {limit.Open}{unit}."
                : "Choose a value within the bounds.",
            limit.Name,
            errorCode: value < range.Least ? limit.CodeBelow : null);
    }
}
