using MSOnlineBackup.Platform.Items;

namespace MSOnlineBackup.Disks.Fat;

/// <summary>Times of FAT and exFAT: date and time of a clock on the wall from 1980 on, in steps of two seconds.</summary>
internal static class FatTime
{
    /// <summary>
    /// The time as if the clock were at UTC: FAT does not say in which zone it was, and Linux takes the same unless it is told otherwise. What is no date
    /// becomes the nearest one.
    /// </summary>
    /// <param name="date">Year from 1980, month, day in 7, 4 and 5 bits.</param>
    /// <param name="time">Hour, minute, half second in 5, 6 and 5 bits.</param>
    /// <param name="hundredths">What comes on top.</param>
    /// <param name="offset">By how much the clock is ahead of UTC.</param>
    public static ItemTime Read(int date, int time, int hundredths = 0, TimeSpan offset = default)
    {
        int year = 1980 + (date >> 9);
        int month = Math.Clamp((date >> 5) & 15, 1, 12);
        int day = Math.Clamp(date & 31, 1, DateTime.DaysInMonth(year, month));
        var moment = new DateTimeOffset(year, month, day, 0, 0, 0, TimeSpan.Zero);
        ItemTime start = ItemTime.From(moment);
        long seconds = ((time >> 11) * 3600L) + (((time >> 5) & 63) * 60L) + ((time & 31) * 2L);
        return new ItemTime(start.Seconds + seconds - (long)offset.TotalSeconds, hundredths * 10_000_000L);
    }
}
