using MSOnlineBackup.Engine.Views;
using MSOnlineBackup.Mounts.Serving;
using MSOnlineBackup.Platform.Windows;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Mounts.Drives;

/// <summary>As a drive letter of Windows, by WebDAV and what Windows has for it.</summary>
/// <param name="drives">The drives of the session.</param>
internal sealed class DriveWay(INetworkDrives drives) : IMountWay
{
    /// <inheritdoc/>
    public string Resolve(string place) => DriveLetter.Read(place) ?? place;

    /// <inheritdoc/>
    public string Check(string place)
    {
        string drive = Resolve(place);
        string? remote = drives.RemoteOf(drive);
        return remote is not null || drives.IsTaken(drive[0]) ? throw DriveErrors.Taken(drive, remote) : drive;
    }

    /// <inheritdoc/>
    public async Task<IMountedView> StartAsync(IItemView view, MountRequest request, TimeProvider clock, Action<string, BackupException> trouble) =>
        request.IsWritable ? throw DriveErrors.NotWritable(request.Place)
            : request.AllowOther ? throw DriveErrors.OnlyYours(request.Place)
            : await DriveMount.StartAsync(drives, view, request, clock, trouble).ConfigureAwait(false);

    /// <inheritdoc/>
    public bool Clean(Guid id, string place)
    {
        if (drives.RemoteOf(place) is { } remote && DriveLetter.IsOf(id, remote))
        {
            // Whoever has a file open gets errors anyway: nobody serves it.
            _ = drives.Disconnect(place, force: true);
        }

        // What Windows does not take off it does not take off the next time either; it goes with the session.
        return true;
    }

    /// <inheritdoc/>
    public BackupException Busy(string place) => DriveErrors.Busy(place);
}
