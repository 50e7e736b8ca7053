using System.Diagnostics;

namespace MSOnlineBackup.Jobs;

/// <summary>How fast a job is, over the last half minute, and how long it will take at that.</summary>
internal sealed class JobPace
{
    private static readonly TimeSpan _window = TimeSpan.FromSeconds(30);

    // Before this a remaining time says more about the start of the job than about its end.
    private static readonly TimeSpan _minElapsed = TimeSpan.FromSeconds(5);

    private readonly long _start = Stopwatch.GetTimestamp();
    private readonly Queue<(TimeSpan At, long Bytes)> _samples = new([(TimeSpan.Zero, 0)]);

    /// <summary>Takes the next reading. Bytes a second, and what remains; null while that would be a guess.</summary>
    /// <param name="done">Bytes that are done.</param>
    /// <param name="total">Bytes in all; 0 while unknown.</param>
    public (double BytesPerSecond, TimeSpan? Remaining) Read(long done, long total)
    {
        TimeSpan elapsed = Stopwatch.GetElapsedTime(_start);
        while (_samples.Count > 1 && elapsed - _samples.Peek().At > _window)
        {
            _samples.Dequeue();
        }

        (TimeSpan since, long before) = _samples.Peek();
        _samples.Enqueue((elapsed, done));
        double seconds = (elapsed - since).TotalSeconds;
        double rate = seconds > 0 ? Math.Max(0, done - before) / seconds : 0;
        bool isFounded = elapsed >= _minElapsed && rate >= 1 && total >= done;
        return (rate, isFounded ? TimeSpan.FromSeconds(Math.Min((total - done) / rate, int.MaxValue)) : null);
    }
}
