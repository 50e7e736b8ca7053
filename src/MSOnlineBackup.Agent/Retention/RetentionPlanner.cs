using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Vaults.Maintenance;

namespace MSOnlineBackup.Agent.Retention;

/// <summary>
/// Which recovery points stay, as pure functions; <c>docs/policies.md</c> explains the rules to users. When a point is made its tags say what it is:
/// the point of its week, month, year. How long such points are kept is asked of the policy in force each time, so that a change
/// holds for the points that are there: for longer at once, for shorter with the next clean-up. Without a policy the dates in the tags hold.
/// </summary>
internal static class RetentionPlanner
{
    /// <summary>
    /// The tags of a new point. It is the point of its week (month, year) when one of the rule's moments lies after the start of the point
    /// before it and not after its own: so the next good backup takes the place of one that failed or was missed. For the first point of all, the
    /// moments of its day count. A partial point takes no such place.
    /// </summary>
    /// <param name="policy">The policy by which it is made.</param>
    /// <param name="run">The backup.</param>
    /// <param name="earlier">Points of this machine, in any order; those of other policies, partial ones, and those that a wrong clock has put into
    /// the future are passed over.</param>
    public static IReadOnlyList<string> TagsFor(BackupPolicy policy, RetentionRun run, IReadOnlyList<RetentionPoint> earlier)
    {
        ArgumentNullException.ThrowIfNull(policy);
        ArgumentNullException.ThrowIfNull(run);
        var tags = new List<string>();
        if (policy.Retention is { } retention)
        {
            foreach (RetentionKind kind in Kinds(policy, retention, run, earlier))
            {
                tags.Add(new RetentionTag(policy.Kind, kind, RetentionCalendar.Until(retention, kind, run.Started)).ToString());
            }
        }

        if (run.RetainUntil is { } asked)
        {
            tags.Add(new RetentionTag(policy.Kind, RetentionKind.Asked, asked.ToUniversalTime()).ToString());
        }

        return tags;
    }

    /// <summary>
    /// What becomes of a machine's points. Whatever the rules say: the newest point stays, and the newest that is not partial; where the time of all
    /// is over, so does the one that was kept longest; what another policy made, or bears a tag that is not understood, is not judged; and a clock that
    /// leapt ahead ends nothing (<see cref="Plan"/> believes it where it is up to 31 days ahead of the newest of them, else only as far as points bear it out,
    /// and over a longer pause once points span a day after it). A clock that fell back only keeps more.
    /// </summary>
    /// <param name="policy">Whose points are judged.</param>
    /// <param name="retention">The retention in force; null where the policy was removed.</param>
    /// <param name="points">All points of the machine, in any order.</param>
    /// <param name="now">The time now.</param>
    /// <returns>A decision for each point, oldest first.</returns>
    public static IReadOnlyList<RetentionDecision> Plan(
        PolicyKind policy, RetentionPolicy? retention, IReadOnlyList<RetentionPoint> points, DateTimeOffset now)
    {
        List<Candidate> sorted =
        [
            .. points.OrderBy(point => point.Created).ThenBy(point => point.Id)
                .Select(point => Candidate.Of(point, policy, retention)),
        ];
        List<Candidate> own = sorted.FindAll(candidate => candidate.Obstacle is null);
        if (own.Count == 0)
        {
            return [.. sorted.Select(candidate => candidate.Decide(candidate.Obstacle!.Value))];
        }

        DateTimeOffset witnessed = WitnessedTime.Of(own.Select(candidate => candidate.Point.Created))!.Value;
        DateTimeOffset proven = now - witnessed > WitnessedTime.LongestPause ? witnessed : now;
        HashSet<Candidate> newest = Newest(own, now);
        Candidate? longest = own.Exists(candidate => candidate.Until > proven) ? null : own.MaxBy(candidate => candidate.Until);
        return [.. sorted.Select(candidate => candidate.Decide(Judge(candidate)))];

        RetentionReason Judge(Candidate candidate) =>
            candidate.Obstacle is { } obstacle ? obstacle
            : candidate.Until > now ? RetentionReason.WithinRetention
            : newest.Contains(candidate) ? RetentionReason.Newest
            : candidate.Until > proven ? RetentionReason.ClockUnproven
            : candidate == longest ? RetentionReason.LongestKept
            : RetentionReason.Expired;
    }

