using MSOnlineBackup.Engine.Views;
using MSOnlineBackup.Mounts.Serving;
using MSOnlineBackup.Platform.Unix;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Mounts.Fuse;

/// <summary>A view that is mounted on a folder of Linux, until it is taken off: by this process, or by anybody with <c>umount</c>.</summary>
public sealed class FuseMount : IMountedView
{
    private static readonly TimeSpan _leaving = TimeSpan.FromSeconds(2);

    private readonly FuseDevice _device;
    private readonly FuseServing _serving;
    private readonly CancellationTokenSource _stop = new();
    private readonly TimeProvider _clock;
    private bool _isDetached;
    private long _lastUse;

    private FuseMount(FuseDevice device, FuseServer server, string folder, TimeProvider clock)
    {
        (_device, Folder, _clock, _lastUse) = (device, folder, clock, clock.GetTimestamp());
        _serving = new FuseServing(device, server, () => Interlocked.Exchange(ref _lastUse, _clock.GetTimestamp()), _stop.Token);
    }

    /// <summary>Whether this system can mount at all.</summary>
    public static bool IsAvailable => OperatingSystem.IsLinux() && FuseDevice.IsThere;

    /// <summary>Where it is.</summary>
    public string Folder { get; }

    /// <summary>Ends when it is taken off, and nobody is in it any more.</summary>
    public Task Ended => _serving.Ended;

    /// <inheritdoc/>
    bool IMountedView.IsOver => Ended.IsCompleted;

    /// <summary>For how long nobody has asked for anything.</summary>
    public TimeSpan Idle => _clock.GetElapsedTime(Interlocked.Read(ref _lastUse));

    /// <summary>Mounts a view.</summary>
    /// <param name="view">The view. It must live as long as the mount.</param>
    /// <param name="folder">An empty folder.</param>
    /// <param name="options">How.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="trouble">Is told what could not be read: the path in the point, and why. From any thread.</param>
    /// <exception cref="BackupException">MountUnavailable: there is no FUSE; MountFolderInvalid: it is no folder, is not empty, or something is mounted on it; MountFailed.</exception>
    public static FuseMount Start(IItemView view, string folder, FuseOptions options, TimeProvider clock, Action<string, BackupException> trouble)
    {
        ArgumentNullException.ThrowIfNull(view);
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(clock);
        string full = MountFolder.Check(folder);
        if (!IsAvailable)
        {
            throw MountErrors.Unavailable(full);
        }

        bool isRoot = Libc.EffectiveUser() == 0;
        if (!isRoot && FuseDevice.Helper is null)
        {
            throw MountErrors.NoHelper(full);
        }

        (FuseDevice? device, int result) = FuseDevice.Mount(full, new FuseMounting(FuseOptions.Device, options.AllowOther), out string? said);
        if (device is null)
        {
            throw MountErrors.Failed(full, said is { Length: > 0 } ? said : UnixSystem.Describe(-result));
        }

        var owner = new FuseOwner(Libc.EffectiveUser(), Libc.EffectiveGroup());
        var mount = new FuseMount(device, new FuseServer(view, owner, hasAccessLists: isRoot || options.AllowOther, trouble), full, clock);
        mount._serving.Start(options.Threads);
        return mount;
    }

    /// <summary>Takes it off the folder.</summary>
    /// <param name="force">Whether it goes although somebody is in it, who then gets errors.</param>
    /// <exception cref="BackupException">MountBusy: somebody is in it.</exception>
    public async Task StopAsync(bool force)
    {
        if (Ended.IsCompleted || _isDetached)
        {
            return;
        }

        for (long start = _clock.GetTimestamp(); _device.Unmount(lazily: false) < 0 && MountFolder.IsMounted(Folder);)
        {
            // Whoever has just left may be in it for a moment still.
            if (!force && _clock.GetElapsedTime(start) < _leaving)
            {
                await Task.Delay(_leaving / 20, _clock).ConfigureAwait(false);
                continue;
            }

            if (!force)
            {
                throw MountErrors.Busy(Folder);
            }

            // Nobody else comes in. Whoever is in it gets errors when this process ends, and has a moment to leave before.
            _ = _device.Unmount(lazily: true);
            break;
        }

        // It is off its folder, and still not over where another namespace (a container, a service with mounts of its own) has a copy of it: nobody waits for that.
        await Task.WhenAny(Ended, Task.Delay(_leaving, _clock)).ConfigureAwait(false);
        if (!Ended.IsCompleted)
        {
            _isDetached = true;
            await _stop.CancelAsync().ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await StopAsync(force: true).ConfigureAwait(false);
        if (Ended.IsCompleted)
        {
            _stop.Dispose();
        }
    }
}
