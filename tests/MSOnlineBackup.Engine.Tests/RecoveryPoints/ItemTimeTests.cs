using FsCheck;
using FsCheck.Fluent;
using MSOnlineBackup.Platform.Items;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.RecoveryPoints;

public sealed class ItemTimeTests
{
    [Theory]
    [InlineData(0, 999_999_999, 0, 999_999_999)]
    [InlineData(0, 1_000_000_000, 1, 0)]
    [InlineData(0, -1, -1, 999_999_999)]
    [InlineData(5, -1_000_000_000, 4, 0)]
    [InlineData(5, -1_000_000_001, 3, 999_999_999)]
    [InlineData(-1, 4_294_967_295, 3, 294_967_295)]
    [InlineData(0, long.MinValue, -9_223_372_037, 145_224_192)]
    [InlineData(0, long.MaxValue, 9_223_372_036, 854_775_807)]
    public void Nanoseconds_outside_their_range_are_carried_exactly(long seconds, long nanoseconds, long expectedSeconds, int expectedNanoseconds)
    {
        var time = new ItemTime(seconds, nanoseconds);

        Assert.Equal((expectedSeconds, expectedNanoseconds), (time.Seconds, time.Nanoseconds));
    }

    [Theory]
    [InlineData(0, 0, "1970-01-01T00:00:00.000000000Z")]
    [InlineData(-1, 999_999_999, "1969-12-31T23:59:59.999999999Z")]
    [InlineData(-9_223_372_037, 145_224_192, "1677-09-21T00:12:43.145224192Z")]
    [InlineData(9_223_372_036, 854_775_808, "2262-04-11T23:47:16.854775808Z")]
    [InlineData(15_032_385_535, 1, "2446-05-10T22:38:55.000000001Z")]
    [InlineData(253_402_300_800, 0, "+10000-01-01T00:00:00.000000000Z")]
    [InlineData(-62_135_596_801, 0, "0000-12-31T23:59:59.000000000Z")]
    [InlineData(-62_167_219_201, 0, "-0001-12-31T23:59:59.000000000Z")]
    [InlineData(long.MaxValue, 0, "+292277026596-12-04T15:30:07.000000000Z")]
    [InlineData(long.MinValue, 0, "-292277022657-01-27T08:29:52.000000000Z")]
    public void Every_time_has_a_text(long seconds, int nanoseconds, string text) => Assert.Equal(text, new ItemTime(seconds, nanoseconds).ToString());

    [Fact]
    public void Within_the_calendar_of_the_runtime_text_and_order_are_the_runtimes()
    {
        Prop.ForAll<int>(seed =>
        {
            var random = new Random(seed);
            var one = new DateTimeOffset(random.NextInt64(DateTime.MaxValue.Ticks), TimeSpan.Zero);
            var other = new DateTimeOffset(random.NextInt64(DateTime.MaxValue.Ticks), TimeSpan.Zero);

            Assert.Equal(one.ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff'00Z'", null), ItemTime.From(one).ToString());
            Assert.Equal(one, ItemTime.From(one).ToDateTimeOffset());
            Assert.Equal(one.CompareTo(other), ItemTime.From(one).CompareTo(ItemTime.From(other)));
            Assert.Equal(one < other, ItemTime.From(one) < ItemTime.From(other));
            Assert.Equal(one >= other, ItemTime.From(one) >= ItemTime.From(other));
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void What_the_calendar_of_the_runtime_does_not_know_is_no_DateTime()
    {
        Assert.Equal(DateTimeOffset.MaxValue, new ItemTime(253_402_300_799, 999_999_999).ToDateTimeOffset());
        Assert.Null(new ItemTime(253_402_300_800).ToDateTimeOffset());
        Assert.Null(new ItemTime(-62_135_596_801).ToDateTimeOffset());
        Assert.Null(new ItemTime(long.MinValue).ToDateTimeOffset());
    }
}
