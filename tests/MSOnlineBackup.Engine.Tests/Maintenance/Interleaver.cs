namespace MSOnlineBackup.Engine.Tests.Maintenance;

/// <summary>What happens to one who works on a vault.</summary>
internal enum Fate
{
    Lives,

    /// <summary>All calls from some point on fail, and nothing of them is done.</summary>
    Dies,

    /// <summary>One call is done, and reported as failed; the connection is gone after it.</summary>
    IsAnsweredLate,

    /// <summary>Nothing can be created from some point on.</summary>
    FillsDisk,

    /// <summary>Nothing can be deleted from some point on.</summary>
    IsRefused,
}

/// <summary>
/// Decides, by chance from a seed, in which order the calls of several who work on one vault are done. One may stand still while others do hundreds of calls.
/// Time is counted in calls, so nobody waits for a clock.
/// </summary>
internal sealed class Interleaver(int seed)
{
    private readonly Lock _gate = new();
    private readonly Random _random = new(seed);
    private readonly List<(int Actor, long Due, TaskCompletionSource Go)> _waiting = [];
    private readonly Dictionary<int, int> _running = [];
    private long _now;

    /// <summary>Runs them side by side.</summary>
    public Task RunAsync(IEnumerable<Func<int, Task>> actors)
    {
        List<Func<int, Task>> all = [.. actors];
        lock (_gate)
        {
            for (int actor = 0; actor < all.Count; actor++)
            {
                _running[actor] = 0;
            }
        }

        return Task.WhenAll(all.Select((act, actor) => Task.Run(async () =>
        {
            try
            {
                await act(actor);
            }
            finally
            {
                lock (_gate)
                {
                    _running.Remove(actor);
                    ReleaseIfAllStand();
                }
            }
        })));
    }

    /// <summary>Waits until it is the actor's turn.</summary>
    public Task EnterAsync(int actor)
    {
        lock (_gate)
        {
            _now++;
            ReleaseDue();
            int chance = _random.Next(100);
            int pause = chance < 85 ? 0 : chance < 97 ? _random.Next(1, 30) : _random.Next(30, 600);
            if (pause == 0)
            {
                return Task.CompletedTask;
            }

            var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Add((actor, _now + pause, go));
            _running[actor]++;
            ReleaseIfAllStand();
            return go.Task;
        }
    }

    /// <summary>Says that a call is done: its actor may have nothing else to do than to wait for calls of its own that stand still.</summary>
    public void Leave()
    {
        lock (_gate)
        {
            ReleaseIfAllStand();
        }
    }

    private void ReleaseDue()
    {
        foreach ((int Actor, long Due, TaskCompletionSource Go) waiting in _waiting.Where(waiting => waiting.Due <= _now).ToList())
        {
            Release(waiting);
        }
    }

    // Where everybody stands still, time passes until one goes on.
    private void ReleaseIfAllStand()
    {
        if (_waiting.Count > 0 && _running.Values.All(standing => standing > 0))
        {
            (int Actor, long Due, TaskCompletionSource Go) next = _waiting.MinBy(waiting => waiting.Due);
            _now = Math.Max(_now, next.Due);
            Release(next);
        }
    }

    private void Release((int Actor, long Due, TaskCompletionSource Go) waiting)
    {
        _waiting.Remove(waiting);
        if (_running.TryGetValue(waiting.Actor, out int standing))
        {
            _running[waiting.Actor] = standing - 1;
        }

        waiting.Go.SetResult();
    }
}
