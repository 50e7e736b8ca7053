using MSOnlineBackup.Engine.Storage;

namespace MSOnlineBackup.Engine.Machine;

/// <summary>How this machine transfers. The secrets among it are wrapped where they are stored.</summary>
public sealed record MachineSettings
{
    /// <summary>The proxy; null for the one that the environment or the system names, if any.</summary>
    public ProxySetting? Proxy { get; init; }

    /// <summary>Whether it goes past every proxy, whatever the environment says; then <see cref="Proxy"/> does not count.</summary>
    public bool IsDirect { get; init; }

    /// <summary>The bandwidth; null for no limit.</summary>
    public ThrottleSetting? Throttle { get; init; }
}

/// <summary>How fast data may be sent and fetched.</summary>
/// <param name="WorkDays">The days that have work hours.</param>
/// <param name="WorkStart">When work begins, wall time.</param>
/// <param name="WorkEnd">When it ends; before <paramref name="WorkStart"/>, on the following day.</param>
/// <param name="WorkBits">Bits a second in work hours, 512,000 to 1,023,000,000.</param>
/// <param name="OtherBits">Bits a second in all other hours.</param>
public sealed record ThrottleSetting(IReadOnlyList<DayOfWeek> WorkDays, TimeSpan WorkStart, TimeSpan WorkEnd, long WorkBits, long OtherBits)
{
    /// <summary>The limit at a time, in bits a second.</summary>
    /// <param name="time">Wall time.</param>
    public long LimitAt(DateTime time)
    {
        bool isWork = WorkStart <= WorkEnd
            ? WorkDays.Contains(time.DayOfWeek) && time.TimeOfDay >= WorkStart && time.TimeOfDay < WorkEnd
            : (WorkDays.Contains(time.DayOfWeek) && time.TimeOfDay >= WorkStart) || (WorkDays.Contains(time.AddDays(-1).DayOfWeek) && time.TimeOfDay < WorkEnd);
        return isWork ? WorkBits : OtherBits;
    }
}
