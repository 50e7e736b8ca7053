using MSOnlineBackup.Vaults.Concurrency;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Concurrency;

public class StageGroupTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_first_failure_wins_and_keeps_its_stack()
    {
        await using var stages = new StageGroup(Cancel);
        var isFirst = new TaskCompletionSource();
        stages.Begin(async stopping =>
        {
            await StoppedAsync(stopping);
            throw new InvalidOperationException("second");
        });
        stages.Begin(async _ =>
        {
            await isFirst.Task;
            FailDeepInside();
        });
        isFirst.SetResult();

        var failure = await Assert.ThrowsAsync<FormatException>(stages.WhenEndedAsync);

        Assert.Equal("first", failure.Message);
        Assert.Contains(nameof(FailDeepInside), failure.StackTrace, StringComparison.Ordinal);
        Assert.Same(failure, stages.Failure);
    }

    [Fact]
    public async Task A_stage_that_was_stopped_because_another_failed_is_not_the_failure()
    {
        await using var stages = new StageGroup(Cancel);
        stages.Begin(stopping => Task.Delay(Timeout.Infinite, stopping), count: 8);
        stages.Begin(_ => throw new FormatException("the cause"));

        var failure = await Assert.ThrowsAsync<FormatException>(stages.WhenEndedAsync);

        Assert.Equal("the cause", failure.Message);
    }

    [Fact]
    public async Task A_cancellation_by_the_caller_is_a_cancellation()
    {
        using var caller = new CancellationTokenSource();
        await using var stages = new StageGroup(caller.Token);
        stages.Begin(stopping => Task.Delay(Timeout.Infinite, stopping), count: 2);
        await caller.CancelAsync();

        var stopped = await Assert.ThrowsAnyAsync<OperationCanceledException>(stages.WhenEndedAsync);

        Assert.Equal(caller.Token, stopped.CancellationToken);
        Assert.Null(stages.Failure);
    }

    [Fact]
    public async Task A_cancellation_that_stopped_nobody_is_none()
    {
        using var caller = new CancellationTokenSource();
        await using var stages = new StageGroup(caller.Token);
        await stages.RunAsync(_ => Task.CompletedTask);
        await caller.CancelAsync();

        await stages.WhenEndedAsync();

        Assert.True(stages.Stopping.IsCancellationRequested);
    }

    [Fact]
    public async Task A_failure_is_not_lost_behind_the_callers_cancellation()
    {
        using var caller = new CancellationTokenSource();
        await using var stages = new StageGroup(caller.Token);
        Task cut = stages.RunAsync(stopping => Task.Delay(Timeout.Infinite, stopping));
        stages.Begin(async stopping =>
        {
            await StoppedAsync(stopping);
            await Task.WhenAny(cut);
            throw new FormatException("the disk is full");
        });
        await caller.CancelAsync();

        await Assert.ThrowsAsync<FormatException>(stages.WhenEndedAsync);
    }

    [Fact]
    public async Task A_cancellation_that_nobody_asked_for_is_a_failure()
    {
        await using var stages = new StageGroup(Cancel);
        stages.Begin(stopping => Task.Delay(Timeout.Infinite, stopping));
        stages.Begin(_ => throw new TaskCanceledException("a request timed out"));

        var failure = await Assert.ThrowsAsync<TaskCanceledException>(stages.WhenEndedAsync);

        Assert.Equal("a request timed out", failure.Message);
    }

    [Fact]
    public async Task Nobody_returns_before_all_stages_have_ended()
    {
        await using var stages = new StageGroup(Cancel);
        var mayEnd = new TaskCompletionSource();
        bool hasEnded = false;
        stages.Begin(_ => throw new FormatException());
        stages.Begin(async stopping =>
        {
            await StoppedAsync(stopping);
            await mayEnd.Task;
            hasEnded = true;
        });

        Task waiting = stages.WhenEndedAsync();
        await StoppedAsync(stages.Stopping);
        Assert.False(waiting.IsCompleted);
        mayEnd.SetResult();

        await Assert.ThrowsAsync<FormatException>(() => waiting);
        Assert.True(hasEnded);
    }

    [Fact]
    public async Task Disposing_stops_the_stages_and_waits_for_them()
    {
        bool hasEnded = false;
        var stages = new StageGroup(Cancel);
        stages.Begin(async stopping =>
        {
            await StoppedAsync(stopping);
            await Task.Yield();
            hasEnded = true;
        });

        await stages.DisposeAsync();

        Assert.True(hasEnded);
    }

    [Fact]
    public async Task A_stage_may_begin_others_and_they_are_waited_for_too()
    {
        await using var stages = new StageGroup(Cancel);
        var further = new TaskCompletionSource();
        stages.Begin(_ =>
        {
            stages.Begin(async _ =>
            {
                await further.Task;
                throw new FormatException();
            });
            return Task.CompletedTask;
        });

        Task waiting = stages.WhenEndedAsync();
        further.SetResult();

        await Assert.ThrowsAsync<FormatException>(() => waiting);
    }

    [Fact]
    public async Task What_a_stage_returns_fails_as_it_does()
    {
        await using var stages = new StageGroup(Cancel);
        Task first = stages.RunAsync(_ => throw new FormatException("once"));
        stages.Begin(_ => first);

        var failure = await Assert.ThrowsAsync<FormatException>(stages.WhenEndedAsync);

        Assert.Same(failure, await Assert.ThrowsAsync<FormatException>(() => first));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_next_stage_is_told_once_when_the_last_of_several_has_ended(bool oneFails)
    {
        await using var stages = new StageGroup(Cancel);
        int started = 0;
        int ended = 0;
        var told = new List<int>();
        stages.Begin(
            async _ =>
            {
                bool fails = Interlocked.Increment(ref started) == 2 && oneFails;
                await Task.Yield();
                Interlocked.Increment(ref ended);
                if (fails)
                {
                    throw new FormatException();
                }
            },
            count: 4,
            then: () => told.Add(Volatile.Read(ref ended)));

        if (oneFails)
        {
            await Assert.ThrowsAsync<FormatException>(stages.WhenEndedAsync);
        }
        else
        {
            await stages.WhenEndedAsync();
        }

        Assert.Equal([4], told);
    }

    [Fact]
    public async Task A_failure_that_a_stage_only_notes_stops_the_others_and_is_thrown()
    {
        await using var stages = new StageGroup(Cancel);
        stages.Begin(stopping => StoppedAsync(stopping));
        stages.ThrowIfFailed();

        stages.Fail(new FormatException());

        Assert.Throws<FormatException>(stages.ThrowIfFailed);
        await Assert.ThrowsAsync<FormatException>(stages.WhenEndedAsync);
    }

    private static void FailDeepInside() => throw new FormatException("first");

    private static async Task StoppedAsync(CancellationToken stopping) =>
        await Task.Delay(Timeout.Infinite, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
}
