using MSOnlineBackup.Vaults.Progress;

namespace MSOnlineBackup.Host.Rendering;

/// <summary>A job's counters and what they say about its pace.</summary>
/// <param name="Counters">The counters.</param>
/// <param name="Elapsed">Since the job began.</param>
/// <param name="BytesPerSecond">Bytes of content done, over the last half minute.</param>
/// <param name="Fraction">How much is done, 0 to 1; null while the whole is unknown.</param>
/// <param name="Remaining">How long it will take at this pace; null while that would be a guess.</param>
internal sealed record ProgressReading(
    JobProgress Counters, TimeSpan Elapsed, double BytesPerSecond, double? Fraction, TimeSpan? Remaining);

/// <summary>Works out pace and remaining time from successive readings of the counters.</summary>
internal sealed class ProgressEstimate(TimeProvider time)
{
    private static readonly TimeSpan _window = TimeSpan.FromSeconds(30);

    // Before both of these a remaining time says more about the start of the job than about its end.
    private static readonly TimeSpan _minElapsed = TimeSpan.FromSeconds(5);
    private const double MinFraction = 0.01;

    private readonly long _start = time.GetTimestamp();
    private readonly Queue<(TimeSpan At, long Bytes)> _samples = new([(TimeSpan.Zero, 0)]);

    /// <summary>Takes the next reading.</summary>
    public ProgressReading Read(JobProgress counters)
    {
        TimeSpan elapsed = time.GetElapsedTime(_start);
        while (_samples.Count > 1 && elapsed - _samples.Peek().At > _window)
        {
            _samples.Dequeue();
        }

        (TimeSpan since, long before) = _samples.Peek();
        _samples.Enqueue((elapsed, counters.Bytes));
        double seconds = (elapsed - since).TotalSeconds;
        double rate = seconds > 0 ? Math.Max(0, counters.Bytes - before) / seconds : 0;

        // The total of a backup is the previous one's: an estimate that may be overtaken.
        double? fraction = counters.TotalBytes is > 0 and long total && counters.Bytes <= total ? (double)counters.Bytes / total : null;
        TimeSpan? remaining = fraction >= MinFraction && elapsed >= _minElapsed && rate >= 1
            ? TimeSpan.FromSeconds((counters.TotalBytes!.Value - counters.Bytes) / rate)
            : null;
        return new ProgressReading(counters, elapsed, rate, fraction, remaining);
    }
}
