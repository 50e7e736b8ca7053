using System.Globalization;

namespace MSOnlineBackup.Platform.Items;

/// <summary>
/// A moment in the life of an item: whole seconds since 1970 UTC, negative before, and the nanoseconds that follow them. It tells
/// every time that a file system can hold; a single number of nanoseconds ends in 2262, and <see cref="DateTime"/> knows no
/// nanoseconds and no year but 1 to 9999.
/// </summary>
public readonly record struct ItemTime : IComparable<ItemTime>
{
    private const int PerSecond = 1_000_000_000;
    private const long SecondsADay = 86_400;

    /// <summary>Makes a time. Nanoseconds of any number and sign are carried into the seconds.</summary>
    /// <param name="seconds">Seconds since 1970.</param>
    /// <param name="nanoseconds">Nanoseconds to add.</param>
    public ItemTime(long seconds, long nanoseconds = 0)
    {
        if (unchecked((ulong)nanoseconds) >= PerSecond)
        {
            (long carry, nanoseconds) = Math.DivRem(nanoseconds, PerSecond);
            (carry, nanoseconds) = nanoseconds < 0 ? (carry - 1, nanoseconds + PerSecond) : (carry, nanoseconds);
            seconds = long.CreateSaturating((Int128)seconds + carry);
        }

        Seconds = seconds;
        Nanoseconds = (int)nanoseconds;
    }

    /// <summary>Seconds since 1970 UTC, rounded down.</summary>
    public long Seconds { get; }

    /// <summary>Nanoseconds after <see cref="Seconds"/>, 0 to 999,999,999.</summary>
    public int Nanoseconds { get; }

    /// <summary>Whether one is earlier.</summary>
    public static bool operator <(ItemTime left, ItemTime right) => left.CompareTo(right) < 0;

    /// <summary>Whether one is later.</summary>
    public static bool operator >(ItemTime left, ItemTime right) => left.CompareTo(right) > 0;

    /// <summary>Whether one is not later.</summary>
    public static bool operator <=(ItemTime left, ItemTime right) => left.CompareTo(right) <= 0;

    /// <summary>Whether one is not earlier.</summary>
    public static bool operator >=(ItemTime left, ItemTime right) => left.CompareTo(right) >= 0;

    /// <summary>The moment as an item's time.</summary>
    public static ItemTime From(DateTimeOffset time)
    {
        (long seconds, long ticks) = Math.DivRem((time - DateTimeOffset.UnixEpoch).Ticks, TimeSpan.TicksPerSecond);
        return new ItemTime(seconds, ticks * TimeSpan.NanosecondsPerTick);
    }

    /// <summary>The moment without anything finer than 100 ns; null outside the years 1 to 9999.</summary>
    public DateTimeOffset? ToDateTimeOffset()
    {
        bool known = Seconds >= DateTimeOffset.MinValue.ToUnixTimeSeconds() && Seconds <= DateTimeOffset.MaxValue.ToUnixTimeSeconds();
        return known ? DateTimeOffset.FromUnixTimeSeconds(Seconds).AddTicks(Nanoseconds / TimeSpan.NanosecondsPerTick) : null;
    }

    /// <inheritdoc/>
    public int CompareTo(ItemTime other)
    {
        int order = Seconds.CompareTo(other.Seconds);
        return order != 0 ? order : Nanoseconds.CompareTo(other.Nanoseconds);
    }

    /// <summary>In the manner of ISO 8601, in UTC, to the nanosecond: <c>2026-11-28T23:45:34.123456789Z</c>. Years outside of 0 to
    /// 9999 have a sign.</summary>
    public override string ToString()
    {
        (long days, long second) = Math.DivRem(Seconds, SecondsADay);
        (days, second) = second < 0 ? (days - 1, second + SecondsADay) : (days, second);

        // Days of eras of 400 years, each of which begins on 1 March, so that the day of a leap year comes last.
        (long era, long day) = Math.DivRem(days + 719_468, 146_097);
        (era, day) = day < 0 ? (era - 1, day + 146_097) : (era, day);
        long year = (day - (day / 1460) + (day / 36_524) - (day / 146_096)) / 365;
        long dayOfYear = day - ((365 * year) + (year / 4) - (year / 100));
        long month = ((5 * dayOfYear) + 2) / 153;
        long dayOfMonth = dayOfYear - (((153 * month) + 2) / 5) + 1;
        month += month < 10 ? 3 : -9;
        year += (era * 400) + (month <= 2 ? 1 : 0);
        string sign = year > 9999 ? "+" : "";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{sign}{year:0000}-{month:00}-{dayOfMonth:00}T{second / 3600:00}:{second / 60 % 60:00}:{second % 60:00}.{Nanoseconds:000000000}Z");
    }
}
