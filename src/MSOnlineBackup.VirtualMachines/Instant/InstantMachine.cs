using System.Text.Json;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.VirtualMachines.Qmp;

namespace MSOnlineBackup.VirtualMachines.Instant;

/// <summary>
/// A machine of a recovery point that runs at once: what it reads comes from the vault, what it writes goes into images in its folder, and these take over the rest while it runs. Then it needs no vault. The machine is a
/// process of its own, which outlives this one. Where this one ends before that, the machine stands still as soon as it reads what it has not, and goes on where it is started again in the same folder.
/// </summary>
public sealed class InstantMachine : IAsyncDisposable
{
    private static readonly TimeSpan _look = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan _retry = TimeSpan.FromSeconds(5);

    private readonly InstantRequest _request;
    private readonly InstantFolder _folder;
    private readonly ServedDisks? _served;
    private readonly QmpClient _monitor;
    private readonly IReadOnlyList<DiskStream> _streams;
    private readonly Lock _gate = new();
    private (InstantDisk? Disk, bool IsFull, bool IsWrite)? _halted;
    private bool _isHalted;
    private long? _continued;

    private InstantMachine(InstantRequest request, InstantFolder folder, InstantRecord record, ServedDisks? served, QmpClient monitor, bool ran)
    {
        (_request, _folder, Record, _served, _monitor, RanAlready) = (request, folder, record, served, monitor, ran);
        _streams = [.. record.Disks.Select((_, index) => new DiskStream(monitor, record, index, request))];
        monitor.OnEvent = Note;
    }

    /// <summary>What is on record of it.</summary>
    public InstantRecord Record { get; private set; }

    /// <summary>Whether it ran already.</summary>
    public bool RanAlready { get; }

    /// <summary>The socket of its monitor (QMP), which is the owner's.</summary>
    public string Monitor => _folder.Monitor;

    /// <summary>The socket of its screen (VNC); null where QEMU was told of another.</summary>
    public string? Screen => File.Exists(_folder.Screen) ? _folder.Screen : null;

    /// <summary>The script that starts it when its images have all.</summary>
    public string Script => _folder.In("start.sh");

    /// <summary>How much of it is in its images, holes included.</summary>
    public InstantProgress Progress => new(_streams.Sum(stream => stream.IsWhole ? stream.Disk.Bytes : stream.Bytes), _streams.Sum(stream => stream.Disk.Bytes), _isHalted);

    /// <summary>What is on record in a folder: the point with which it is to be started again; null where no machine was started there.</summary>
    /// <exception cref="BackupException">RestoreTargetInvalid.</exception>
    public static InstantRecord? Find(string folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        return InstantFolder.Find(folder);
    }

