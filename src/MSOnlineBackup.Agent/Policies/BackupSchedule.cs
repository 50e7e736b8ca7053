using System.Text.Json.Serialization;

namespace MSOnlineBackup.Agent.Policies;

/// <summary>When backups run: wall time of the machine, of a time zone, or of a fixed offset from UTC.</summary>
/// <param name="Days">Days of the week, each once; their order means nothing.</param>
/// <param name="Times">Times of day in whole minutes, each once; their order means nothing. Empty where there is an interval.</param>
/// <param name="WeekFrequency">Every how many weeks; 1 is every week.</param>
public sealed record BackupSchedule(IReadOnlyList<DayOfWeek> Days, IReadOnlyList<TimeSpan> Times, int WeekFrequency = 1)
{
    private const int MinutesOfDay = 1440;

    /// <summary>So many minutes apart, 15 to 1,440, from the beginning of each day on; null for times of day.</summary>
    public int? EveryMinutes { get; init; }

    /// <summary>After how many minutes a workload of the policy is backed up whole again, where it says nothing of that itself: 60 to 525,600; null for a day.</summary>
    public int? FullEveryMinutes { get; init; }

    /// <summary>A day of a week in which it runs, from which every few weeks are counted. Weeks begin on Monday. Given when the policy is saved, if it is not there.</summary>
    public DateOnly? Start { get; init; }

    /// <summary>The IANA name of the zone whose wall time is meant; null for that of the machine.</summary>
    public string? TimeZone { get; init; }

    /// <summary>The offset from UTC, in minutes, whose wall time is meant all year: no clock is changed; null for that of a zone.</summary>
    public int? UtcOffsetMinutes { get; init; }

    /// <summary>Whether a run that was missed is put on record as skipped, rather than made up for.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool SkipsMissed { get; init; }

    /// <summary>Whether one backup also makes up for what fell due while backups were stopped, by an expired subscription or lost contact.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool CatchesUpStops { get; init; }

    /// <summary>Whether nothing starts while the machine runs on its battery.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool NotOnBattery { get; init; }

    /// <summary>Whether nothing starts while the network is one that is paid for by volume.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool NotOnMetered { get; init; }

    /// <summary>Up to so many minutes later, 0 to 720, each time by another, so that not all machines begin at once.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public int RandomDelayMinutes { get; init; }

    /// <summary>The times of a day without a change of the clocks, in order.</summary>
    internal IReadOnlyList<TimeSpan> TimesOfDay => EveryMinutes is > 0 and { } step
        ? [.. Enumerable.Range(0, (MinutesOfDay + step - 1) / step).Select(index => TimeSpan.FromMinutes(index * step))]
        : [.. Times.Order()];
}
