using MSOnlineBackup.Host.Documents;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Host.Rendering;

/// <summary>JSON lines on standard output, nothing else, whatever happens.</summary>
internal sealed class JsonRenderer(TextWriter output, TimeProvider time, bool quiet, bool debug) : IRenderer, IProgressDisplay
{
    private readonly Lock _gate = new();

    public TimeSpan Interval { get; } = TimeSpan.FromSeconds(1);

    public Task<T> FollowAsync<T>(Func<JobMonitor, Task<T>> job)
    {
        var monitor = new JobMonitor { WantsTotals = !quiet, ItemSkipped = Skip, VaultDamaged = Warn, Warned = Warn, Noted = Note };
        return FollowAsync(monitor.Snapshot, () => job(monitor));
    }

    public Task<T> FollowAsync<T>(Func<JobProgress> read, Func<Task<T>> work) =>
        quiet ? work() : ProgressPump.FollowAsync(read, this, time, work);

    public void Show(ProgressReading reading) => Write(
        new ProgressLine(
            reading.Counters.Phase,
            Math.Round(reading.Elapsed.TotalSeconds, 3),
            reading.Counters.Items,
            reading.Counters.Files,
            reading.Counters.Bytes,
            reading.Counters.ReadBytes,
            reading.Counters.NewBytes,
            reading.Counters.StoredBytes,
            reading.Counters.Skipped,
            reading.Counters.TotalFiles,
            reading.Counters.TotalBytes,
            Math.Round(reading.BytesPerSecond),
            reading.Remaining is { } remaining ? Math.Round(remaining.TotalSeconds) : null,
            reading.Counters.CurrentItem,
            reading.Counters.Wait?.Cause,
            reading.Counters.Wait?.Until),
        flush: true);

    public void Item<T>(T document, Func<T, string> text)
        where T : Document => Write(document, flush: false);

    public void Table<T>(IReadOnlyList<T> documents, TextTable<T> layout)
        where T : Document
    {
        foreach (T document in documents)
        {
            Write(document, flush: false);
        }
    }

    public void Note(string text)
    {
        if (!quiet)
        {
            Write(new NoteLine(text), flush: true);
        }
    }

    public void Finish(Summary summary, string text) => Write(summary, flush: true);

    public void Fail(Failure failure) => Write(
        new ErrorLine(
            failure.Id,
            failure.Message,
            failure.Action,
            failure.Target,
            (int)failure.ExitCode,
            debug ? failure.Cause?.ToString() : null),
        flush: true);

    public void WriteLine(string line) => Note(line);

    public ValueTask CloseAsync() => ValueTask.CompletedTask;

    public void Skip(SkippedItem item) => Write(new SkippedLine(item.Path, item.Id, item.Reason), flush: false);

    public void Warn(BackupException damage) => Write(new NoteLine($"warning: {damage.Message} {damage.RecommendedAction}"), flush: true);

    private void Write(Document document, bool flush)
    {
        string line = DocumentJson.Write(document);
        lock (_gate)
        {
            output.WriteLine(line);
            if (flush)
            {
                output.Flush();
            }
        }
    }
}
