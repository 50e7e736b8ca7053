using MSOnlineBackup.Vaults.Progress;

namespace MSOnlineBackup.Host.Rendering;

/// <summary>A line a minute, for logs.</summary>
internal sealed class PlainProgress(TextWriter error) : IProgressDisplay
{
    public TimeSpan Interval { get; } = TimeSpan.FromMinutes(1);

    public void Show(ProgressReading reading) => error.WriteLine(Describe(reading));

    public void WriteLine(string line) => error.WriteLine(line);

    public ValueTask CloseAsync() => ValueTask.CompletedTask;

    internal static string Describe(ProgressReading reading)
    {
        JobProgress counters = reading.Counters;
        var parts = new List<string>
        {
            $"{counters.Phase}, {Quantity.Duration(reading.Elapsed)}: {Quantity.Size(counters.Bytes)}{Total(reading)}",
            $"{Quantity.Count(counters.Files, "file")}",
            Quantity.Rate(reading.BytesPerSecond),
        };
        if (counters.StoredBytes > 0 || counters.NewBytes > 0)
        {
            parts.Add($"new {Quantity.Size(counters.NewBytes)}, stored {Quantity.Size(counters.StoredBytes)}");
        }

        if (counters.Skipped > 0)
        {
            parts.Add($"{Quantity.Count(counters.Skipped)} skipped");
        }

        if (reading.Remaining is { } remaining)
        {
            parts.Add($"{Quantity.Duration(remaining)} left");
        }

        if (counters.Wait is { } wait)
        {
            parts.Add($"waiting for the vault: {wait.Cause}");
        }

        return string.Join(", ", parts);
    }

    private static string Total(ProgressReading reading) => reading.Fraction is { } fraction
        ? $" of {Quantity.Size(reading.Counters.TotalBytes!.Value)} ({Quantity.Percent(fraction)})"
        : "";
}
