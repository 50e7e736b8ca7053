using System.Globalization;
using MSOnlineBackup.Agent.Machine;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Machine;

public sealed class ThrottleScheduleTests
{
    private const long Work = 1_000_000;
    private const long Other = 9_000_000;

    private static readonly DayOfWeek[] _weekdays = [DayOfWeek.Monday, DayOfWeek.Tuesday, DayOfWeek.Wednesday, DayOfWeek.Thursday, DayOfWeek.Friday];

    // 2024-03-01 is a Friday.
    [Theory]
    [InlineData("08:00", "18:00", "2024-03-01 07:59:59", Other)]
    [InlineData("08:00", "18:00", "2024-03-01 08:00:00", Work)]
    [InlineData("08:00", "18:00", "2024-03-01 17:59:59", Work)]
    [InlineData("08:00", "18:00", "2024-03-01 18:00:00", Other)]
    [InlineData("08:00", "18:00", "2024-03-02 12:00:00", Other)]
    [InlineData("08:00", "18:00", "2024-03-04 08:00:00", Work)]
    [InlineData("08:30", "1.00:00", "2024-03-01 23:59:59", Work)]
    [InlineData("08:30", "1.00:00", "2024-03-02 00:00:00", Other)]
    [InlineData("08:30", "00:00", "2024-03-01 23:59:59", Work)]
    [InlineData("08:30", "00:00", "2024-03-02 00:00:00", Other)]
    public void Work_hours_hold_from_their_beginning_and_up_to_their_end(string start, string end, string at, long expected) =>
        Assert.Equal(expected, Setting(start, end).LimitAt(Wall(at)));

    [Theory]
    [InlineData("2024-03-01 21:59:59", Other)] // Friday
    [InlineData("2024-03-01 22:00:00", Work)]
    [InlineData("2024-03-02 05:59:59", Work)] // Saturday, of Friday's work
    [InlineData("2024-03-02 06:00:00", Other)]
    [InlineData("2024-03-02 22:00:00", Other)]
    [InlineData("2024-03-03 22:00:00", Other)] // Sunday
    [InlineData("2024-03-04 05:59:59", Other)] // Monday, but Sunday has no work
    [InlineData("2024-03-04 22:00:00", Work)]
    [InlineData("2024-03-05 00:00:00", Work)]
    public void Hours_across_midnight_belong_to_the_day_on_which_they_begin(string at, long expected) =>
        Assert.Equal(expected, Setting("22:00", "06:00").LimitAt(Wall(at)));

    [Theory]
    [InlineData("2024-03-01 08:59:59", Work)] // of Thursday's work
    [InlineData("2024-03-01 09:00:00", Work)]
    [InlineData("2024-03-02 08:59:59", Work)]
    [InlineData("2024-03-02 09:00:00", Other)]
    [InlineData("2024-03-04 08:59:59", Other)]
    public void The_same_hour_for_both_is_a_whole_day(string at, long expected) =>
        Assert.Equal(expected, Setting("09:00", "09:00").LimitAt(Wall(at)));

    [Fact]
    public void Without_work_days_the_other_limit_holds_always() =>
        Assert.All(
            Enumerable.Range(0, 7 * 24),
            hour => Assert.Equal(Other, (Setting("00:00", "1.00:00") with { WorkDays = [] }).LimitAt(Wall("2024-03-01 00:00:00").AddHours(hour))));

    // A zone one hour ahead, two in summer: on 2024-03-31 02:00 becomes 03:00, on 2024-10-27 03:00 becomes 02:00. Both are Sundays.
    [Theory]
    [InlineData("2024-03-31T00:59:59Z", Other)] // 01:59:59
    [InlineData("2024-03-31T01:00:00Z", Work)] // 03:00:00: 02:00 and 02:30 are not on the clock that day
    [InlineData("2024-03-31T01:59:59Z", Work)] // 03:59:59
    [InlineData("2024-03-31T02:00:00Z", Other)]
    [InlineData("2024-10-27T00:29:59Z", Other)] // 02:29:59
    [InlineData("2024-10-27T00:30:00Z", Work)] // 02:30:00
    [InlineData("2024-10-27T01:00:00Z", Other)] // 02:00:00 again
    [InlineData("2024-10-27T01:30:00Z", Work)] // 02:30:00 again
    [InlineData("2024-10-27T03:00:00Z", Other)] // 04:00:00
    public void The_clock_on_the_wall_decides_where_clocks_are_changed(string at, long expected)
    {
        ThrottleSetting setting = Setting("02:30", "04:00") with { WorkDays = [DayOfWeek.Sunday] };

        Assert.Equal(expected, setting.LimitNow(new SummerClock(DateTimeOffset.Parse(at, CultureInfo.InvariantCulture))));
    }

    private static DateTime Wall(string text) => DateTime.Parse(text, CultureInfo.InvariantCulture);

    private static ThrottleSetting Setting(string start, string end) => new(_weekdays, Hour(start), Hour(end), Work, Other);

    private static TimeSpan Hour(string text) => TimeSpan.Parse(text, CultureInfo.InvariantCulture);

    private sealed class SummerClock(DateTimeOffset now) : TimeProvider
    {
        public override TimeZoneInfo LocalTimeZone { get; } = TimeZoneInfo.CreateCustomTimeZone("Test", TimeSpan.FromHours(1), "Test", "Test", "Test",
        [
            TimeZoneInfo.AdjustmentRule.CreateAdjustmentRule(
                DateTime.MinValue.Date,
                DateTime.MaxValue.Date,
                TimeSpan.FromHours(1),
                TimeZoneInfo.TransitionTime.CreateFloatingDateRule(new DateTime(1, 1, 1, 2, 0, 0), 3, 5, DayOfWeek.Sunday),
                TimeZoneInfo.TransitionTime.CreateFloatingDateRule(new DateTime(1, 1, 1, 3, 0, 0), 10, 5, DayOfWeek.Sunday)),
        ]);

        public override DateTimeOffset GetUtcNow() => now;
    }
}
