using MSOnlineBackup.Engine.Views;
using MSOnlineBackup.Mounts.Serving;
using MSOnlineBackup.Mounts.WebDav;
using MSOnlineBackup.Platform.Windows;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Mounts.Drives;

/// <summary>A view as a drive letter: a server of WebDAV in this process, and a letter of this session that stands for it.</summary>
internal sealed class DriveMount : IMountedView
{
    private readonly INetworkDrives _drives;
    private readonly WebDavServer _server;
    private readonly Guid _id;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private DriveMount(INetworkDrives drives, WebDavServer server, MountRequest request) => (_drives, _server, _id, Folder) = (drives, server, request.Id, request.Place);

    /// <inheritdoc/>
    public string Folder { get; }

    /// <inheritdoc/>
    public Task Ended => _ended.Task;

    /// <inheritdoc/>
    public bool IsOver => Ended.IsCompleted || _drives.RemoteOf(Folder) is not { } remote || !DriveLetter.IsOf(_id, remote);

    /// <inheritdoc/>
    public TimeSpan Idle => _server.Idle;

    /// <summary>Serves, and has the letter stand for it.</summary>
    /// <exception cref="BackupException">MountFolderInvalid: the letter is in use; MountUnavailable: the service is not there that it takes; MountFailed, ServerAddressRefused.</exception>
    public static async Task<DriveMount> StartAsync(INetworkDrives drives, IItemView view, MountRequest request, TimeProvider clock, Action<string, BackupException> trouble)
    {
        var options = new WebDavOptions
        {
            IsOfAllPoints = request.IsOfAllPoints, Label = DriveLetter.LabelOf(request.Id), Report = ServerErrors.ToTrouble(trouble), Clock = clock,
        };
        WebDavServer server = WebDavServer.Start(view, options);

        // Windows asks the server before it says yes: not on the thread of whoever waits.
        int error = await Task.Run(() => drives.Connect(request.Place, server.Address.AbsoluteUri.TrimEnd('/'))).ConfigureAwait(false);
        if (error != 0)
        {
            await server.DisposeAsync().ConfigureAwait(false);
            throw DriveErrors.Refused(request.Place, error, drives.Describe(error), drives.FindService());
        }

        return new DriveMount(drives, server, request);
    }

    /// <inheritdoc/>
    public async Task StopAsync(bool force)
    {
        if (!IsOver)
        {
            int error = await Task.Run(() => _drives.Disconnect(Folder, force)).ConfigureAwait(false);
            if (error is NetworkError.OpenFiles or NetworkError.DeviceInUse && !force)
            {
                throw DriveErrors.Busy(Folder);
            }

            if (error is not (0 or NetworkError.NotConnected) && !IsOver)
            {
                throw DriveErrors.Stays(Folder, error, _drives.Describe(error));
            }
        }

        _ended.TrySetResult();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        try
        {
            await StopAsync(force: true).ConfigureAwait(false);
        }
        finally
        {
            await _server.DisposeAsync().ConfigureAwait(false);
        }
    }
}
