using System.Security.Cryptography;
using System.Text;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Schedules;

/// <summary>What keeps a backup from beginning now.</summary>
/// <param name="Obstacle">What only people can put right, such as that the machine is not registered: what falls due meanwhile is skipped; null for nothing.</param>
/// <param name="Hindrance">What passes by itself, such as that the machine runs on its battery: what is due waits; null for nothing.</param>
internal sealed record ScheduleConditions(BackupException? Obstacle = null, string? Hindrance = null);

/// <summary>How far a schedule's moments are done with.</summary>
/// <param name="Until">Until when all of them are.</param>
/// <param name="Owed">The last one that was skipped because backups were stopped, where the schedule makes up for such, too; null for none.</param>
internal sealed record ScheduleProgress(DateTimeOffset Until, DateTimeOffset? Owed = null);

/// <summary>A moment whose backup is not made.</summary>
/// <param name="Due">The moment.</param>
/// <param name="Why">Why not.</param>
internal sealed record SkippedMoment(DateTimeOffset Due, BackupException Why);

/// <summary>What a schedule wants at a time, as a pure function.</summary>
/// <param name="Skips">Moments that are done with without a backup, to be put on record; in order.</param>
/// <param name="Due">The moment for which a backup is to be made; null for none.</param>
/// <param name="Begin">When that is to begin; not after now where it is to begin at once.</param>
/// <param name="Hindrance">Why it does not begin though its time has come; null for nothing.</param>
internal sealed record ScheduleDecision(IReadOnlyList<SkippedMoment> Skips, DateTimeOffset? Due, DateTimeOffset Begin, string? Hindrance)
{
    /// <summary>A run that begins so long after its moment was missed.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromHours(1);

    // A machine that was off for a year must not push all its history out.
    private const int MostSkips = 100;

    /// <summary>Decides. One backup makes up for all moments that were missed.</summary>
    /// <param name="schedule">The schedule.</param>
    /// <param name="handled">Until when all moments are done with, and what is owed.</param>
    /// <param name="now">The time now.</param>
    /// <param name="local">The machine's zone.</param>
    /// <param name="seed">What makes this machine's random delays its own.</param>
    /// <param name="conditions">What keeps a backup from beginning.</param>
    public static ScheduleDecision Of(
        BackupSchedule schedule, ScheduleProgress handled, DateTimeOffset now, TimeZoneInfo local, string seed, ScheduleConditions conditions)
    {
        List<DateTimeOffset> due = [.. ScheduleMoments.Between(schedule, handled.Until, now, local)];
        DateTimeOffset? owed = schedule.CatchesUpStops ? handled.Owed : null;
        if (due.Count == 0 && (owed is null || conditions.Obstacle is not null))
        {
            return new ScheduleDecision([], null, now, null);
        }

        if (conditions.Obstacle is { } obstacle)
        {
            return new ScheduleDecision([.. due.TakeLast(MostSkips).Select(moment => new SkippedMoment(moment, obstacle))], null, now, null);
        }

        DateTimeOffset latest = due.Count > 0 ? due[^1] : owed!.Value;
        DateTimeOffset begin = latest + DelayOf(schedule, latest, seed);
        if (!schedule.SkipsMissed)
        {
            return new ScheduleDecision([], latest, begin, now >= begin ? conditions.Hindrance : null);
        }

        bool isMissed = now > begin + Grace;
        IEnumerable<DateTimeOffset> missed = isMissed ? due : due.SkipLast(1);
        return new ScheduleDecision(
            [.. missed.TakeLast(MostSkips).Select(moment => new SkippedMoment(moment, Missed(moment, conditions.Hindrance)))],
            isMissed ? null : latest,
            begin,
            now >= begin ? conditions.Hindrance : null);
    }

    /// <summary>How much later than its moment a backup begins: alike whoever asks, and as long as the schedule allows at most.</summary>
    public static TimeSpan DelayOf(BackupSchedule schedule, DateTimeOffset moment, string seed)
    {
        if (schedule.RandomDelayMinutes == 0)
        {
            return TimeSpan.Zero;
        }

        byte[] hash = SHA256.HashData(Encoding.UTF8.GetBytes(FormattableString.Invariant($"{seed}|{moment.UtcDateTime:O}")));
        return TimeSpan.FromSeconds(BitConverter.ToUInt32(hash) % (uint)((schedule.RandomDelayMinutes * 60) + 1));
    }

    private static BackupException Missed(DateTimeOffset moment, string? hindrance) => new(
        BackupErrorId.ScheduleMissed,
        $"The backup of {moment.UtcDateTime:u} was not made: {hindrance ?? "nothing ran the schedule at that time, as when the machine is off, or another job was in progress"}.",
        "Nothing needs to be done; the next one runs as scheduled. Schedules make up for what was missed unless they were made with '-MissedRuns Skip'.",
        moment.UtcDateTime.ToString("u"));
}
