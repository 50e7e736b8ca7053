using System.Globalization;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Agent.Retention;
using MSOnlineBackup.Vaults.Ids;

namespace MSOnlineBackup.Engine.Tests.Retention;

/// <summary>A machine's backups over time, in plain dates: each run makes a point with the tags that the planner gives it.</summary>
internal sealed class Simulation(BackupPolicy policy, TimeZoneInfo? zone = null)
{
    public BackupPolicy Policy { get; set; } = policy;

    /// <summary>The points that are there, in the order in which they were made.</summary>
    public List<RetentionPoint> Points { get; } = [];

    private TimeZoneInfo Zone { get; } = zone ?? TimeZoneInfo.Utc;

    public static DateTimeOffset At(string time) =>
        DateTimeOffset.Parse(time, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);

    /// <summary>What these tests call a point: when it was made.</summary>
    public static string Name(RetentionPoint point) => point.Started.UtcDateTime.ToString("s", CultureInfo.InvariantCulture);

    /// <summary>An id of a time, without the random part.</summary>
    public static SessionId IdOf(DateTimeOffset time) =>
        SessionId.Parse(string.Create(CultureInfo.InvariantCulture, $"{time.ToUnixTimeMilliseconds():x12}70008000000000000000"));

    public RetentionPoint Run(DateTimeOffset started, bool isPartial = false, DateTimeOffset? retainUntil = null)
    {
        var run = new RetentionRun(started, Zone, isPartial, retainUntil);
        var point = new RetentionPoint(IdOf(started), started, started, RetentionPlanner.TagsFor(Policy, run, Points));
        Points.Add(point);
        return point;
    }

    /// <summary>Runs at all of the schedule's times (UTC) of the days from one to another, the last not included.</summary>
    public void RunDays(string from, string to, Func<DateTimeOffset, bool>? fails = null, bool cleanUp = false)
    {
        for (DateTimeOffset day = At(from); day < At(to); day = day.AddDays(1))
        {
            foreach (TimeSpan time in Policy.Schedule!.Times.Where(time => fails?.Invoke(day + time) != true))
            {
                Run(day + time);
            }

            if (cleanUp)
            {
                CleanUp(day.AddDays(1));
            }
        }
    }

    public IReadOnlyList<RetentionDecision> Plan(DateTimeOffset now) =>
        RetentionPlanner.Plan(Policy.Kind, Policy.Retention, Points, now);

    public IReadOnlyList<string> Kept(string now) =>
        [.. Plan(At(now)).Where(decision => !decision.Expires).Select(decision => Name(decision.Point))];

    public void CleanUp(DateTimeOffset now)
    {
        HashSet<RetentionPoint> expired = [.. Plan(now).Where(decision => decision.Expires).Select(decision => decision.Point)];
        Points.RemoveAll(expired.Contains);
    }

    public static IEnumerable<RetentionKind> Kinds(RetentionPoint point) =>
        point.Tags.Select(tag => RetentionTag.TryParse(tag, out RetentionTag? parsed) ? parsed.Kind : throw new InvalidOperationException(tag));

    /// <summary>The ids of the points that have a tag of a kind.</summary>
    public IReadOnlyList<string> Of(RetentionKind kind) => [.. Points.Where(point => Kinds(point).Contains(kind)).Select(Name)];
}
