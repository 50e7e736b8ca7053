namespace MSOnlineBackup.Agent.Machine;

/// <summary>Which limit of a <see cref="ThrottleSetting"/> holds when.</summary>
public static class ThrottleSchedule
{
    /// <summary>The limit that holds now, by the clock's local wall time, in bits a second.</summary>
    public static long LimitNow(this ThrottleSetting setting, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(time);
        return LimitAt(setting, time.GetLocalNow().DateTime);
    }

    /// <summary>
    /// The limit at a wall time, in bits a second. Work hours that end at or before the hour of their beginning end on the next day, and belong to the
    /// day on which they begin. An hour that a change of the clocks repeats counts both times.
    /// </summary>
    public static long LimitAt(this ThrottleSetting setting, DateTime wallTime)
    {
        ArgumentNullException.ThrowIfNull(setting);
        TimeSpan hour = wallTime.TimeOfDay;
        bool today = setting.WorkDays.Contains(wallTime.DayOfWeek);
        bool yesterday = setting.WorkDays.Contains((DayOfWeek)(((int)wallTime.DayOfWeek + 6) % 7));
        bool works = setting.WorkStart < setting.WorkEnd
            ? today && hour >= setting.WorkStart && hour < setting.WorkEnd
            : (today && hour >= setting.WorkStart) || (yesterday && hour < setting.WorkEnd);
        return works ? setting.WorkBits : setting.OtherBits;
    }
}
