using MSOnlineBackup.Agent.Policies;

namespace MSOnlineBackup.Agent.Retention;

/// <summary>
/// What the points of a copy are to the copy's own retention, as pure functions: the tags that the points bear were given by the policies of the vault that they were made in, which
/// may have had no weeks where the copy has them.
/// </summary>
internal static class CopiedPointTags
{
    /// <summary>
    /// The points of one machine with the tags that they would have been given by this retention. Points that no policy made count as made by that for files. Of a policy's points the
    /// oldest that is known is that of its week, month and year: which points were before it nobody knows any more. Wishes (<see cref="RetentionKind.Asked"/>), partial points, and
    /// tags that are not understood stay what they are.
    /// </summary>
    /// <param name="retention">The copy's retention.</param>
    /// <param name="points">The points, in any order.</param>
    /// <param name="zone">In which days and weeks are meant.</param>
    public static IReadOnlyList<RetentionPoint> Of(RetentionPolicy retention, IReadOnlyList<RetentionPoint> points, TimeZoneInfo zone)
    {
        var before = new Dictionary<PolicyKind, RetentionPoint>();
        return [.. points.OrderBy(point => point.Started).ThenBy(point => point.Id).Select(Retag)];

        RetentionPoint Retag(RetentionPoint point)
        {
            List<RetentionTag> tags = [];
            foreach (string text in point.Tags.Where(RetentionTag.Claims))
            {
                if (!RetentionTag.TryParse(text, out RetentionTag? tag))
                {
                    return point;
                }

                tags.Add(tag);
            }

            PolicyKind[] kinds = tags.Count == 0 ? [PolicyKind.Files] : [.. tags.Select(tag => tag.Policy).Distinct()];
            return point with { Tags = [.. kinds.SelectMany(kind => TagsOf(point, kind, [.. tags.Where(tag => tag.Policy == kind)]))] };
        }

        IReadOnlyList<string> TagsOf(RetentionPoint point, PolicyKind kind, IReadOnlyList<RetentionTag> given)
        {
            DateTimeOffset? asked = given.FirstOrDefault(tag => tag.Kind == RetentionKind.Asked)?.Until;
            var run = new RetentionRun(point.Started, zone, given.Any(tag => tag.Kind == RetentionKind.Partial), asked);
            var policy = new BackupPolicy { Kind = kind, Retention = retention };
            bool isFirst = !before.TryGetValue(kind, out RetentionPoint? previous);
            List<string> tags = [.. RetentionPlanner.TagsFor(policy, run, previous is null ? [] : [previous])];
            if (run.IsPartial)
            {
                return tags;
            }

            if (isFirst)
            {
                tags.AddRange(LongKinds().Select(longer => new RetentionTag(kind, longer, RetentionCalendar.Until(retention, longer, point.Created)).ToString()));
            }

            before[kind] = point with { Tags = tags };
            return tags;
        }

        IEnumerable<RetentionKind> LongKinds()
        {
            (bool Is, RetentionKind Kind)[] kinds =
            [
                (retention.Weekly is not null, RetentionKind.Weekly), (retention.Monthly is not null, RetentionKind.Monthly), (retention.Yearly is not null, RetentionKind.Yearly),
            ];
            return kinds.Where(each => each.Is).Select(each => each.Kind);
        }
    }
}