    private static List<RetentionKind> Kinds(
        BackupPolicy policy, RetentionPolicy retention, RetentionRun run, IReadOnlyList<RetentionPoint> earlier)
    {
        if (run.IsPartial)
        {
            return [RetentionKind.Partial];
        }

        DateTimeOffset? previous = earlier
            .Where(point => IsForerunner(policy, run, point))
            .Max(point => (DateTimeOffset?)point.Started);
        var window = new RetentionWindow(previous, run.Started, run.Zone);
        var kinds = new List<RetentionKind> { RetentionKind.Daily };
        Add(RetentionKind.Weekly, retention.Weekly is { } weekly && RetentionCalendar.IsDue(weekly, policy.Schedule, window));
        Add(RetentionKind.Monthly, retention.Monthly is { } monthly && RetentionCalendar.IsDue(monthly, policy.Schedule, window));
        Add(RetentionKind.Yearly, retention.Yearly is { } yearly && RetentionCalendar.IsDue(yearly, policy.Schedule, window));
        return kinds;

        void Add(RetentionKind kind, bool isDue)
        {
            if (isDue)
            {
                kinds.Add(kind);
            }
        }
    }

    /// <summary>
    /// Whether a point can be the one before a backup: whole, of the same policy, and not in its future. Of those <see cref="TagsFor"/> needs the latest.
    /// </summary>
    internal static bool IsForerunner(BackupPolicy policy, RetentionRun run, RetentionPoint point) =>
        point.Started <= run.Started && HasTag(point, policy.Kind, RetentionKind.Daily);

    private static bool HasTag(RetentionPoint point, PolicyKind policy, RetentionKind kind) =>
        point.Tags.Any(tag => RetentionTag.TryParse(tag, out RetentionTag? parsed) && parsed.Policy == policy && parsed.Kind == kind);

    /// <summary>
    /// The newest point and the newest that is whole: those of the highest ids, whatever clocks say, and those of the latest times; where there are some that
    /// lie in the future by now, also the newest that do not.
    /// </summary>
    private static HashSet<Candidate> Newest(List<Candidate> sorted, DateTimeOffset now)
    {
        Candidate?[] newest =
        [
            sorted.MaxBy(candidate => candidate.Point.Id),
            sorted.FindAll(candidate => !candidate.IsPartial).MaxBy(candidate => candidate.Point.Id),
            sorted[^1],
            sorted.FindLast(candidate => !candidate.IsPartial),
            sorted.FindLast(candidate => candidate.Point.Created <= now),
            sorted.FindLast(candidate => candidate.Point.Created <= now && !candidate.IsPartial),
        ];
        return [.. newest.OfType<Candidate>()];
    }

    /// <summary>A point, what keeps it longest, and what forbids to judge it.</summary>
    private sealed class Candidate(RetentionPoint point, RetentionKind? kind, DateTimeOffset? until, bool isPartial, RetentionReason? obstacle)
    {
        public RetentionPoint Point => point;

        public DateTimeOffset Until => until ?? DateTimeOffset.MaxValue;

        public bool IsPartial => isPartial;

        public RetentionReason? Obstacle => obstacle;

        public static Candidate Of(RetentionPoint point, PolicyKind policy, RetentionPolicy? retention)
        {
            RetentionKind? kind = null;
            DateTimeOffset? until = null;
            bool isPartial = false;
            foreach (string text in point.Tags.Where(RetentionTag.Claims))
            {
                if (!RetentionTag.TryParse(text, out RetentionTag? tag))
                {
                    return new Candidate(point, null, null, isPartial: false, RetentionReason.TagUnknown);
                }

                if (tag.Policy != policy)
                {
                    continue;
                }

                bool isFixed = retention is null || tag.Kind == RetentionKind.Asked;
                DateTimeOffset end = isFixed ? tag.Until : RetentionCalendar.Until(retention!, tag.Kind, point.Created);
                isPartial |= tag.Kind == RetentionKind.Partial;
                if (until is null || end > until)
                {
                    (kind, until) = (tag.Kind, end);
                }
            }

            return new Candidate(point, kind, until, isPartial, until is null ? RetentionReason.NotByPolicy : null);
        }

        public RetentionDecision Decide(RetentionReason reason) => new(point, reason, kind, until);
    }
}
