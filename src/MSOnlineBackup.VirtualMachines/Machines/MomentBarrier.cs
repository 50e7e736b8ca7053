namespace MSOnlineBackup.VirtualMachines.Machines;

/// <summary>
/// What machines of a group wait at, so that all are held still before the disks of any are switched, and none is let go before those of all are. Whoever does not come holds nobody up for longer than the limit:
/// then there is no common moment, and each machine goes on by itself. May be used from any thread; a participant is at one step at a time.
/// </summary>
/// <remarks>Nobody is held still before all are ready for it, so that what takes its time, as connecting and preparing does, costs no guest anything.</remarks>
public sealed class MomentBarrier
{
    private readonly Lock _gate = new();
    private readonly TimeProvider _time;
    private readonly Dictionary<Step, Stage> _stages = Enum.GetValues<Step>().ToDictionary(step => step, _ => new Stage());
    private readonly TaskCompletionSource _broken = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly int _participants;
    private long? _firstHeld;

    /// <summary>Creates it.</summary>
    /// <param name="id">What tells this moment from any other: the points of the machines bear it.</param>
    /// <param name="group">What the group is called.</param>
    /// <param name="participants">How many machines there are, at least two.</param>
    /// <param name="time">The clock.</param>
    public MomentBarrier(string id, string group, int participants, TimeProvider time)
    {
        ArgumentException.ThrowIfNullOrEmpty(id);
        ArgumentException.ThrowIfNullOrEmpty(group);
        ArgumentOutOfRangeException.ThrowIfLessThan(participants, 2);
        ArgumentNullException.ThrowIfNull(time);
        (Id, Group, _participants, _time) = (id, group, participants, time);
    }

    private enum Step
    {
        Ready,
        Held,
        Switched,
        Released,
    }

    /// <summary>What tells this moment from any other.</summary>
    public string Id { get; }

    /// <summary>What the group is called.</summary>
    public string Group { get; }

    /// <summary>How long it is waited for others while guests are held still, from the first that is on. Less than the 10 seconds after which a guest is let go in any case.</summary>
    public static TimeSpan HeldLimit { get; } = TimeSpan.FromSeconds(8);

    /// <summary>How long it is waited for others while no guest is held.</summary>
    public static TimeSpan ReadyLimit { get; } = TimeSpan.FromMinutes(2);

    /// <summary>Why there is no common moment, the end of a sentence; null where there is, or it is not known yet.</summary>
    public string? Failure { get; private set; }

    /// <summary>Whether all machines were held still until the disks of all were switched.</summary>
    public bool IsMet
    {
        get
        {
            lock (_gate)
            {
                return Failure is null && _stages[Step.Released].Arrived == _participants;
            }
        }
    }

    /// <summary>A machine can be held still now. Returns when all can.</summary>
    /// <returns>Whether there can still be a common moment.</returns>
    public Task<bool> ReadyAsync(CancellationToken cancellationToken) => ArriveAsync(Step.Ready, cancellationToken);

    /// <summary>A machine is held still. Returns when all are.</summary>
    /// <inheritdoc cref="ReadyAsync"/>
    public Task<bool> HeldAsync(CancellationToken cancellationToken) => ArriveAsync(Step.Held, cancellationToken);

    /// <summary>The disks of a machine are switched. Returns when those of all are.</summary>
    /// <inheritdoc cref="ReadyAsync"/>
    public Task<bool> SwitchedAsync(CancellationToken cancellationToken) => ArriveAsync(Step.Switched, cancellationToken);

    /// <summary>A machine was let go. Returns when all are.</summary>
    /// <param name="machine">The machine.</param>
    /// <param name="lost">Why it was not held until then, the end of a sentence without its point; null where it was.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>Whether there was a common moment.</returns>
    public Task<bool> ReleasedAsync(string machine, string? lost, CancellationToken cancellationToken)
    {
        if (lost is not null)
        {
            Leave(machine, lost);
        }

        return ArriveAsync(Step.Released, cancellationToken);
    }

    /// <summary>A machine takes no further part: nobody waits for it. Of no effect where there was a common moment.</summary>
    /// <param name="machine">The machine.</param>
    /// <param name="why">Why, the end of a sentence without its point.</param>
    public void Leave(string machine, string why) => Break($"'{machine}' took no part in it: {why}", Step.Released);

    private async Task<bool> ArriveAsync(Step step, CancellationToken cancellationToken)
    {
        Task all;
        TimeSpan limit = ReadyLimit;
        lock (_gate)
        {
            if (Failure is not null)
            {
                return false;
            }

            Stage stage = _stages[step];
            if (++stage.Arrived == _participants)
            {
                stage.All.TrySetResult();
            }

            all = stage.All.Task;
            if (step is Step.Held or Step.Switched)
            {
                limit = HeldLimit - _time.GetElapsedTime(_firstHeld ??= _time.GetTimestamp());
            }
        }

        try
        {
            await Task.WhenAny(all, _broken.Task).WaitAsync(limit > TimeSpan.Zero ? limit : TimeSpan.Zero, _time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            Break(FormattableString.Invariant($"a machine of the group did not come within {(step is Step.Held or Step.Switched ? HeldLimit : ReadyLimit).TotalSeconds:0} s"), step);
        }

        lock (_gate)
        {
            return Failure is null;
        }
    }

    private void Break(string why, Step step)
    {
        lock (_gate)
        {
            // Who comes last, and the end of the time, may come together: then all have come.
            if (Failure is null && _stages[step].Arrived < _participants)
            {
                Failure = why;
                _broken.TrySetResult();
            }
        }
    }

    private sealed class Stage
    {
        public int Arrived { get; set; }

        public TaskCompletionSource All { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
