using MSOnlineBackup.Host.Documents;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Host.Rendering;

/// <summary>Text for people: results on standard output; progress, notes, skipped items and errors on standard error.</summary>
/// <param name="output">Standard output.</param>
/// <param name="error">Standard error.</param>
/// <param name="time">The clock.</param>
/// <param name="createDisplay">Makes the display of a job's progress.</param>
/// <param name="quiet">Whether only listings, skipped items and errors are written.</param>
/// <param name="debug">Whether an error shows where it came from.</param>
internal sealed class TextRenderer(
    TextWriter output, TextWriter error, TimeProvider time, Func<IProgressDisplay> createDisplay, bool quiet, bool debug) : IRenderer
{
    /// <summary>How many skipped items are named as they happen; the recovery point lists them all.</summary>
    internal const int MaxSkippedLines = 50;

    private readonly Lock _gate = new();
    private IProgressDisplay? _display;
    private int _skippedLines;

    public Task<T> FollowAsync<T>(Func<JobMonitor, Task<T>> job)
    {
        var monitor = new JobMonitor { WantsTotals = !quiet, ItemSkipped = Skip, VaultDamaged = Warn, Warned = Warn, Noted = Note };
        return FollowAsync(monitor.Snapshot, () => job(monitor));
    }

    public async Task<T> FollowAsync<T>(Func<JobProgress> read, Func<Task<T>> work)
    {
        if (quiet)
        {
            return await work().ConfigureAwait(false);
        }

        lock (_gate)
        {
            _display = createDisplay();
        }

        try
        {
            return await ProgressPump.FollowAsync(read, _display, time, work).ConfigureAwait(false);
        }
        finally
        {
            lock (_gate)
            {
                _display = null;
            }
        }
    }

    public void Item<T>(T document, Func<T, string> text)
        where T : Document
    {
        string line = VisibleText.Lines(text(document));
        lock (_gate)
        {
            output.WriteLine(line);
        }
    }

    public void Table<T>(IReadOnlyList<T> documents, TextTable<T> layout)
        where T : Document
    {
        lock (_gate)
        {
            layout.Write(output, documents);
        }
    }

    public void Note(string text)
    {
        if (!quiet)
        {
            WriteError(text);
        }
    }

    public void Finish(Summary summary, string text)
    {
        lock (_gate)
        {
            if (!quiet && text.Length > 0)
            {
                output.WriteLine(VisibleText.Lines(text));
            }

            output.Flush();
        }
    }

    public void Fail(Failure failure)
    {
        lock (_gate)
        {
            output.Flush();
        }

        WriteError($"obengine: {failure.Message}");
        WriteError($"  What to do: {failure.Action}");
        WriteError($"  Error id: {failure.Id}");
        if (debug && failure.Cause is not null)
        {
            WriteError(failure.Cause.ToString());
        }
    }

    public void Skip(SkippedItem item)
    {
        int line = Interlocked.Increment(ref _skippedLines);
        if (line <= MaxSkippedLines)
        {
            WriteError($"skipped: {item.Path}: {item.Reason} ({item.Id})");
        }
        else if (line == MaxSkippedLines + 1)
        {
            WriteError("skipped: … and more; the summary counts them, and 'obengine skipped POINT' lists those of a backup.");
        }
    }

    public void Warn(BackupException damage) => WriteError($"warning: {damage.Message} {damage.RecommendedAction}");

    private void WriteError(string text)
    {
        string line = VisibleText.Lines(text);
        lock (_gate)
        {
            if (_display is not null)
            {
                _display.WriteLine(line);
            }
            else
            {
                error.WriteLine(line);
            }
        }
    }
}
