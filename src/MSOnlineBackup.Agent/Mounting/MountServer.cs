using MSOnlineBackup.Engine.Views;
using MSOnlineBackup.Mounts.Fuse;
using MSOnlineBackup.Mounts.Serving;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Agent.Mounting;

/// <summary>Serves one mount in this process, until it is taken off, somebody wants it to end, or its time is over.</summary>
/// <param name="records">Where it is on record.</param>
/// <param name="clock">The clock.</param>
/// <param name="trouble">Is told what could not be read: the path in the point, and why. From any thread.</param>
internal sealed class MountServer(MountRecords records, TimeProvider clock, Action<string, BackupException> trouble)
{
    private static readonly TimeSpan _beat = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan _noting = TimeSpan.FromSeconds(30);

    private readonly Lock _gate = new();
    private bool _isLeft;
    private int _troubles;
    private string? _lastTrouble;

    /// <summary>Serves it.</summary>
    /// <param name="id">Its id.</param>
    /// <param name="order">What is wanted.</param>
    /// <param name="vault">The vault.</param>
    /// <param name="mounted">Is told as soon as it is there.</param>
    /// <param name="stop">Ends it, also where somebody is in it.</param>
    /// <returns>Its record at the end.</returns>
    /// <exception cref="BackupException">RecoveryPointNotFound, MountUnavailable, MountFolderInvalid, MountFailed, …: nothing is mounted.</exception>
    public async Task<RecoveryMount> RunAsync(Guid id, MountOrder order, UnlockedVault vault, Action<RecoveryMount> mounted, CancellationToken stop)
    {
        using IDisposable held = await records.HoldAsync(id, stop).ConfigureAwait(false);
        try
        {
            Func<Task<RecoveryPoint>>? choose = order.PointId is { } wanted ? () => vault.GetPointAsync(wanted, order.MachineName, stop) : null;
            await using PinnedView pinned = await PinnedView.OpenAsync(vault, choose, order.MachineName, stop).ConfigureAwait(false);
            if (pinned.Unpinned is { } unpinned)
            {
                Tell(order.Folder, unpinned);
            }

            DateTimeOffset now = clock.GetUtcNow();
            var mount = new RecoveryMount
            {
                Id = id,
                Folder = records.WayOf(order.Folder).Check(order.Folder),
                VaultLocation = vault.Vault.Location,
                MachineName = pinned.Point?.MachineName ?? order.MachineName,
                PointId = pinned.Point?.SessionId.ToString(),
                PointTime = pinned.Point?.Created ?? pinned.Point?.Ended,
                IsWritable = order.IsWritable,
                IsPinned = pinned.Unpinned is null,
                ProcessId = Environment.ProcessId,
                Started = now,
                LastUsed = now,
            };
            return await ServeAsync(mount, order, pinned.View, mounted, stop).ConfigureAwait(false);
        }
        finally
        {
            // Where something of it is left, whoever looks next finds a record that nobody holds, and clears it.
            if (!_isLeft)
            {
                MountLayer.Clean(records.FileOf(id, MountLayer.Name));
                records.Remove(id);
            }
        }
    }

    private async Task<RecoveryMount> ServeAsync(RecoveryMount mount, MountOrder order, IItemView view, Action<RecoveryMount> mounted, CancellationToken stop)
    {
        records.Foresee(mount.Id, mount.Folder);
        var request = new MountRequest(mount.Id, mount.Folder, records.FileOf(mount.Id, MountLayer.Name))
        {
            IsWritable = order.IsWritable, AllowOther = order.AllowOther, IsOfAllPoints = order.PointId is null,
        };
        IMountedView mounting = await records.WayOf(mount.Folder).StartAsync(view, request, clock, Tell).ConfigureAwait(false);
        try
        {
            records.Write(mount);
            mounted(mount);
            return await WatchAsync(mount, mounting, stop).ConfigureAwait(false);
        }
        finally
        {
            _isLeft = true;
            await mounting.DisposeAsync().ConfigureAwait(false);
            _isLeft = false;
        }
    }

    private async Task<RecoveryMount> WatchAsync(RecoveryMount mount, IMountedView mounting, CancellationToken stop)
    {
        using var timer = new PeriodicTimer(_beat, clock);
        while (!mounting.IsOver && !stop.IsCancellationRequested)
        {
            DateTimeOffset now = clock.GetUtcNow();
            DateTimeOffset used = now - mounting.Idle;
            RecoveryMount current = Describe(mount, used);
            if (current.LastUsed - mount.LastUsed >= _noting || current.Troubles != mount.Troubles)
            {
                mount = current;
                records.Write(mount);
            }

            if (MountLife.IsOver(mount.Started, used, now))
            {
                await mounting.StopAsync(force: true).ConfigureAwait(false);
                break;
            }

            if (records.FindWish(mount.Id) is { } force && await TryEndAsync(mount, mounting, force).ConfigureAwait(false))
            {
                break;
            }

            await NextAsync(timer, mounting.Ended, stop).ConfigureAwait(false);
        }

        return Describe(mount, mount.LastUsed);
    }

    private async Task<bool> TryEndAsync(RecoveryMount mount, IMountedView mounting, bool force)
    {
        try
        {
            await mounting.StopAsync(force).ConfigureAwait(false);
            return true;
        }
        catch (BackupException e) when (e.Id == BackupErrorId.MountBusy)
        {
            records.Decline(mount.Id);
            return false;
        }
    }

    private static async Task NextAsync(PeriodicTimer timer, Task ended, CancellationToken stop)
    {
        try
        {
            await Task.WhenAny(timer.WaitForNextTickAsync(stop).AsTask(), ended).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The loop sees it.
        }
    }

    private RecoveryMount Describe(RecoveryMount mount, DateTimeOffset used)
    {
        lock (_gate)
        {
            return mount with { LastUsed = used > mount.LastUsed ? used : mount.LastUsed, Troubles = _troubles, LastTrouble = _lastTrouble };
        }
    }

    private void Tell(string path, BackupException failure)
    {
        lock (_gate)
        {
            _troubles++;
            _lastTrouble = $"{path}: {failure.Message} ({failure.Id})";
        }

        trouble(path, failure);
    }
}
