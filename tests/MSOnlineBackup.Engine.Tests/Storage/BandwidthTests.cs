using FsCheck;
using FsCheck.Fluent;
using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Storage;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Storage;

public sealed class BandwidthTests
{
    private const long Slowest = 512_000;
    private const long Fastest = 1_023_000_000;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(Slowest, 1)]
    [InlineData(Slowest, 32)]
    [InlineData(2_000_000, 4)]
    [InlineData(Fastest, 1)]
    [InlineData(Fastest, 32)]
    public async Task Any_number_of_connections_both_ways_take_the_time_of_one(long limit, int connections)
    {
        var clock = new FakeClock { SkipsWaits = true };
        var bandwidth = new Bandwidth(() => limit, clock);

        await MoveAsync(bandwidth, connections, limit / 8 * 20);

        // The last grant is the one before the 20 seconds are over.
        Assert.InRange(clock.Elapsed.TotalSeconds, 19.97, 20.01);
    }

    [Fact]
    public void Late_timers_neither_slow_the_line_nor_quicken_it() => Prop.ForAll<int, byte, byte>(async (seed, connectionCount, latest) =>
    {
        var random = new Random(seed);
        long limit = random.NextInt64(Slowest, Fastest + 1);
        var clock = new FakeClock { SkipsWaits = true };
        var late = new LateClock(clock, () => TimeSpan.FromMilliseconds(latest % 80 * random.NextDouble()));
        var bandwidth = new Bandwidth(() => limit, late);

        await MoveAsync(bandwidth, (connectionCount % 32) + 1, limit / 8 * 4);

        // What may come early is the grant at the beginning, what may come late the last timer.
        Assert.InRange(clock.Elapsed.TotalSeconds, 3.97, 4.09);
    }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData(Slowest)]
    [InlineData(Fastest)]
    public async Task After_an_idle_hour_no_more_than_a_fifth_of_a_second_passes_at_once(long limit)
    {
        var clock = new FakeClock();
        var bandwidth = new Bandwidth(() => limit, clock);
        clock.Advance(TimeSpan.FromHours(1));
        using var end = new CancellationTokenSource();

        long atOnce = 0;
        Task<int> take = bandwidth.TakeAsync(65_536, end.Token).AsTask();
        while (take.IsCompleted)
        {
            atOnce += await take;
            take = bandwidth.TakeAsync(65_536, end.Token).AsTask();
        }

        Assert.InRange(atOnce / (limit / 8.0), 0.02, 0.2);
        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => take);
    }

    [Theory]
    [InlineData(Slowest, 50_000_000L)]
    [InlineData(50_000_000L, Slowest)]
    [InlineData(Slowest, null)]
    public async Task A_new_limit_holds_within_a_second_also_for_who_waits(long before, long? after)
    {
        var clock = new FakeClock { SkipsWaits = true };
        var bandwidth = new Bandwidth(() => clock.Elapsed < TimeSpan.FromSeconds(5) ? before : after, clock);
        var seconds = new long[12];

        // Without a limit the clock stands still: some megabytes more, and it is over.
        while (clock.Elapsed < TimeSpan.FromSeconds(10) && seconds.Sum() < 100_000_000)
        {
            int granted = await bandwidth.TakeAsync(65_536, Cancel);
            seconds[(int)clock.Elapsed.TotalSeconds] += granted;
        }

        Assert.All(seconds[1..5], bytes => Assert.InRange(bytes, before / 8 * 0.97, before / 8 * 1.03));
        if (after is long limit)
        {
            Assert.All(seconds[6..10], bytes => Assert.InRange(bytes, limit / 8 * 0.97, limit / 8 * 1.03));
        }
        else
        {
            Assert.Equal(5, (int)clock.Elapsed.TotalSeconds);
        }
    }

    [Fact]
    public async Task At_the_end_of_work_the_rate_changes_within_a_second()
    {
        var clock = new FakeClock(new DateTimeOffset(2024, 3, 1, 17, 59, 57, TimeSpan.Zero)) { SkipsWaits = true };
        var setting = new ThrottleSetting([DayOfWeek.Friday], TimeSpan.FromHours(8), TimeSpan.FromHours(18), 2_000_000, 20_000_000);
        var bandwidth = new Bandwidth(() => setting.LimitNow(clock), clock);
        var seconds = new long[7];

        while (clock.Elapsed < TimeSpan.FromSeconds(6))
        {
            int granted = await bandwidth.TakeAsync(16_384, Cancel);
            seconds[(int)clock.Elapsed.TotalSeconds] += granted;
        }

        Assert.All(seconds[0..3], bytes => Assert.InRange(bytes, 242_000, 258_000));
        Assert.All(seconds[3..6], bytes => Assert.InRange(bytes, 2_420_000, 2_580_000));
    }

    [Fact]
    public async Task Who_wants_little_waits_for_a_grant_of_the_others_not_for_all_that_they_want()
    {
        var clock = new FakeClock();
        var bandwidth = new Bandwidth(() => Slowest, clock);
        long passed = 0;
        Task greedy = GreedyAsync();
        Task<int> modest = bandwidth.TakeAsync(100, Cancel).AsTask();

        while (!modest.IsCompleted)
        {
            clock.Advance(TimeSpan.FromMilliseconds(1));
            await Task.Yield();
        }

        Assert.Equal(100, await modest);
        Assert.InRange(Volatile.Read(ref passed), 1, 3 * Slowest / 8 / 50);
        Assert.False(greedy.IsCompleted);
        await AdvanceUntilAsync(clock, greedy);
        Assert.Equal(65_536, passed);

        async Task GreedyAsync()
        {
            while (passed < 65_536)
            {
                int granted = await bandwidth.TakeAsync((int)(65_536 - passed), Cancel);
                Volatile.Write(ref passed, passed + granted);
            }
        }
    }

    [Fact]
    public async Task A_wait_that_is_ended_takes_nothing_and_holds_up_nobody()
    {
        var clock = new FakeClock();
        var bandwidth = new Bandwidth(() => Slowest, clock);
        using var end = new CancellationTokenSource();
        await bandwidth.TakeAsync(65_536, Cancel);
        Task<int> holder = bandwidth.TakeAsync(65_536, end.Token).AsTask();
        Task<int> queued = bandwidth.TakeAsync(65_536, end.Token).AsTask();

        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => holder);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => queued);
        clock.Advance(TimeSpan.FromMilliseconds(20));

        Task<int> next = bandwidth.TakeAsync(65_536, Cancel).AsTask();
        Assert.True(next.IsCompletedSuccessfully);
        Assert.Equal(Slowest / 8 / 50, await next);
    }

    [Fact]
    public async Task Without_a_limit_everything_passes_at_once()
    {
        var bandwidth = new Bandwidth(() => null, new FakeClock());

        Assert.Equal(int.MaxValue, await bandwidth.TakeAsync(int.MaxValue, Cancel));
        Assert.True(bandwidth.PassAsync(int.MaxValue, Cancel).AsTask().IsCompletedSuccessfully);
        Assert.Null(bandwidth.Limit);
    }

    [Fact]
    public async Task A_limit_of_nothing_is_an_error_and_not_a_standstill() =>
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await new Bandwidth(() => 0, new FakeClock()).TakeAsync(1, Cancel));

    /// <summary>Moves bytes by several connections: those with an even number fetch, the others send.</summary>
    private static Task MoveAsync(Bandwidth bandwidth, int connections, long bytes)
    {
        long left = bytes;
        return Task.WhenAll(Enumerable.Range(0, connections).Select(connection => Task.Run(async () =>
        {
            while (Claim(ref left) is int claimed and > 0)
            {
                for (int done = 0; done < claimed;)
                {
                    if (connection % 2 == 0)
                    {
                        await bandwidth.PassAsync(claimed, Cancel);
                        done = claimed;
                    }
                    else
                    {
                        done += await bandwidth.TakeAsync(claimed - done, Cancel);
                    }
                }
            }
        })));
    }

    private static int Claim(ref long left)
    {
        long remaining = Interlocked.Add(ref left, -65_536);
        return (int)Math.Clamp(remaining + 65_536, 0, 65_536);
    }

    private static async Task AdvanceUntilAsync(FakeClock clock, Task task)
    {
        while (!task.IsCompleted)
        {
            clock.Advance(TimeSpan.FromMilliseconds(1));
            await Task.Yield();
        }

        await task;
    }

    /// <summary>A clock whose timers are late.</summary>
    private sealed class LateClock(FakeClock clock, Func<TimeSpan> lateness) : TimeProvider
    {
        private readonly Lock _gate = new();

        public override long TimestampFrequency => clock.TimestampFrequency;

        public override long GetTimestamp() => clock.GetTimestamp();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            lock (_gate)
            {
                return clock.CreateTimer(callback, state, dueTime + lateness(), period);
            }
        }
    }
}