    /// <summary>Starts a machine, or goes on with one that was started in the folder before, whether it runs still or not. Returns when it runs; <see cref="StreamAsync"/> sees to the rest.</summary>
    /// <param name="vault">The vault, which must live longer.</param>
    /// <param name="choose">Finds the point; is told the id of the one that the folder's machine is of, or null.</param>
    /// <param name="request">Which, and how. What a machine is made of counts where it is started, not where it runs.</param>
    /// <param name="cancellationToken">Stops it; the machine may run.</param>
    /// <exception cref="BackupException">
    /// RestoreTargetInvalid: the folder has something else, or the machine of another point; VirtualMachineBusy: another process sees to it; VirtualMachineUnfit: the point is of no machine;
    /// VirtualMachineProgramUnusable: QEMU, or qemu-img, does not do it; RecoveryPointNotFound, VaultUnreachable, ….
    /// </exception>
    public static async Task<InstantMachine> StartAsync(UnlockedVault vault, Func<string?, Task<RecoveryPoint>> choose, InstantRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        ArgumentNullException.ThrowIfNull(choose);
        ArgumentNullException.ThrowIfNull(request);
        InstantFolder folder = InstantFolder.Hold(request.Folder);
        ServedDisks? served = null;
        try
        {
            InstantRecord? known = folder.Read();
            served = await ServedDisks.OpenAsync(vault, () => ChooseAsync(choose, known), request, cancellationToken).ConfigureAwait(false);
            if (known is not null && known.PointId != served.Point.SessionId.ToString())
            {
                throw new BackupException(
                    BackupErrorId.RestoreTargetInvalid,
                    $"The folder '{request.Folder}' has the machine of another recovery point, {known.PointId}.",
                    "Name that point to go on with it, or another folder.",
                    request.Folder);
            }

            InstantRecord record = (known ?? await served.DescribeAsync(cancellationToken).ConfigureAwait(false)) with { Name = request.Name };
            folder.Write(record);
            await served.ServeAsync(folder, record, cancellationToken).ConfigureAwait(false);
            return await OpenAsync(request, folder, record, served, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            if (served is not null)
            {
                await served.DisposeAsync().ConfigureAwait(false);
            }

            folder.Dispose();
            throw;
        }
    }

    /// <summary>Starts a machine whose images have all (<see cref="InstantRecord.IsWhole"/>), where it does not run.</summary>
    /// <exception cref="BackupException">As <see cref="StartAsync"/>.</exception>
    public static async Task<InstantMachine> StartWholeAsync(InstantRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        InstantFolder folder = InstantFolder.Hold(request.Folder);
        try
        {
            InstantRecord record = folder.Read() is { IsWhole: true } known ? known with { Name = request.Name } : throw new BackupException(
                BackupErrorId.RestoreTargetInvalid, $"The folder '{request.Folder}' has no machine that needs no vault.", "Name its vault and recovery point.", request.Folder);
            folder.Write(record);
            return await OpenAsync(request, folder, record, null, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            folder.Dispose();
            throw;
        }
    }

    /// <summary>Takes over what the machine's images have not. Returns when they have all: then the servers may end, and the vault may go.</summary>
    /// <param name="progress">Is told how far it is, about twice a second.</param>
    /// <param name="cancellationToken">Stops it. The machine stands still as soon as it reads what its images have not.</param>
    /// <exception cref="BackupException">
    /// InstantMachineEnded: the machine was switched off, or killed; InstantDiskIncomplete: all is in but what the vault does not give; VirtualMachineCommandFailed. What was written is kept, and it goes on where it is started
    /// again.
    /// </exception>
    public async Task StreamAsync(Action<InstantProgress> progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(progress);
        try
        {
            await LookAsync(cancellationToken).ConfigureAwait(false);
            while (true)
            {
                await AdvanceAsync(cancellationToken).ConfigureAwait(false);
                progress(Progress);
                if (_streams.All(stream => stream.IsOver))
                {
                    break;
                }

                await (_served?.KeepPinnedAsync(cancellationToken) ?? Task.CompletedTask).ConfigureAwait(false);
                await Task.Delay(_look, _request.Clock, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (QmpException e)
        {
            throw InstantErrors.Refused(Record, e);
        }
        catch (BackupException e) when (e.Id == BackupErrorId.VirtualMachineUnreachable)
        {
            InstantProgress reached = Progress;
            throw InstantErrors.Ended(Record, _folder.Path, reached.Bytes, reached.TotalBytes, e);
        }

        if (_streams.FirstOrDefault(stream => !stream.IsWhole) is { } incomplete)
        {
            throw InstantErrors.Incomplete(Record, incomplete.Disk, incomplete.Damage);
        }

        WriteScript();
        Record = Record with { IsWhole = true };
        _folder.Write(Record);
    }

    /// <summary>Lets go of the machine, which goes on, and ends the servers.</summary>
    public async ValueTask DisposeAsync()
    {
        await _monitor.DisposeAsync().ConfigureAwait(false);
        if (_served is not null)
        {
            await _served.DisposeAsync().ConfigureAwait(false);
        }

        _folder.Dispose();
    }

    private static async Task<RecoveryPoint> ChooseAsync(Func<string?, Task<RecoveryPoint>> choose, InstantRecord? known)
    {
        try
        {
            return await choose(known?.PointId).ConfigureAwait(false);
        }
        catch (BackupException e) when (e.Id == BackupErrorId.RecoveryPointNotFound && known is not null)
        {
            throw new BackupException(
                e.Id,
                $"The machine '{known.Name}' is of the recovery point {known.PointId}, which the vault does not have, and its images have not all of it.",
                "Name the vault that has it. One that was deleted is brought back by 'obengine points undelete'.",
                known.PointId,
                innerException: e);
        }
    }

    private static async Task<InstantMachine> OpenAsync(InstantRequest request, InstantFolder folder, InstantRecord record, ServedDisks? served, CancellationToken cancellationToken)
    {
        (QmpClient monitor, bool ran) = await InstantQemu.OpenAsync(request, folder, record, served, cancellationToken).ConfigureAwait(false);
        return new InstantMachine(request, folder, record, served, monitor, ran);
    }

    private async Task LookAsync(CancellationToken cancellationToken)
    {
        foreach ((int index, bool whole) in (await InstantQemu.ReadWholeAsync(_monitor, Record, cancellationToken).ConfigureAwait(false)).Index())
        {
            _streams[index].IsWhole = whole;
        }
    }

    private async Task AdvanceAsync(CancellationToken cancellationToken)
    {
        JsonElement jobs = await _monitor.ExecuteAsync("query-block-jobs", null, cancellationToken).ConfigureAwait(false);
        foreach ((int index, DiskStream stream) in _streams.Index())
        {
            await stream.AdvanceAsync(jobs, _served?.TakeDamage(index), cancellationToken).ConfigureAwait(false);
        }

        await ContinueAsync(cancellationToken).ConfigureAwait(false);
    }

    // A guest that stands still since a disk could not be read tries that again. One that its owner has stopped is left alone.
    private async Task ContinueAsync(CancellationToken cancellationToken)
    {
        JsonElement status = await _monitor.ExecuteAsync("query-status", null, cancellationToken).ConfigureAwait(false);
        _isHalted = status.Text("status") == "io-error";
        if (!_isHalted)
        {
            lock (_gate)
            {
                _halted = null;
            }

            return;
        }

        if (_continued is { } last && _request.Clock.GetElapsedTime(last) < _retry)
        {
            return;
        }

        _continued = _request.Clock.GetTimestamp();
        Tell();
        await _monitor.ExecuteAsync("cont", null, cancellationToken).ConfigureAwait(false);
    }

    private void Tell()
    {
        lock (_gate)
        {
            if (_halted is { } halted)
            {
                _request.Report(InstantErrors.StandsStill(Record, halted.Disk?.Name ?? "", halted.IsFull, halted.IsWrite));
                _halted = null;
            }
        }
    }

    private void Note(JsonElement said)
    {
        if (said.Member("data") is not { } data)
        {
            return;
        }

        if (said.Text("event") is "BLOCK_JOB_COMPLETED" or "BLOCK_JOB_CANCELLED")
        {
            foreach (DiskStream stream in _streams)
            {
                stream.Note(data);
            }
        }

        if (said.Text("event") != "BLOCK_IO_ERROR" || data.Text("action") != "stop")
        {
            return;
        }

        string node = data.Text("node-name") ?? "";
        InstantDisk? disk = Record.Disks.Where((_, index) => node == QemuStart.NodeOf(index) || node == QemuStart.NodeOf(index) + "-shown").FirstOrDefault();
        lock (_gate)
        {
            _halted = (disk, data.Is("nospace"), data.Text("operation") == "write");
        }
    }

    private void WriteScript()
    {
        try
        {
            File.WriteAllText(Script, QemuStart.Script(_request, _folder, Record.Disks));
            if (!OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(Script, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BackupException(
                BackupErrorId.RestoreTargetInvalid, $"'{Script}' cannot be written: {e.Message}", "Make room, and run the same command again. The machine has all of its disks, and goes on.", Script, innerException: e);
        }
    }
}
