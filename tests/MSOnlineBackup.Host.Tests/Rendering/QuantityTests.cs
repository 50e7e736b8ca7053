using MSOnlineBackup.Host.Rendering;

namespace MSOnlineBackup.Host.Tests.Rendering;

public sealed class QuantityTests
{
    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(999, "999 B")]
    [InlineData(1000, "0.98 KiB")]
    [InlineData(1024, "1.00 KiB")]
    [InlineData(10 * 1024, "10.0 KiB")]
    [InlineData(1023 * 1024, "1.00 MiB")]
    [InlineData(123L << 20, "123 MiB")]
    [InlineData((long)1.5e12, "1.36 TiB")]
    [InlineData(long.MaxValue, "8.00 EiB")]
    public void Sizes_have_three_digits_and_a_binary_unit(long bytes, string text) => Assert.Equal(text, Quantity.Size(bytes));

    [Theory]
    [InlineData(0, "0 items")]
    [InlineData(1, "1 item")]
    [InlineData(1234567, "1,234,567 items")]
    public void What_is_counted_is_in_the_plural_unless_it_is_one(long count, string text) => Assert.Equal(text, Quantity.Count(count, "item"));

    [Theory]
    [InlineData("0", 0)]
    [InlineData("1234", 1234)]
    [InlineData("12B", 12)]
    [InlineData("1K", 1024)]
    [InlineData("1.5 GiB", 1610612736)]
    [InlineData("2mb", 2000000)]
    [InlineData("3T", 3298534883328)]
    public void Sizes_are_read_with_binary_and_decimal_units(string text, long bytes)
    {
        Assert.True(Quantity.TryParseSize(text, out long read));
        Assert.Equal(bytes, read);
    }

    [Theory]
    [InlineData("")]
    [InlineData("M")]
    [InlineData("-1")]
    [InlineData("1.2.3")]
    [InlineData("1X")]
    [InlineData("1KK")]
    [InlineData("1 B B")]
    [InlineData("99999999E")]
    public void What_is_no_size_is_refused(string text) => Assert.False(Quantity.TryParseSize(text, out _));

    [Theory]
    [InlineData("0s", 0)]
    [InlineData("90s", 90)]
    [InlineData("30m", 1800)]
    [InlineData("12h", 43200)]
    [InlineData("7d", 604800)]
    public void Durations_are_read_with_one_unit(string text, long seconds)
    {
        Assert.True(Quantity.TryParseDuration(text, out TimeSpan read));
        Assert.Equal(seconds, read.TotalSeconds);
    }

    [Theory]
    [InlineData("")]
    [InlineData("s")]
    [InlineData("7")]
    [InlineData("-1d")]
    [InlineData("1.5h")]
    [InlineData("1w")]
    [InlineData("100001d")]
    [InlineData("99999999999999999999d")]
    public void What_is_no_duration_is_refused(string text) => Assert.False(Quantity.TryParseDuration(text, out _));

    [Theory]
    [InlineData(0.42, "0.42 s")]
    [InlineData(12.9, "12 s")]
    [InlineData(125, "2 min 05 s")]
    [InlineData(3600 + (7 * 60), "1 h 07 min")]
    [InlineData((2 * 86400) + (4 * 3600), "2 d 04 h")]
    public void Durations_have_two_units_at_most(double seconds, string text) => Assert.Equal(text, Quantity.Duration(TimeSpan.FromSeconds(seconds)));

    [Fact]
    public void Times_are_local_and_name_their_zone()
    {
        var zone = TimeZoneInfo.CreateCustomTimeZone("test", TimeSpan.FromHours(5.5), "test", "test");

        Assert.Equal("2024-03-01 05:00:00 +05:30", Quantity.Time(new DateTimeOffset(2024, 2, 29, 23, 30, 0, TimeSpan.Zero), zone));
    }

    [Fact]
    public void A_ratio_of_nothing_is_none()
    {
        Assert.Equal("-", Quantity.Ratio(5, 0));
        Assert.Equal("2.50 : 1", Quantity.Ratio(5, 2));
    }
}
