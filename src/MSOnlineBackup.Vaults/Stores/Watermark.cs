namespace MSOnlineBackup.Vaults.Stores;

/// <summary>Counts work that begins in one order and ends in another, and tells when all that had begun has ended.</summary>
internal sealed class Watermark
{
    private readonly Lock _gate = new();
    private readonly SortedSet<long> _open = [];
    private readonly List<(long Through, TaskCompletionSource Reached)> _waiters = [];
    private long _last;

    public long Begin()
    {
        lock (_gate)
        {
            _open.Add(++_last);
            return _last;
        }
    }

    public void End(long ticket)
    {
        lock (_gate)
        {
            _open.Remove(ticket);
            long reached = _open.Count == 0 ? _last : _open.Min - 1;
            for (int i = _waiters.Count - 1; i >= 0; i--)
            {
                if (_waiters[i].Through <= reached)
                {
                    _waiters[i].Reached.SetResult();
                    _waiters.RemoveAt(i);
                }
            }
        }
    }

    /// <summary>Completes when everything that has begun before the call has ended.</summary>
    public Task WhenEndedAsync()
    {
        lock (_gate)
        {
            if (_open.Count == 0)
            {
                return Task.CompletedTask;
            }

            var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiters.Add((_last, reached));
            return reached.Task;
        }
    }
}
