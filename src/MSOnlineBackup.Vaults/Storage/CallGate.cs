namespace MSOnlineBackup.Vaults.Storage;

/// <summary>
/// Lets calls through to a store: as many at once as it bears, none while it throttles; and knows how long it has been away.
/// Half as many as were under way once it refuses one, one more after each full round that went well: a store that is away is
/// asked by one call at a time, and the others wait here for its answer.
/// </summary>
internal sealed class CallGate(int most, TimeProvider clock)
{
    private readonly int _most = most;
    private readonly Lock _gate = new();
    private readonly Queue<TaskCompletionSource<int>> _queue = new();
    private int _limit = most;
    private int _underWay;
    private int _wentWell;
    private int _round;
    private long? _awaySince;
    private long _closedUntil = clock.GetTimestamp();

    /// <summary>How many calls may be under way now, from 1.</summary>
    public int Limit
    {
        get
        {
            lock (_gate)
            {
                return _limit;
            }
        }
    }

    /// <summary>For how long every answer had been a refusal; zero or less where the last one was none, or the first of them came later.</summary>
    /// <param name="when">By then, a timestamp of the clock.</param>
    public TimeSpan AwayFor(long when)
    {
        lock (_gate)
        {
            return _awaySince is { } since ? clock.GetElapsedTime(since, when) : TimeSpan.Zero;
        }
    }

    /// <summary>Waits for a place. Returns the round, to be named on leaving.</summary>
    public async ValueTask<int> EnterAsync(CancellationToken cancellationToken)
    {
        int round = await TakePlaceAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            for (TimeSpan closed = ClosedFor(); closed > TimeSpan.Zero; closed = ClosedFor())
            {
                await Task.Delay(closed, clock, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            Leave();
            throw;
        }

        return round;
    }

    /// <summary>Leaves without an answer.</summary>
    public void Leave()
    {
        lock (_gate)
        {
            MakeRoom();
        }
    }

    /// <summary>Leaves with an answer.</summary>
    public void LeaveAnswered()
    {
        lock (_gate)
        {
            // A limit that nobody comes up to has not been tried.
            if (_underWay >= _limit && _limit < _most && ++_wentWell >= _limit)
            {
                _limit++;
                _wentWell = 0;
            }

            _awaySince = null;
            MakeRoom();
        }
    }

    /// <summary>Leaves refused. What was under way when the limit was halved does not halve it again.</summary>
    /// <param name="round">From <see cref="EnterAsync"/>.</param>
    /// <param name="closedFor">For how long nobody shall ask; zero for not at all.</param>
    public void LeaveRefused(int round, TimeSpan closedFor)
    {
        lock (_gate)
        {
            if (round == _round)
            {
                _round++;
                _limit = Math.Max(1, Math.Min(_limit, _underWay) / 2);
                _wentWell = 0;
            }

            long now = clock.GetTimestamp();
            _awaySince ??= now;
            _closedUntil = Math.Max(_closedUntil, now + (long)(closedFor.TotalSeconds * clock.TimestampFrequency));
            MakeRoom();
        }
    }

    private Task<int> TakePlaceAsync(CancellationToken cancellationToken)
    {
        TaskCompletionSource<int> turn;
        lock (_gate)
        {
            if (_underWay < _limit)
            {
                _underWay++;
                return Task.FromResult(_round);
            }

            turn = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
            _queue.Enqueue(turn);
        }

        return WaitAsync();

        async Task<int> WaitAsync()
        {
            using CancellationTokenRegistration _ = cancellationToken.UnsafeRegister(static (turn, token) => ((TaskCompletionSource<int>)turn!).TrySetCanceled(token), turn);
            return await turn.Task.ConfigureAwait(false);
        }
    }

    private TimeSpan ClosedFor()
    {
        lock (_gate)
        {
            return clock.GetElapsedTime(clock.GetTimestamp(), _closedUntil);
        }
    }

    private void MakeRoom()
    {
        _underWay--;
        while (_underWay < _limit && _queue.TryDequeue(out TaskCompletionSource<int>? next))
        {
            // Whoever was cancelled meanwhile takes no place.
            if (next.TrySetResult(_round))
            {
                _underWay++;
            }
        }
    }
}
