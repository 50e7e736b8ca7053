using MSOnlineBackup.Testing;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Storage.Testing;

public sealed class FakeClockTests
{
    private readonly FakeClock _clock = new();

    [Fact]
    public void Timers_fire_in_order_at_their_times()
    {
        DateTimeOffset start = _clock.GetUtcNow();
        var fired = new List<(string, TimeSpan)>();
        using ITimer late = Timer("late", 5, Timeout.InfiniteTimeSpan);
        using ITimer early = Timer("early", 1, Timeout.InfiniteTimeSpan);
        using ITimer repeating = Timer("repeating", 2, TimeSpan.FromSeconds(2));
        using (Timer("disposed", 3, Timeout.InfiniteTimeSpan))
        {
            _clock.Advance(TimeSpan.FromSeconds(0.5));
        }

        _clock.Advance(TimeSpan.FromSeconds(5));

        Assert.Equal([("early", Seconds(1)), ("repeating", Seconds(2)), ("repeating", Seconds(4)), ("late", Seconds(5))], fired);
        Assert.Equal(Seconds(5.5), _clock.Elapsed);
        Assert.Equal(Seconds(5.5), _clock.GetElapsedTime(0));

        ITimer Timer(string name, double due, TimeSpan period) =>
            _clock.CreateTimer(_ => fired.Add((name, _clock.GetUtcNow() - start)), null, Seconds(due), period);
    }

    [Fact]
    public void A_jump_moves_the_wall_clock_only()
    {
        bool fired = false;
        using ITimer timer = _clock.CreateTimer(_ => fired = true, null, Seconds(1), Timeout.InfiniteTimeSpan);
        var future = new DateTimeOffset(2099, 1, 1, 0, 0, 0, TimeSpan.Zero);

        _clock.JumpTo(future);

        Assert.Equal(future, _clock.GetUtcNow());
        Assert.Equal(TimeSpan.Zero, _clock.Elapsed);
        Assert.False(fired);
    }

    private static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds);
}
