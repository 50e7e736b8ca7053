using System.Collections.Concurrent;
using System.Management.Automation;
using MSOnlineBackup.Errors;
using MSOnlineBackup.Vaults.Errors;

// The pipeline's thread must wait: that is what this type is for. It has no synchronisation context that the work could need.
#pragma warning disable VSTHRD002

namespace MSOnlineBackup.Cmdlets;

/// <summary>
/// Between work on the thread pool and the pipeline's thread, the only one that may write. Every method but <see cref="Run"/> is for any thread;
/// once the pipeline is stopped they do nothing, so that the work can end in order.
/// </summary>
internal sealed class CmdletPump
{
    // A screen shows no more, and drawing costs more than counting.
    private const int DrawIntervalMilliseconds = 200;

    // For work that does not end though it was told to: a vault whose file system hangs must not take the session with it.
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    private readonly PSCmdlet _cmdlet;
    private readonly CancellationTokenSource _stop;
    private readonly object _gate = new();
    private readonly Queue<Action> _writes = [];
    private readonly ConcurrentDictionary<int, ProgressRecord> _progress = [];
    private readonly HashSet<int> _drawn = [];
    private bool _closed;

    /// <summary>Creates a pump for one piece of work.</summary>
    /// <param name="cmdlet">Writes.</param>
    /// <param name="stop">Stops the work: cancelled by the pipeline's end, and by the pump when nobody takes what it writes any more.</param>
    public CmdletPump(PSCmdlet cmdlet, CancellationTokenSource stop)
    {
        _cmdlet = cmdlet;
        _stop = stop;
    }

    /// <summary>Writes an object and waits until the rest of the pipeline has taken it, so that a slow consumer slows the work.</summary>
    /// <exception cref="OperationCanceledException">The pipeline was stopped.</exception>
    public Task WriteObjectAsync(object value)
    {
        // Continuations must not run on the pipeline's thread: they might wait for it.
        var taken = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(() =>
        {
            _cmdlet.WriteObject(value);
            taken.SetResult();
        });
        return taken.Task.WaitAsync(_stop.Token);
    }

    /// <summary>Writes a line for who follows closely.</summary>
    public void WriteVerbose(string text) => Post(() => _cmdlet.WriteVerbose(text));

    /// <summary>Writes a warning.</summary>
    public void WriteWarning(string text) => Post(() => _cmdlet.WriteWarning(text));

    /// <summary>Writes a line that people see and no variable gets.</summary>
    public void WriteLine(string text) => Post(() => _cmdlet.WriteInformation(new HostInformationMessage { Message = text }, ["PSHOST"]));

    /// <summary>Reports an error after which the work goes on.</summary>
    public void WriteError(BackupException error) => Post(() => _cmdlet.WriteError(ErrorRecords.From(error)));

    /// <summary>Shows how far the work is. Of several at once only the newest of an activity is drawn; when the work ends, all are taken away.</summary>
    public void WriteProgress(ProgressRecord progress) => _progress[progress.ActivityId] = progress;

    /// <summary>Runs the work to its end while this thread, the pipeline's, writes.</summary>
    public void Run(Func<CmdletPump, CancellationToken, Task> work)
    {
        CancellationToken cancellationToken = _stop.Token;
        Task task = Task.Run(
            async () =>
            {
                try
                {
                    await work(this, cancellationToken).ConfigureAwait(false);
                }
                finally
                {
                    Close();
                }
            },
            CancellationToken.None);
        try
        {
            WriteUntilClosed(cancellationToken);
            TakeProgressAway();
        }
        catch
        {
            // Ctrl+C, Select-Object -First, -ErrorAction Stop, or a consumer that failed: whatever it was, the work ends in order first.
            StopInOrder(task);
            throw;
        }

        if (cancellationToken.IsCancellationRequested)
        {
            StopInOrder(task);
            throw new PipelineStoppedException();
        }

        // It has ended: nothing is waited for, and its exception comes as it is.
        task.GetAwaiter().GetResult();
    }

    private void WriteUntilClosed(CancellationToken cancellationToken)
    {
        long drawn = Environment.TickCount64;
        while (!cancellationToken.IsCancellationRequested && WaitForWrite(out Action? write))
        {
            write?.Invoke();
            if (Environment.TickCount64 - drawn >= DrawIntervalMilliseconds)
            {
                DrawProgress();
                drawn = Environment.TickCount64;
            }
        }
    }

    /// <summary>Waits until there is something to write, or it is time to draw; false when the last was written and no more comes.</summary>
    private bool WaitForWrite(out Action? write)
    {
        lock (_gate)
        {
            if (_writes.Count == 0 && !_closed)
            {
                Monitor.Wait(_gate, DrawIntervalMilliseconds);
            }

            return _writes.TryDequeue(out write) || !_closed;
        }
    }

    private void DrawProgress()
    {
        foreach (int activity in _progress.Keys)
        {
            if (_progress.TryRemove(activity, out ProgressRecord? progress))
            {
                _cmdlet.WriteProgress(progress);
                _drawn.Add(activity);
            }
        }
    }

    private void TakeProgressAway()
    {
        foreach (int activity in _drawn)
        {
            _cmdlet.WriteProgress(new ProgressRecord(activity, "Done", "Done") { RecordType = ProgressRecordType.Completed });
        }
    }

    private void StopInOrder(Task task)
    {
        Close();
        _stop.Cancel();

        // That it has cleaned up matters; its result no longer does.
        Task.WaitAny([task], _patience);
    }

    private void Post(Action write)
    {
        lock (_gate)
        {
            if (!_closed)
            {
                _writes.Enqueue(write);
                Monitor.Pulse(_gate);
            }
        }
    }

    private void Close()
    {
        lock (_gate)
        {
            _closed = true;
            Monitor.Pulse(_gate);
        }
    }
}
