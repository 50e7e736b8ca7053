using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using MSOnlineBackup.Engine.Views;
using MSOnlineBackup.Mounts.Nbd;
using MSOnlineBackup.Mounts.Serving;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.VirtualMachines.Machines;

namespace MSOnlineBackup.VirtualMachines.Instant;

/// <summary>The disks of a point, each on a socket of its own, from which the machine reads what it has not yet. No collection takes anything of the point away meanwhile.</summary>
internal sealed class ServedDisks : IAsyncDisposable
{
    private const int MostDescriptionBytes = 16 << 20;
    private const int MostHoles = 100_000;
    private const long LeastHole = 1 << 20;

    // Maintenance takes who has shown no sign of life for a day for dead.
    private static readonly TimeSpan _renewal = TimeSpan.FromHours(6);

    private readonly PinnedView _pinned;
    private readonly List<NbdServer> _servers = [];
    private readonly ConcurrentDictionary<int, BackupException> _damage = [];
    private readonly InstantRequest _request;
    private long _renewed;

    private ServedDisks(PinnedView pinned, InstantRequest request) => (_pinned, _request, _renewed) = (pinned, request, request.Clock.GetTimestamp());

    /// <summary>The point.</summary>
    public RecoveryPoint Point => _pinned.Point!;

    /// <summary>Opens a point.</summary>
    public static async Task<ServedDisks> OpenAsync(UnlockedVault vault, Func<Task<RecoveryPoint>> choose, InstantRequest request, CancellationToken cancellationToken)
    {
        var pinned = await PinnedView.OpenAsync(vault, choose, null, cancellationToken).ConfigureAwait(false);
        if (pinned.Unpinned is { } failure)
        {
            request.Report(failure);
        }

        return new ServedDisks(pinned, request);
    }

    /// <summary>What the point says of the machine.</summary>
    /// <exception cref="BackupException">VirtualMachineUnfit: it is none of a machine.</exception>
    public async Task<InstantRecord> DescribeAsync(CancellationToken cancellationToken)
    {
        foreach (RecoveryPointSource source in Point.Sources)
        {
            if (await _pinned.View.FindPathAsync(Point, $"{source.Path}/{MachineDescription.FileName}", cancellationToken).ConfigureAwait(false) is not { } file)
            {
                continue;
            }

            byte[] json = new byte[Math.Min(file.Entry.Size, MostDescriptionBytes)];
            int read = await _pinned.View.ReadAsync(file.Id, 0, json, cancellationToken).ConfigureAwait(false);
            MachineDescription machine = MachineDescription.Read(json.AsSpan(0, read))
                ?? throw InstantErrors.Unfit(Point.SessionId.ToString(), "what it says of the machine is not understood", "Restore its disks with 'obengine restore'.");
            if (machine.Disks.Count == 0 || machine.Disks.DistinctBy(disk => MachineDescription.FileOf(disk.Name)).Count() < machine.Disks.Count)
            {
                throw InstantErrors.Unfit(Point.SessionId.ToString(), "it has no disks, or two of one name", "Restore what it has with 'obengine restore'.");
            }

            return new InstantRecord(InstantRecord.Current, _request.Name, source.Path, Point.SessionId.ToString(), [.. machine.Disks.Select(disk => InstantDisk.Of(disk, source.Path))], IsWhole: false);
        }

        throw InstantErrors.Unfit(Point.SessionId.ToString(), "it is no recovery point of a virtual machine", "'obengine points --machine NAME' lists those of one. A file that is the image of a disk is served by 'obengine serve nbd'.");
    }

    /// <summary>Begins to serve. What an earlier process has left is cleared away.</summary>
    /// <exception cref="BackupException">RecoverableItemNotFound; ServerAddressRefused, ServerAddressTaken.</exception>
    public async Task ServeAsync(InstantFolder folder, InstantRecord record, CancellationToken cancellationToken)
    {
        foreach ((int index, InstantDisk disk) in record.Disks.Index())
        {
            ViewItem file = await FindAsync(disk, cancellationToken).ConfigureAwait(false);
            string socket = folder.SocketOf(index);
            InstantFolder.Clear(socket);
            _servers.Add(NbdServer.Start(_pinned.View, file, new NbdOptions { SocketPath = socket, Report = failure => Note(index, failure) }));
        }
    }

    /// <summary>The holes of a disk, but for small ones.</summary>
    public async IAsyncEnumerable<(long Start, long Length)> ListHolesAsync(InstantDisk disk, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ViewItem file = await FindAsync(disk, cancellationToken).ConfigureAwait(false);
        long at = 0;
        for (int holes = 0; holes < MostHoles && at < disk.Bytes; holes++)
        {
            long start = await _pinned.View.SeekAsync(file.Id, at, isHole: true, cancellationToken).ConfigureAwait(false) ?? disk.Bytes;
            at = start >= disk.Bytes ? disk.Bytes : Math.Min(await _pinned.View.SeekAsync(file.Id, start, isHole: false, cancellationToken).ConfigureAwait(false) ?? disk.Bytes, disk.Bytes);
            if (at - start >= LeastHole)
            {
                yield return (start, at - start);
            }
        }
    }

    /// <summary>What was damaged of a disk since the last time that this was asked; null where nothing was.</summary>
    public BackupException? TakeDamage(int disk) => _damage.TryRemove(disk, out BackupException? damage) ? damage : null;

    /// <summary>Says from time to time that somebody still reads.</summary>
    public async Task KeepPinnedAsync(CancellationToken cancellationToken)
    {
        if (_request.Clock.GetElapsedTime(_renewed) < _renewal)
        {
            return;
        }

        _renewed = _request.Clock.GetTimestamp();
        try
        {
            await _pinned.RenewAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException e)
        {
            // The vault is away, or full: the earlier word holds for hours yet.
            _request.Report(e);
        }
    }

    /// <summary>Ends the servers.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (NbdServer server in _servers)
        {
            await server.DisposeAsync().ConfigureAwait(false);
        }

        await _pinned.DisposeAsync().ConfigureAwait(false);
    }

    private async ValueTask<ViewItem> FindAsync(InstantDisk disk, CancellationToken cancellationToken) =>
        await _pinned.View.FindPathAsync(Point, disk.Path, cancellationToken).ConfigureAwait(false)
        ?? throw new BackupException(BackupErrorId.RecoverableItemNotFound, $"The recovery point has no '{disk.Path}'.", "Use another recovery point.", disk.Path);

    private void Note(int disk, Exception failure)
    {
        if (failure is BackupException { IsOfOneObject: true } damage)
        {
            _damage[disk] = damage;
        }

        _request.Report(failure as BackupException ?? new BackupException(
            BackupErrorId.UnexpectedError, $"An unexpected error ended a connection: {failure}", "This is a bug, not a mistake of yours. Report it."));
    }
}
