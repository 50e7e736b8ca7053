using MSOnlineBackup.Agent.Mounting;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Mounting;

/// <summary>How long a mount stays.</summary>
public sealed class MountLifeTests
{
    private static readonly DateTimeOffset _start = new(2026, 11, 30, 8, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(0, 6)]
    [InlineData(5, 6)]
    [InlineData(6, 6.25)]
    [InlineData(10, 10.25)]
    [InlineData(23.9, 24)]
    [InlineData(40, 24)]
    public void It_stays_for_six_hours_and_as_long_as_it_is_read_but_for_a_day_at_most(double lastUsed, double end)
    {
        DateTimeOffset ends = _start.AddHours(end);

        Assert.Equal(ends, MountLife.EndOf(_start, _start.AddHours(lastUsed)));
        Assert.True(MountLife.IsOver(_start, _start.AddHours(lastUsed), ends));
        Assert.False(MountLife.IsOver(_start, _start.AddHours(lastUsed), ends - TimeSpan.FromSeconds(1)));
    }
}
