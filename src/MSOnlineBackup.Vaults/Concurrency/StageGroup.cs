using System.Runtime.ExceptionServices;

namespace MSOnlineBackup.Vaults.Concurrency;

/// <summary>
/// Stages that run side by side and wait for each other: the first failure wins. It stops the other stages, and is thrown with its own stack once all of
/// them have ended.
/// </summary>
/// <remarks>
/// A stage is stopped by <see cref="Stopping"/>, and that it then ends with an <see cref="OperationCanceledException"/> is not a failure. A failure counts
/// for more than the caller's cancellation, so none is lost behind it. Disposing stops and waits: nothing of a group outlives it.
/// </remarks>
internal sealed class StageGroup : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop;
    private readonly CancellationToken _caller;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ExceptionDispatchInfo? _failure;
    private volatile bool _isCut;

    // The group itself counts for one, so that it has not ended between two stages.
    private int _running = 1;
    private int _closed;

    /// <param name="cancellationToken">The caller's: stops all stages.</param>
    public StageGroup(CancellationToken cancellationToken)
    {
        _caller = cancellationToken;
        _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Stopping = _stop.Token;
    }

    /// <summary>Cancelled by the first failure, by the caller, and by disposing.</summary>
    public CancellationToken Stopping { get; }

    /// <summary>The first failure; null where there is none so far.</summary>
    public Exception? Failure => _failure?.SourceException;

    /// <summary>Begins a stage on the thread pool.</summary>
    /// <param name="stage">The stage.</param>
    /// <param name="count">How often it is begun: at least once.</param>
    /// <param name="then">Done when the last of them has ended, however that was: tells the next stage that nothing more comes.</param>
    public void Begin(Func<CancellationToken, Task> stage, int count = 1, Action? then = null)
    {
        int left = count;
        for (int i = 0; i < count; i++)
        {
            _ = RunAsync(stage, () =>
            {
                if (Interlocked.Decrement(ref left) == 0)
                {
                    then?.Invoke();
                }
            });
        }
    }

    /// <summary>Begins a stage, for another one that waits for its end. A stage may begin further ones.</summary>
    /// <returns>Ends as the stage does.</returns>
    public Task RunAsync(Func<CancellationToken, Task> stage) => RunAsync(stage, then: null);

    /// <summary>Notes how a stage failed, or that it was stopped, and stops the others.</summary>
    public void Fail(Exception fault)
    {
        if (fault is OperationCanceledException && (Stopping.IsCancellationRequested || _caller.IsCancellationRequested))
        {
            _isCut = true;
            return;
        }

        Interlocked.CompareExchange(ref _failure, ExceptionDispatchInfo.Capture(fault), null);
        _stop.Cancel();
    }

    /// <summary>Throws the first failure; else, where the caller stopped a stage, that this is cancelled.</summary>
    public void ThrowIfFailed()
    {
        _failure?.Throw();
        if (_isCut)
        {
            _caller.ThrowIfCancellationRequested();
        }
    }

    /// <summary>Waits until all stages have ended. No stage may be begun from outside afterwards.</summary>
    /// <exception cref="OperationCanceledException">The caller stopped a stage, and none failed.</exception>
    public async Task WhenEndedAsync()
    {
        await CloseAsync().ConfigureAwait(false);
        ThrowIfFailed();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await CloseAsync().ConfigureAwait(false);
        _stop.Dispose();
    }

    private Task CloseAsync()
    {
        if (Interlocked.Exchange(ref _closed, 1) == 0)
        {
            End();
        }

        return _ended.Task;
    }

    private Task RunAsync(Func<CancellationToken, Task> stage, Action? then)
    {
        Interlocked.Increment(ref _running);
        Task running = Task.Run(() => WatchAsync(stage, then), CancellationToken.None);

        // Nobody need look at it: the group tells its failure.
        _ = running.ContinueWith(static ended => ended.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        return running;
    }

    private async Task WatchAsync(Func<CancellationToken, Task> stage, Action? then)
    {
        try
        {
            await stage(Stopping).ConfigureAwait(false);
        }
        catch (Exception fault)
        {
            Fail(fault);
            throw;
        }
        finally
        {
            then?.Invoke();
            End();
        }
    }

    private void End()
    {
        if (Interlocked.Decrement(ref _running) == 0)
        {
            _ended.SetResult();
        }
    }
}
