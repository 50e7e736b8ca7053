using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Progress;

namespace MSOnlineBackup.Engine.Backup;

/// <summary>
/// How much a backup will have to do, before it is done: of a source that an earlier point has, what it had; of another one, what a walk ahead
/// finds, beside the backup. An estimate: files come and go.
/// </summary>
internal sealed class Forecast : IAsyncDisposable
{
    private readonly JobMonitor _monitor;
    private readonly Func<BackupSource, ISourceTree> _open;
    private readonly (long Files, long Bytes)?[] _sources;
    private readonly CancellationTokenSource _stop;
    private Task _walking = Task.CompletedTask;

    private Forecast(BackupRequest request, JobMonitor monitor, CancellationToken stop)
    {
        _sources = new (long, long)?[request.Sources.Count];
        _open = request.OpenSource ?? Open;
        _monitor = monitor;
        _stop = CancellationTokenSource.CreateLinkedTokenSource(stop);
    }

    /// <summary>Tells the monitor what earlier points know, and has the rest walked where the monitor wants totals. Disposing stops the walk.</summary>
    public static async Task<Forecast> BeginAsync(
        BackupRequest request, Earlier earlier, JobMonitor monitor, CancellationToken stop)
    {
        var forecast = new Forecast(request, monitor, stop);
        await forecast.RecallAsync(request.Sources, earlier).ConfigureAwait(false);
        if (monitor.WantsTotals && forecast._sources.Contains(null))
        {
            forecast._walking = Task.Run(() => forecast.WalkRest(request.Sources), CancellationToken.None);
        }

        return forecast;
    }

    /// <summary>Bytes that sources hold in all.</summary>
    /// <inheritdoc cref="MeasureEachAsync"/>
    public static async Task<long> MeasureAsync(BackupRequest request, Earlier? earlier, CancellationToken stop) =>
        (await MeasureEachAsync(request, earlier, stop).ConfigureAwait(false)).Sum();

    /// <summary>Bytes that each source holds; 0 where that cannot be told.</summary>
    /// <param name="request">Which, and how they are opened.</param>
    /// <param name="earlier">What is believed of them; null where all are walked.</param>
    /// <param name="stop">Stops it.</param>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public static async Task<IReadOnlyList<long>> MeasureEachAsync(BackupRequest request, Earlier? earlier, CancellationToken stop)
    {
        await using var forecast = new Forecast(request, new JobMonitor(), stop);
        if (earlier is not null)
        {
            await forecast.RecallAsync(request.Sources, earlier).ConfigureAwait(false);
        }

        await Task.Run(() => forecast.WalkRest(request.Sources), CancellationToken.None).ConfigureAwait(false);
        stop.ThrowIfCancellationRequested();
        return [.. forecast._sources.Select(source => source?.Bytes ?? 0)];
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _walking.ConfigureAwait(false);
        _stop.Dispose();
    }

    private static ISourceTree Open(BackupSource source) => source is BackupSource.Tree tree
        ? SourceTrees.Open(tree.Path, tree.Selection)
        : throw new ArgumentOutOfRangeException(nameof(source), source, "Only trees can be walked ahead.");

    private async Task RecallAsync(IReadOnlyList<BackupSource> sources, Earlier earlier)
    {
        for (int index = 0; index < sources.Count; index++)
        {
            if (sources[index] is BackupSource.Composed composed)
            {
                Expect(index, composed.Files.Count, composed.Files.Sum(file => file.Length));
            }
            else if (sources[index] is BackupSource.Tree tree && PathOf(tree) is { } path
                && await earlier.PreviousAsync(BackupJob.PathsOf(tree, path)).ConfigureAwait(false) is { Source: { } previous })
            {
                Expect(index, previous.Manifest.Files, previous.Manifest.Bytes);
            }
        }

        ExpectAll();
    }

    private static string? PathOf(BackupSource.Tree source)
    {
        try
        {
            return SourceTrees.RootPathOf(source.Path);
        }
        catch (BackupException)
        {
            // The backup itself says what is wrong with it.
            return null;
        }
    }

    private void WalkRest(IReadOnlyList<BackupSource> sources)
    {
        for (int index = 0; index < sources.Count; index++)
        {
            if (_sources[index] is null && sources[index] is BackupSource.Tree)
            {
                Walk(index, sources[index]);
            }
        }

        ExpectAll();
    }

    // What cannot be walked stays unknown: the backup itself says what is wrong with it.
    private void Walk(int index, BackupSource source)
    {
        try
        {
            using ISourceTree tree = _open(source);
            (long files, long bytes) = (0, 0);
            foreach (SourceItem item in tree.Walk(_stop.Token))
            {
                _stop.Token.ThrowIfCancellationRequested();
                if (item.Entry.Kind == EntryKind.File)
                {
                    files++;
                    bytes += item.Entry.Size;
                }
            }

            Expect(index, files, bytes);
        }
        catch (Exception e) when (e is BackupException or OperationCanceledException)
        {
            return;
        }
    }

    private void Expect(int index, long files, long bytes)
    {
        _sources[index] = (files, bytes);
        _monitor.ExpectOfSource(index, files, bytes);
    }

    private void ExpectAll()
    {
        if (!_sources.Contains(null))
        {
            _monitor.Expect(_sources.Sum(source => source!.Value.Files), _sources.Sum(source => source!.Value.Bytes));
        }
    }
}
