using System.Diagnostics.CodeAnalysis;

namespace MSOnlineBackup.Vaults.Storage;

/// <summary>
/// How fast bytes may pass, all connections and both directions together. The limit is asked for anew before each grant, so that
/// one that changes with the hour holds at once. Whoever asks is served in turn, a little at a time.
/// </summary>
/// <param name="bitsPerSecond">The limit now, in bits a second, at least 1; null for none. Called often, from any thread.</param>
/// <param name="time">The clock.</param>
[SuppressMessage("Design", "CA1001", Justification = "A semaphore whose wait handle nobody asks for holds nothing.")]
public sealed class Bandwidth(Func<long?> bitsPerSecond, TimeProvider time)
{
    // One grant is so many milliseconds of the line: small, so that a change of the limit and the next in turn wait no longer.
    private const int GrantMilliseconds = 20;

    // What the line had free may be caught up on for so long: timers are late by some milliseconds, and that must not slow it.
    private const int ArrearsMilliseconds = 100;

    // A timer for less returns at once, and the wait would spin.
    private static readonly TimeSpan _shortestWait = TimeSpan.FromMilliseconds(1);

    // The holder waits for the line, all others for their turn. Waiters of a SemaphoreSlim are released in the order in which they came.
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly long _arrears = time.TimestampFrequency * ArrearsMilliseconds / 1000;

    // Until when the line is taken by what was granted. Touched only by the holder of the turn.
    private long _taken = time.GetTimestamp();

    /// <summary>The limit in force, in bits a second; null for none.</summary>
    public long? Limit => bitsPerSecond();

    /// <summary>Waits until some of <paramref name="wanted"/> bytes may pass.</summary>
    /// <param name="wanted">How many are there to pass; at least 1.</param>
    /// <param name="cancellationToken">Ends the wait; nothing is taken then.</param>
    /// <returns>How many may pass now, 1 to <paramref name="wanted"/>; all, where there is no limit.</returns>
    /// <exception cref="OperationCanceledException">The wait was ended.</exception>
    public async ValueTask<int> TakeAsync(int wanted, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(wanted);
        if (Limit is null)
        {
            return wanted;
        }

        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            while (Limit is long limit)
            {
                ArgumentOutOfRangeException.ThrowIfNegativeOrZero(limit, nameof(Limit));
                long now = time.GetTimestamp();
                if (_taken <= now)
                {
                    int granted = (int)Math.Clamp(limit / 8 * GrantMilliseconds / 1000, 1, wanted);
                    _taken = Math.Max(_taken, now - _arrears) + (long)Math.Ceiling(granted * 8.0 / limit * time.TimestampFrequency);
                    return granted;
                }

                TimeSpan wait = time.GetElapsedTime(now, _taken);
                await Task.Delay(wait > _shortestWait ? wait : _shortestWait, time, cancellationToken).ConfigureAwait(false);
            }

            return wanted;
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Waits until <paramref name="bytes"/> have passed: for bytes that are there already, as those are that were fetched.</summary>
    /// <param name="bytes">How many; at least 0.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="OperationCanceledException">The wait was ended.</exception>
    public async ValueTask PassAsync(int bytes, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        while (bytes > 0)
        {
            bytes -= await TakeAsync(bytes, cancellationToken).ConfigureAwait(false);
        }
    }
}
