namespace MSOnlineBackup.Agent.Retention;

/// <summary>The time for which a point can stand: from the start of the point before it, not included, to its own.</summary>
/// <param name="After">When the point before it began; null where there is none: then from the beginning of the day on.</param>
/// <param name="Until">When it began itself.</param>
/// <param name="Zone">In which wall times are meant.</param>
internal sealed record RetentionWindow(DateTimeOffset? After, DateTimeOffset Until, TimeZoneInfo Zone)
{
    /// <summary>The first day that lies in it at least in part.</summary>
    public DateTime FirstDay => DayOf(After ?? Until);

    /// <summary>The last one.</summary>
    public DateTime LastDay => DayOf(Until);

    /// <summary>Whether a wall time of one of its days lies in it.</summary>
    public bool Contains(DateTime wall)
    {
        DateTimeOffset time = InstantOf(wall);
        return time <= Until && !(time <= After);
    }

    private DateTime DayOf(DateTimeOffset time) => TimeZoneInfo.ConvertTime(time, Zone).Date;

    /// <summary>A wall time that the clocks skip is the first that they do not; of one that comes twice, the first is meant.</summary>
    private DateTimeOffset InstantOf(DateTime wall)
    {
        while (Zone.IsInvalidTime(wall))
        {
            wall = wall.AddMinutes(1);
        }

        TimeSpan offset = Zone.IsAmbiguousTime(wall) ? Zone.GetAmbiguousTimeOffsets(wall).Max() : Zone.GetUtcOffset(wall);
        return new DateTimeOffset(wall, offset);
    }
}
