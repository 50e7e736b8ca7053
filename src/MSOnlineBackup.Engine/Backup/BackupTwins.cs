using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Copies;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Engine.Backup;

/// <summary>
/// The twins that a backup goes to as well. Each is fed with what the vault gets, and then gets by a copy what it lacks, the point last. So it is never worse off than by a copy alone,
/// and the vault by none of it.
/// </summary>
internal sealed class BackupTwins : IAsyncDisposable
{
    // As long as a backup that is stopped waits for the vault.
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(20);

    // What is read first would not go along with a twin that is opened at the same moment. Nobody waits longer for one that is away.
    private static readonly TimeSpan _headStart = TimeSpan.FromSeconds(5);

    private readonly CancellationToken _stop;
    private readonly CancellationTokenSource _late;
    private readonly CancellationTokenRegistration _stopped;
    private readonly List<(string Location, TwinFeed Feed)> _twins;

    private BackupTwins(UnlockedVault vault, IReadOnlyList<TwinPlace> twins, CancellationToken stop)
    {
        _stop = stop;
        _late = new CancellationTokenSource(Timeout.InfiniteTimeSpan, vault.Options.TimeProvider);
        _stopped = stop.Register(() => _late.CancelAfter(_patience));
        _twins = [.. twins.Select(twin => (twin.Location, TwinFeed.Begin(vault, twin.OpenAsync, stop, _late.Token)))];
    }

    /// <summary>Are shown what the backup stores.</summary>
    public IReadOnlyList<IChunkTap> Taps => [.. _twins.Select(twin => twin.Feed)];

    /// <summary>Begins to feed twins, and waits for a moment for those that need it.</summary>
    /// <param name="vault">The vault.</param>
    /// <param name="twins">Its twins.</param>
    /// <param name="stop">Stops it.</param>
    public static async Task<BackupTwins> BeginAsync(UnlockedVault vault, IReadOnlyList<TwinPlace> twins, CancellationToken stop)
    {
        var begun = new BackupTwins(vault, twins, stop);
        using var patience = new CancellationTokenSource(_headStart, vault.Options.TimeProvider);
        await Task.WhenAny(Task.WhenAll(begun._twins.Select(twin => twin.Feed.Beginning)), Task.Delay(Timeout.InfiniteTimeSpan, patience.Token)).ConfigureAwait(false);
        return begun;
    }

    /// <summary>Once the vault has the point: has every twin get what it lacks, one after the other. A failure is told, and thrown by nobody.</summary>
    public async Task<IReadOnlyList<BackupCopy>> CompleteAsync(RecoveryPoint point, JobMonitor monitor)
    {
        var copies = new List<BackupCopy>();
        foreach ((string location, TwinFeed feed) in _twins)
        {
            monitor.WorkOn(() => $"copy to {location}");
            BackupCopy copy = await CompleteAsync(location, feed, point).ConfigureAwait(false);
            if (copy.Failure is { } failure)
            {
                monitor.Warn(failure);
            }

            copies.Add(copy);
        }

        return copies;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach ((_, TwinFeed feed) in _twins)
        {
            await feed.DisposeAsync().ConfigureAwait(false);
        }

        await _stopped.DisposeAsync().ConfigureAwait(false);
        _late.Dispose();
    }

    private async Task<BackupCopy> CompleteAsync(string location, TwinFeed feed, RecoveryPoint point)
    {
        try
        {
            VaultCopyReport report = await feed.CopyAsync(new VaultCopyRequest { Machine = point.MachineId }, _stop).ConfigureAwait(false);
            return new BackupCopy(location, feed.Bytes, report, report.Damaged is [var damaged, ..] ? Incomplete(location, damaged.Damage.Message, damaged.Damage) : null);
        }
        catch (BackupException e)
        {
            return new BackupCopy(location, feed.Bytes, null, Incomplete(location, e.Message, e));
        }
        catch (OperationCanceledException e) when (_stop.IsCancellationRequested)
        {
            return new BackupCopy(location, feed.Bytes, null, Incomplete(location, "The job was stopped.", e));
        }
    }

    private static BackupException Incomplete(string location, string why, Exception cause) => new(
        BackupErrorId.CopyIncomplete,
        $"The recovery point is in the vault, but its copy in '{location}' is not complete: {why}",
        "See to what it says. The next backup brings what is missing; so does Copy-OBVault, or 'obengine vault copy', at once.",
        location,
        innerException: cause);
}
