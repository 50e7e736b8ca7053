namespace MSOnlineBackup.Agent.Mounting;

/// <summary>How long a mount stays: six hours, and as long as it is read, but not longer than 24. Nobody forgets one for good.</summary>
public static class MountLife
{
    /// <summary>So long it stays, whether it is read or not.</summary>
    public static readonly TimeSpan Usual = TimeSpan.FromHours(6);

    /// <summary>So long at most. What collections wait for is believed to be alive no longer.</summary>
    public static readonly TimeSpan Most = TimeSpan.FromHours(24);

    /// <summary>So long after it was read last it counts as being read.</summary>
    public static readonly TimeSpan Reading = TimeSpan.FromMinutes(15);

    /// <summary>When it ends where nobody reads it from now on.</summary>
    public static DateTimeOffset EndOf(DateTimeOffset started, DateTimeOffset lastUsed)
    {
        DateTimeOffset end = Later(started + Usual, lastUsed + Reading);
        return end < started + Most ? end : started + Most;
    }

    /// <summary>Whether its time is over.</summary>
    public static bool IsOver(DateTimeOffset started, DateTimeOffset lastUsed, DateTimeOffset now) => now >= EndOf(started, lastUsed);

    private static DateTimeOffset Later(DateTimeOffset one, DateTimeOffset other) => one > other ? one : other;
}
