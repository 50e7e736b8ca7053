using MSOnlineBackup.Engine.Views;
using MSOnlineBackup.Mounts.Serving;
using MSOnlineBackup.Platform.Unix;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Mounts.Fuse;

/// <summary>A view that is mounted on a folder of Linux, until it is taken off: by this process, or by anybody with <c>umount</c>.</summary>
public sealed class FuseMount : IMountedView
{
    private const int Interrupted = 4;
    private const int TryAgain = 11;

    // What the kernel asks of a file system that is not written to; longest are names, and the numbers of what it forgets.
    private const int RequestLength = 128 << 10;
    private static readonly TimeSpan _leaving = TimeSpan.FromSeconds(2);

    private readonly List<FuseDevice> _devices;
    private readonly FuseServer _server;
    private readonly CancellationTokenSource _stop = new();
    private readonly TimeProvider _clock;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _serving;
    private bool _isDetached;
    private long _lastUse;

    private FuseMount(List<FuseDevice> devices, FuseServer server, string folder, TimeProvider clock) =>
        (_devices, _server, Folder, _clock, _lastUse) = (devices, server, folder, clock, clock.GetTimestamp());

    /// <summary>Whether this system can mount at all.</summary>
    public static bool IsAvailable => OperatingSystem.IsLinux() && FuseDevice.IsThere;

    /// <summary>Where it is.</summary>
    public string Folder { get; }

    /// <summary>Ends when it is taken off, and nobody is in it any more.</summary>
    public Task Ended => _ended.Task;

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

        var devices = new List<FuseDevice> { device };
        while (devices.Count < options.Threads && device.Clone() is { Device: { } clone })
        {
            devices.Add(clone);
        }

        var owner = new FuseOwner(Libc.EffectiveUser(), Libc.EffectiveGroup());
        var mount = new FuseMount(devices, new FuseServer(view, owner, hasAccessLists: isRoot || options.AllowOther, trouble), full, clock) { _serving = devices.Count };
        foreach (FuseDevice one in devices)
        {
            // Threads of their own: they wait for the kernel.
            new Thread(() => mount.Serve(one)) { IsBackground = true, Name = "mount" }.Start();
        }

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

        for (long start = _clock.GetTimestamp(); _devices[0].Unmount(lazily: false) < 0 && MountFolder.IsMounted(Folder);)
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
            _ = _devices[0].Unmount(lazily: true);
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

    // One request after the other; others serve beside it.
    private void Serve(FuseDevice device)
    {
        byte[] request = new byte[RequestLength];
        var answer = new FuseAnswer(FuseServer.MostRead);
        while (true)
        {
            int length = device.Read(request);
            if (length < 0)
            {
                if (-length is Interrupted or TryAgain or Errno.NotFound)
                {
                    continue;
                }

                break;
            }

            Interlocked.Exchange(ref _lastUse, _clock.GetTimestamp());
            int? error;
            try
            {
#pragma warning disable VSTHRD002 // A thread that only serves: nothing waits for it but the kernel.
                error = _server.AnswerAsync(request.AsSpan(0, length), answer, _stop.Token).AsTask().GetAwaiter().GetResult();
#pragma warning restore VSTHRD002
            }
            catch (Exception e)
            {
                // A thread that ended would let whoever asked wait for ever.
                _server.Tell(e);
                error = Errno.InputOutput;
            }

            if (error is { } number)
            {
                // Whoever asked may be gone by now, which is no failure.
                _ = device.Write(answer.Finish(FuseRequest.UniqueOf(request), number));
            }
        }

        device.Dispose();
        if (Interlocked.Decrement(ref _serving) == 0)
        {
            _ended.TrySetResult();
        }
    }
}
