using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Mounts.Nbd;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.VirtualMachines.Changes;

namespace MSOnlineBackup.VirtualMachines.Nbd;

/// <summary>A disk that is read over NBD: what reads as zeroes is told by the server, what changed by a bitmap that it shows.</summary>
internal sealed class NbdSourceDisk : ISourceDisk
{
    private const string BitmapContext = "qemu:dirty-bitmap:";
    private const uint Dirty = 1;
    private const uint Zero = 2;

    private readonly NbdClient _client;
    private readonly string _name;
    private readonly string? _advice;
    private IReadOnlyList<(long Length, uint Flags)> _runs = [];
    private long _runsStart;
    private long _runsEnd;

    private NbdSourceDisk(NbdClient client, string name, DiskChanges? changes, string? advice) => (_client, _name, Changes, _advice) = (client, name, changes, advice);

    /// <inheritdoc/>
    public long Length => _client.Size;

    /// <inheritdoc/>
    public DiskChanges? Changes { get; }

    /// <summary>How many bytes were read of it.</summary>
    public long BytesRead => _client.BytesRead;

    /// <summary>Opens it.</summary>
    /// <param name="socket">The server's socket.</param>
    /// <param name="export">The disk's name there.</param>
    /// <param name="name">The disk's name for people.</param>
    /// <param name="bitmap">The bitmap that has what changed, and what it is a record of; null for none.</param>
    /// <param name="advice">What else may be wrong where it cannot be read, a sentence; null for nothing.</param>
    /// <param name="patience">How long the server may take for an answer.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">VirtualMachineUnreachable, VirtualMachineCommandFailed.</exception>
    public static async Task<NbdSourceDisk> OpenAsync(
        string socket, string export, string name, (string Bitmap, ChangeRecord Record)? bitmap, string? advice, TimeSpan patience, CancellationToken cancellationToken)
    {
        NbdClient client = await NbdClient.ConnectAsync(socket, export, [NbdProtocol.Allocation], patience, cancellationToken).ConfigureAwait(false);
        try
        {
            DiskChanges? changes = bitmap is { } named
                ? named.Record.ToChanges(await ReadBitmapAsync(socket, export, named.Bitmap, patience, cancellationToken).ConfigureAwait(false), client.Size)
                : null;
            return new NbdSourceDisk(client, name, changes, advice);
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public bool TryGetDataRun(long offset, out long start, out long length)
    {
        start = offset;
        length = 0;
        while (start < Length)
        {
            if (start < _runsStart || start >= _runsEnd)
            {
                Ask(start);
            }

            long at = _runsStart;
            foreach ((long count, uint flags) in _runs)
            {
                long from = Math.Max(at, start + length);
                at += count;
                if (from >= at)
                {
                    continue;
                }

                if ((flags & Zero) == 0)
                {
                    length += at - from;
                }
                else if (length > 0)
                {
                    return true;
                }
                else
                {
                    start = at;
                }
            }

            if (length > 0)
            {
                return true;
            }
        }

        return false;
    }

    /// <inheritdoc/>
    public void Read(long offset, Span<byte> destination)
    {
        try
        {
            _client.Read(offset, destination);
        }
        catch (BackupException e)
        {
            throw Unreadable(e);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _client.Dispose();

    // Over a connection of its own: on each the server tells all that was chosen there, and to find holes takes it longer.
    private static async Task<List<(long Start, long Length)>> ReadBitmapAsync(string socket, string export, string bitmap, TimeSpan patience, CancellationToken cancellationToken)
    {
        string context = BitmapContext + bitmap;
        using NbdClient client = await NbdClient.ConnectAsync(socket, export, [context], patience, cancellationToken).ConfigureAwait(false);
        if (!client.Tells(context))
        {
            throw new BackupException(
                BackupErrorId.VirtualMachineCommandFailed, $"The disk at '{socket}' does not tell what changed by '{bitmap}'.", "Run the backup again.", socket);
        }

        var dirty = new List<(long Start, long Length)>();
        for (long at = 0; at < client.Size;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            foreach ((long length, uint flags) in client.GetStatus(context, at, client.Size - at))
            {
                if ((flags & Dirty) != 0)
                {
                    if (dirty is [.., var last] && last.Start + last.Length == at)
                    {
                        dirty[^1] = (last.Start, last.Length + length);
                    }
                    else
                    {
                        dirty.Add((at, length));
                    }
                }

                at += length;
            }
        }

        return dirty;
    }

    private void Ask(long offset)
    {
        if (!_client.Tells(NbdProtocol.Allocation))
        {
            (_runs, _runsStart, _runsEnd) = ([(Length, 0)], 0, Length);
            return;
        }

        try
        {
            _runs = _client.GetStatus(NbdProtocol.Allocation, offset, Length - offset);
        }
        catch (BackupException e)
        {
            throw Unreadable(e);
        }

        _runsStart = offset;
        _runsEnd = offset + _runs.Sum(run => run.Length);
    }

    private BackupException Unreadable(BackupException e) => new(
        BackupErrorId.SourceItemUnreadable,
        $"The disk '{_name}' cannot be read: {e.Message}{(_advice is null ? "" : " " + _advice)}",
        "Run the backup again; the guest was not harmed.",
        _name,
        e.IsTransient,
        e);
}
