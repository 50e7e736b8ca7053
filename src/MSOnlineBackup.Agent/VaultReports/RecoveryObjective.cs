namespace MSOnlineBackup.Agent.VaultReports;

/// <summary>How recovery points met an objective.</summary>
/// <param name="MetShare">In what share of the time the newest point was no older than that: from 0 to 1.</param>
/// <param name="Missed">How many times it became older.</param>
/// <param name="LongestHours">The longest time without a new point, in hours.</param>
public sealed record ObjectiveResult(double MetShare, int Missed, double LongestHours);

/// <summary>Whether recovery points come as often as they should, as a pure function.</summary>
public static class RecoveryObjective
{
    /// <summary>Looks back.</summary>
    /// <param name="points">When the points were made, in any order.</param>
    /// <param name="objective">How old the newest may be.</param>
    /// <param name="from">From when on; where there was no point yet, from the first.</param>
    /// <param name="now">Until when.</param>
    /// <returns>Null where there was no point before <paramref name="now"/>.</returns>
    public static ObjectiveResult? Of(IEnumerable<DateTimeOffset> points, TimeSpan objective, DateTimeOffset from, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(points);
        DateTimeOffset[] times = [.. points.Where(time => time < now).Order(), now];
        if (times.Length == 1)
        {
            return null;
        }

        DateTimeOffset start = times[0] > from ? times[0] : from;
        TimeSpan met = TimeSpan.Zero;
        TimeSpan longest = TimeSpan.Zero;
        int missed = 0;
        for (int each = 1; each < times.Length; each++)
        {
            (DateTimeOffset begin, DateTimeOffset end) = (times[each - 1], times[each]);
            if (end <= start)
            {
                continue;
            }

            DateTimeOffset good = begin + objective < end ? begin + objective : end;
            DateTimeOffset shown = begin > start ? begin : start;
            met += good > shown ? good - shown : TimeSpan.Zero;
            missed += end - begin > objective ? 1 : 0;
            longest = end - begin > longest ? end - begin : longest;
        }

        return new ObjectiveResult(now == start ? 1 : met / (now - start), missed, longest.TotalHours);
    }
}
