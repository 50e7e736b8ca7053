using System.Globalization;
using System.Net;
using MSOnlineBackup.Engine.Views;
using MSOnlineBackup.Mounts.Serving;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Mounts.Nbd;

/// <summary>How a file is served as a disk.</summary>
public sealed record NbdOptions
{
    /// <summary>The port of 127.0.0.1; 0 for one that is free. It counts where there is no <see cref="SocketPath"/>.</summary>
    public int Port { get; init; }

    /// <summary>The socket to listen on instead of a port, which only this account may use; null for none.</summary>
    public string? SocketPath { get; init; }

    /// <summary>Is told of what of the vault cannot be read (<see cref="BackupException"/>), and of bugs; from any thread.</summary>
    public Action<Exception> Report { get; init; } = static _ => { };
}

/// <summary>
/// A file of a view as a disk, for programs of this machine that speak NBD, such as QEMU. It is only read. Over a port its name is a secret; over a socket of a folder
/// the system sees to it that nobody else connects, and it has no name.
/// </summary>
public sealed class NbdServer : IAsyncDisposable
{
    /// <summary>Most connections that have the disk, such as of machines that run from it.</summary>
    internal const int MostClients = 64;

    // Who asks while all places are taken is told so.
    private const int MostConnections = MostClients + 16;
    private const int MostLargeReads = 2;

    private readonly ConnectionListener _listener;
    private readonly SemaphoreSlim _places;
    private readonly SemaphoreSlim _large;

    private NbdServer(ConnectionListener listener, SemaphoreSlim places, SemaphoreSlim large, string address) =>
        (_listener, _places, _large, Address) = (listener, places, large, address);

    /// <summary>The address as clients take it: <c>nbd://…</c> or <c>nbd+unix://…</c>.</summary>
    public string Address { get; }

    /// <summary>Begins to serve. The view must live longer.</summary>
    /// <param name="view">The view.</param>
    /// <param name="file">A file of it.</param>
    /// <param name="options">Where.</param>
    /// <exception cref="BackupException">ServerAddressTaken, ServerAddressRefused; RestoreItemFailed: it is no file, or the point has no content of it.</exception>
    public static NbdServer Start(IItemView view, ViewItem file, NbdOptions options)
    {
        ArgumentNullException.ThrowIfNull(view);
        ArgumentNullException.ThrowIfNull(file);
        ArgumentNullException.ThrowIfNull(options);
        if (file.Entry.Kind != EntryKind.File)
        {
            throw new BackupException(BackupErrorId.RestoreItemFailed, $"'{file.ShownName}' is no file, and so no disk.", "Name a file: the image of a disk.", file.ShownName);
        }

        if (!file.Entry.IsRestorable())
        {
            throw file.Entry.Unrestorable(file.ShownName);
        }

        var places = new SemaphoreSlim(MostClients);
        var large = new SemaphoreSlim(MostLargeReads);
        try
        {
            var export = new NbdExport(view, file, options.SocketPath is null ? Secret.Create() : new Secret(""));
            var connection = new NbdConnection(export, places, large, options.Report);
            ConnectionListener listener = options.SocketPath is { } path
                ? ConnectionListener.OnSocket(path, MostConnections, connection.ServeAsync, options.Report)
                : ConnectionListener.OnPort(options.Port, MostConnections, connection.ServeAsync, options.Report);
            string address = options.SocketPath is { } socket
                ? $"nbd+unix:///?socket={Uri.EscapeDataString(Path.GetFullPath(socket)).Replace("%2F", "/", StringComparison.Ordinal)}"
                : string.Create(CultureInfo.InvariantCulture, $"nbd://127.0.0.1:{((IPEndPoint)listener.Address).Port}/{export.Name.Text}");
            return new NbdServer(listener, places, large, address);
        }
        catch
        {
            places.Dispose();
            large.Dispose();
            throw;
        }
    }

    /// <summary>Ends all connections, and returns when they have ended.</summary>
    public async ValueTask DisposeAsync()
    {
        await _listener.DisposeAsync().ConfigureAwait(false);
        _places.Dispose();
        _large.Dispose();
    }
}
