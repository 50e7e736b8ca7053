using System.Globalization;
using MSOnlineBackup.Agent.VirtualMachines;
using MSOnlineBackup.Agent.Workloads;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Policies;

/// <summary>What a policy protects.</summary>
public enum PolicyKind
{
    /// <summary>Folders and files that the policy names.</summary>
    Files,

    /// <summary>The curated set of what makes up the system.</summary>
    SystemState,
}

/// <summary>What is backed up, when, and for how long it is kept. Immutable; complete and within the limits only after <see cref="PolicyLimits.Check"/>.</summary>
public sealed record BackupPolicy
{
    /// <summary>A GUID, given when the policy is first saved; null before.</summary>
    public Guid? Id { get; init; }

    /// <summary>What it protects.</summary>
    public PolicyKind Kind { get; init; }

    /// <summary>What is included and excluded; empty for the system state.</summary>
    public IReadOnlyList<FileSpecification> Files { get; init; } = [];

    /// <summary>The database servers of this machine that are backed up as such; none for the system state.</summary>
    public IReadOnlyList<WorkloadSettings> Workloads { get; init; } = [];

    /// <summary>The virtual machines that are backed up as such, each as a machine of its own in the vault; none for the system state.</summary>
    public IReadOnlyList<VirtualMachineSettings> VirtualMachines { get; init; } = [];

    /// <summary>When backups run; null until set.</summary>
    public BackupSchedule? Schedule { get; init; }

    /// <summary>How long recovery points are kept; null until set.</summary>
    public RetentionPolicy? Retention { get; init; }

    /// <summary>Twins of the vault that its backups go to as well, by their folders or URLs. What comes of that fails no backup.</summary>
    public IReadOnlyList<string> CopyTo { get; init; } = [];

    /// <summary>Whether the schedule is paused. Backups on demand run all the same.</summary>
    public bool IsPaused { get; init; }

    /// <summary>A workload with what the schedule says where it says nothing itself.</summary>
    /// <param name="workload">One of <see cref="Workloads"/>.</param>
    internal WorkloadSettings Resolve(WorkloadSettings workload) => workload with { FullEveryMinutes = workload.FullEveryMinutes ?? Schedule?.FullEveryMinutes };

    /// <summary>Refuses a policy that names what is not there now: a disk that is not mounted, or a name that is misspelt.</summary>
    /// <exception cref="BackupException">SourceNotFound.</exception>
    public void RequireSources() => PolicyScope.Of(Kind).RequireSources(this);
}

/// <summary>A folder, a file, or a pattern that is included or excluded.</summary>
/// <param name="Path">Absolute path. Where it excludes, it may also be a pattern, absolute or for a name at any depth (<c>*.tmp</c>);
/// <see cref="PolicySources"/> says how it is read.</param>
/// <param name="Exclude">Whether it is left out rather than taken.</param>
/// <param name="NonRecursive">Whether only what lies directly in the folder is meant; where it excludes, only the files among that.</param>
public sealed record FileSpecification(string Path, bool Exclude = false, bool NonRecursive = false);

/// <summary>How long recovery points are kept.</summary>
/// <param name="Days">Every point for this many days.</param>
/// <param name="Weekly">Points that are kept for weeks; null for none.</param>
/// <param name="Monthly">Points that are kept for months; null for none.</param>
/// <param name="Yearly">Points that are kept for years; null for none.</param>
public sealed record RetentionPolicy(int Days, WeeklyRetention? Weekly = null, MonthlyRetention? Monthly = null, YearlyRetention? Yearly = null)
{
    /// <summary>Whether some point may be kept for a shorter time than by another retention: a time is shorter, or other points are chosen for it.</summary>
    internal bool KeepsLessThan(RetentionPolicy other) =>
        Days < other.Days
        || (other.Weekly is { } weekly && !(Weekly?.Weeks >= weekly.Weeks && weekly.Days.All(Weekly.Days.Contains) && Same(weekly.Times, Weekly.Times)))
        || (other.Monthly is { } monthly && !(Monthly?.Months >= monthly.Months && monthly.When.IsAmong(Monthly.When) && Same(monthly.Times, Monthly.Times)))
        || (other.Yearly is { } yearly
            && !(Yearly?.Years >= yearly.Years && yearly.InMonths.All(Yearly.InMonths.Contains) && yearly.When.IsAmong(Yearly.When) && Same(yearly.Times, Yearly.Times)));

    /// <summary>How long for people: "every point for 30 days, weekly ones for 12 weeks".</summary>
    internal string Describe()
    {
        string?[] parts =
        [
            $"every point for {Count(Days, "day")}",
            Weekly is { } weekly ? $"weekly ones for {Count(weekly.Weeks, "week")}" : null,
            Monthly is { } monthly ? $"monthly ones for {Count(monthly.Months, "month")}" : null,
            Yearly is { } yearly ? $"yearly ones for {Count(yearly.Years, "year")}" : null,
        ];
        return string.Join(", ", parts.OfType<string>());
    }

    private static string Count(int count, string unit) => string.Create(CultureInfo.InvariantCulture, $"{count:N0} {unit}{(count == 1 ? "" : "s")}");

    private static bool Same(IReadOnlyList<TimeSpan> one, IReadOnlyList<TimeSpan> other) => one.Order().SequenceEqual(other.Order());
}

/// <summary>Which points are kept for weeks.</summary>
/// <param name="Weeks">For how many.</param>
/// <param name="Days">Of which days of the week.</param>
/// <param name="Times">Of which times of the schedule; empty for the first of the day.</param>
public sealed record WeeklyRetention(int Weeks, IReadOnlyList<DayOfWeek> Days, IReadOnlyList<TimeSpan> Times);

/// <summary>Which points are kept for months: by days of the month, or by days of certain weeks of the month.</summary>
/// <param name="Months">For how many.</param>
/// <param name="When">Which days.</param>
/// <param name="Times">Of which times of the schedule; empty for the first of the day.</param>
public sealed record MonthlyRetention(int Months, DaysOfMonth When, IReadOnlyList<TimeSpan> Times);

/// <summary>Which points are kept for years.</summary>
/// <param name="Years">For how many.</param>
/// <param name="InMonths">In which months, 1 to 12.</param>
/// <param name="When">On which of their days.</param>
/// <param name="Times">Of which times of the schedule; empty for the first of the day.</param>
public sealed record YearlyRetention(int Years, IReadOnlyList<int> InMonths, DaysOfMonth When, IReadOnlyList<TimeSpan> Times);

/// <summary>Days of a month: either by number, or as days of certain weeks ("the last Sunday"). One of the two is empty.</summary>
/// <param name="Numbers">1 to 31; 0 is the last day of the month, and so is a number that a month does not have.</param>
/// <param name="Days">Days of the week.</param>
/// <param name="Weeks">In which weeks.</param>
public sealed record DaysOfMonth(IReadOnlyList<int> Numbers, IReadOnlyList<DayOfWeek> Days, IReadOnlyList<NthWeek> Weeks)
{
    internal bool IsAmong(DaysOfMonth others) => Numbers.All(others.Numbers.Contains) && Days.All(others.Days.Contains) && Weeks.All(others.Weeks.Contains);
}

/// <summary>A week of a month: the n-th time that a day of the week comes.</summary>
public enum NthWeek
{
    /// <summary>The first.</summary>
    First = 1,

    /// <summary>The second.</summary>
    Second,

    /// <summary>The third.</summary>
    Third,

    /// <summary>The fourth.</summary>
    Fourth,

    /// <summary>The last, whether fourth or fifth.</summary>
    Last,
}
