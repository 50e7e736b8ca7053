using MSOnlineBackup.Testing;
using MSOnlineBackup.VirtualMachines.Machines;
using Xunit;

namespace MSOnlineBackup.VirtualMachines.Tests.Machines;

/// <summary>Machines of a group have one moment, or each its own, and none waits for another for longer than it may be held.</summary>
public sealed class MomentBarrierTests
{
    private readonly FakeClock _clock = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Nobody_goes_on_before_all_have_come_at_each_step()
    {
        MomentBarrier barrier = Make(3);
        foreach (Func<int, Task<bool>> arrive in new Func<int, Task<bool>>[] { _ => barrier.ReadyAsync(Stop), _ => barrier.HeldAsync(Stop), _ => barrier.SwitchedAsync(Stop), index => barrier.ReleasedAsync($"vm{index}", null, Stop) })
        {
            Task<bool> first = arrive(1);
            Task<bool> second = arrive(2);
            Assert.False(first.IsCompleted || second.IsCompleted || barrier.IsMet);
            Assert.All(await Task.WhenAll(first, second, arrive(3)), Assert.True);
        }

        Assert.True(barrier.IsMet);
        barrier.Leave("vm1", "its backup failed later");
        Assert.Null(barrier.Failure);
    }

    [Fact]
    public async Task Who_does_not_come_holds_no_guest_for_longer_than_the_limit()
    {
        MomentBarrier barrier = Make(2);
        await Task.WhenAll(barrier.ReadyAsync(Stop), barrier.ReadyAsync(Stop));
        Task<bool> waiting = barrier.HeldAsync(Stop);
        _clock.Advance(MomentBarrier.HeldLimit - TimeSpan.FromMilliseconds(1));
        Assert.False(waiting.IsCompleted);
        _clock.Advance(TimeSpan.FromMilliseconds(1));

        Assert.False(await waiting);
        Assert.Contains("did not come within 8 s", barrier.Failure, StringComparison.Ordinal);

        // Who comes late finds that out at once, at whatever step.
        Assert.False(await barrier.HeldAsync(Stop));
        Assert.False(await barrier.SwitchedAsync(Stop));
        Assert.False(await barrier.ReleasedAsync("vm2", null, Stop));
        Assert.False(barrier.IsMet);
        Assert.True(MomentBarrier.HeldLimit < TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task The_limit_counts_from_the_first_that_is_held_over_both_steps()
    {
        MomentBarrier barrier = Make(2);
        Task<bool> first = barrier.HeldAsync(Stop);
        _clock.Advance(TimeSpan.FromSeconds(6));
        Assert.True(await barrier.HeldAsync(Stop));
        Assert.True(await first);
        Task<bool> switched = barrier.SwitchedAsync(Stop);
        _clock.Advance(TimeSpan.FromSeconds(2));

        Assert.False(await switched);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Who_leaves_is_not_waited_for(bool isHeld)
    {
        MomentBarrier barrier = Make(2);
        Task<bool> waiting = isHeld ? barrier.HeldAsync(Stop) : barrier.ReadyAsync(Stop);
        barrier.Leave("vm2", "its agent is silent");

        Assert.False(await waiting);
        Assert.Equal("'vm2' took no part in it: its agent is silent", barrier.Failure);
    }

    [Fact]
    public async Task One_that_was_let_go_early_makes_it_no_common_moment()
    {
        MomentBarrier barrier = Make(2);
        Task<bool> first = barrier.ReleasedAsync("vm1", null, Stop);
        Assert.False(await barrier.ReleasedAsync("vm2", "Windows let go", Stop));

        Assert.False(await first);
        Assert.False(barrier.IsMet);
    }

    [Fact]
    public async Task A_wait_can_be_stopped()
    {
        using var stop = new CancellationTokenSource();
        Task<bool> waiting = Make(2).ReadyAsync(stop.Token);
        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }

    private MomentBarrier Make(int participants) => new("0123", "web", participants, _clock);
}
