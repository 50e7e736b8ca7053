using MSOnlineBackup.Host.Documents;

namespace MSOnlineBackup.Host.Drill;

/// <summary>The steps of a drill and how long each took.</summary>
internal sealed class DrillSteps(TimeProvider time)
{
    private readonly List<StepLine> _steps = [];

    /// <summary>The steps done so far.</summary>
    public IReadOnlyList<StepLine> Done => _steps;

    /// <summary>Does a step.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="step">What to do.</param>
    /// <param name="measure">How many items and bytes that was.</param>
    public async Task<T> RunAsync<T>(string name, Func<Task<T>> step, Func<T, (long Items, long Bytes)> measure)
    {
        long start = time.GetTimestamp();
        T result = await step().ConfigureAwait(false);
        (long items, long bytes) = measure(result);
        _steps.Add(new StepLine(name, items, bytes, Math.Round(time.GetElapsedTime(start).TotalSeconds, 3)));
        return result;
    }
}
