namespace MSOnlineBackup.Testing;

/// <summary>A clock that stands still until it is told. Timers fire, in order, on the thread that advances it.</summary>
public sealed class FakeClock(DateTimeOffset? start = null) : TimeProvider
{
    private readonly Lock _gate = new();
    private readonly List<FakeTimer> _timers = [];
    private DateTimeOffset _now = start ?? new DateTimeOffset(2024, 2, 29, 12, 0, 0, TimeSpan.Zero);
    private TimeSpan _elapsed;

    /// <summary>Whether nobody ever waits: a timer that is set moves the clock to its time at once.</summary>
    public bool SkipsWaits { get; init; }

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    /// <summary>How long anybody waited or the clock was advanced, jumps not counted.</summary>
    public TimeSpan Elapsed
    {
        get
        {
            lock (_gate)
            {
                return _elapsed;
            }
        }
    }

    public override DateTimeOffset GetUtcNow()
    {
        lock (_gate)
        {
            return _now;
        }
    }

    public override long GetTimestamp()
    {
        lock (_gate)
        {
            return _elapsed.Ticks;
        }
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new FakeTimer(this, () => callback(state));
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Lets time pass: the clock and the monotonic timestamp move, timers fire.</summary>
    public void Advance(TimeSpan by)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(by, TimeSpan.Zero);
        TimeSpan end;
        lock (_gate)
        {
            end = _elapsed + by;
        }

        while (TakeDue(end) is FakeTimer due)
        {
            due.Fire();
        }
    }

    /// <summary>Sets the wall clock, as an administrator or a bad time server does: nothing else moves, no timer fires.</summary>
    public void JumpTo(DateTimeOffset now)
    {
        lock (_gate)
        {
            _now = now;
        }
    }

    /// <summary>Moves to the earliest timer due until then and takes it; where there is none, moves to the end.</summary>
    private FakeTimer? TakeDue(TimeSpan end)
    {
        lock (_gate)
        {
            FakeTimer? due = _timers.Where(timer => timer.Due <= end).MinBy(timer => timer.Due);
            TimeSpan next = due?.Due ?? end;
            if (next > _elapsed)
            {
                _now += next - _elapsed;
                _elapsed = next;
            }

            if (due is null)
            {
                return null;
            }

            if (due.Period > TimeSpan.Zero)
            {
                due.Due += due.Period;
            }
            else
            {
                _timers.Remove(due);
            }

            return due;
        }
    }

    private sealed class FakeTimer(FakeClock clock, Action fire) : ITimer
    {
        public TimeSpan Due { get; set; }

        public TimeSpan Period { get; private set; }

        public void Fire() => fire();

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (clock._gate)
            {
                clock._timers.Remove(this);
                if (dueTime == Timeout.InfiniteTimeSpan)
                {
                    return true;
                }

                Due = clock._elapsed + dueTime;
                Period = period;
                clock._timers.Add(this);
            }

            // A repeating timer would never let a clock that skips waits come to rest.
            if (clock.SkipsWaits && period <= TimeSpan.Zero)
            {
                // On another thread: who sets a timer is not prepared for it to fire before the call returns.
                _ = Task.Run(() => clock.Advance(dueTime));
            }

            return true;
        }

        public void Dispose()
        {
            lock (clock._gate)
            {
                clock._timers.Remove(this);
            }
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
