namespace MSOnlineBackup.Engine.Storage;

/// <summary>
/// How fast bytes may pass, all connections together. The limit is asked for again all the time, so that one that changes with
/// the hour holds at once.
/// </summary>
/// <param name="bitsPerSecond">The limit now, in bits a second; null for none. Called often, from any thread.</param>
/// <param name="time">The clock.</param>
public sealed class Bandwidth(Func<long?> bitsPerSecond, TimeProvider time)
{
    // Longer waits would overshoot the moment at which the limit changes.
    private static readonly TimeSpan s_longestWait = TimeSpan.FromMilliseconds(200);

    private readonly Lock _gate = new();
    private long _free = time.GetTimestamp();

    /// <summary>The limit in force, in bits a second; null for none.</summary>
    public long? Limit => bitsPerSecond();

    /// <summary>Returns when <paramref name="bytes"/> may pass: few kilobytes at a time, so that the line is used evenly.</summary>
    public async ValueTask PassAsync(int bytes, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        double left = bytes;
        while (left > 0 && Limit is long limit)
        {
            TimeSpan wait;
            lock (_gate)
            {
                long now = time.GetTimestamp();
                long start = Math.Max(_free, now);
                wait = time.GetElapsedTime(now, start);
                if (wait <= s_longestWait)
                {
                    double share = Math.Min(left, Math.Max(1, limit / 8.0 * s_longestWait.TotalSeconds));
                    _free = start + (long)(share * 8 / limit * time.TimestampFrequency);
                    left -= share;
                }
            }

            if (wait > TimeSpan.Zero)
            {
                await Task.Delay(wait < s_longestWait ? wait : s_longestWait, time, cancellationToken).ConfigureAwait(false);
            }
        }
    }
}
