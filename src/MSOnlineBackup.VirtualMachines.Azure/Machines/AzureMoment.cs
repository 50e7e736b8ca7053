using System.Text.Json;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.VirtualMachines.Azure.Management;
using MSOnlineBackup.VirtualMachines.Azure.Pages;
using MSOnlineBackup.VirtualMachines.Azure.Points;
using MSOnlineBackup.VirtualMachines.Machines;

namespace MSOnlineBackup.VirtualMachines.Azure.Machines;

/// <summary>Of what a moment is taken.</summary>
/// <param name="Machine">The machine's name.</param>
/// <param name="Location">Where it is.</param>
/// <param name="Model">What Azure says of it.</param>
/// <param name="Disks">The disks that are read.</param>
/// <param name="LeftOut">The others.</param>
/// <param name="Options">How.</param>
internal sealed record AzureMomentRequest(string Machine, string Location, JsonElement Model, IReadOnlyList<AzureDisk> Disks, IReadOnlyList<AzureDisk> LeftOut, MomentOptions Options);

/// <summary>
/// The disks of a machine in Azure as a restore point has them. What was opened of it is closed with it, and it is removed unless a recovery point was made of it: then the one of before is.
/// </summary>
internal sealed class AzureMoment : IMachineMoment
{
    private const string Kind = "Azure";

    private readonly AzureAccess _access;
    private readonly RestorePoints _points;
    private readonly AzureMomentRequest _request;
    private readonly List<MomentDisk> _disks = [];
    private readonly List<PageGrant> _grants = [];
    private RestorePoint? _point;
    private RestorePoint? _before;
    private bool _isKept;

    private AzureMoment(AzureAccess access, RestorePoints points, AzureMomentRequest request) => (_access, _points, _request) = (access, points, request);

    /// <inheritdoc/>
    public IReadOnlyList<MomentDisk> Disks => _disks;

    /// <inheritdoc/>
    public IReadOnlyList<(string Name, byte[] Content)> Files => [(AzureTemplate.FileName, AzureTemplate.Create(_request.Model, _request.Disks))];

    /// <inheritdoc/>
    public SourceConsistency Consistency { get; private set; } = new(ConsistencyLevel.Crash, Kind);

    /// <inheritdoc/>
    public TimeSpan Frozen => TimeSpan.Zero;

    /// <summary>Takes it.</summary>
    /// <exception cref="BackupException">As of <see cref="ResourceManager.GetAsync"/>; VirtualMachineUnfit; GuestNotFrozen where the guest has to be told, and was not.</exception>
    public static async Task<AzureMoment> BeginAsync(AzureAccess access, RestorePoints points, AzureMomentRequest request, CancellationToken cancellationToken)
    {
        var moment = new AzureMoment(access, points, request);
        try
        {
            await moment.TakeAsync(cancellationToken).ConfigureAwait(false);
            return moment;
        }
        catch
        {
            await moment.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>A restore point does not change.</summary>
    public void RequireHeld()
    {
    }

    /// <inheritdoc/>
    public async Task CommitAsync(SessionId session, CancellationToken cancellationToken)
    {
        await _points.NoteBaseAsync(_point!, session, cancellationToken).ConfigureAwait(false);
        _isKept = true;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (MomentDisk disk in _disks)
        {
            disk.Content.Dispose();
        }

        // Whatever happened, and though the backup was stopped.
        foreach (PageGrant grant in _grants)
        {
            await TryAsync(() => grant.RevokeAsync(CancellationToken.None)).ConfigureAwait(false);
            grant.Dispose();
        }

        _grants.Clear();
        if ((_isKept ? _before : _point) is { } unneeded)
        {
            await TryAsync(() => _points.RemoveAsync(unneeded, CancellationToken.None)).ConfigureAwait(false);
        }

        (_point, _before) = (null, null);
    }

    private async Task TakeAsync(CancellationToken cancellationToken)
    {
        bool isForPrograms = _request.Options.GuestHasHooks || _request.Options.RequiresFreeze;
        (RestorePoint Point, SessionId Session)? earlier = await _points.PrepareAsync(_request.Location, _request.Options.Report, cancellationToken).ConfigureAwait(false);
        _before = earlier?.Point;
        _point = await _points.CreateAsync(_request.LeftOut.Where(disk => disk.Id is not null).Select(disk => disk.Id!), isForPrograms, begun => _point = begun, cancellationToken).ConfigureAwait(false);
        Consistency = Judge(_point.Consistency, isForPrograms);
        if (_request.Options.RequiresFreeze && Consistency.Level == ConsistencyLevel.Crash)
        {
            throw new BackupException(
                BackupErrorId.GuestNotFrozen, $"The virtual machine '{_request.Machine}' was not held still: Azure made a restore point that is only crash consistent.", "See to the machine's VM agent in the Azure portal.", _request.Machine);
        }

        foreach (AzureDisk disk in _request.Disks)
        {
            _disks.Add(await OpenAsync(disk, earlier, cancellationToken).ConfigureAwait(false));
        }
    }

    private async Task<MomentDisk> OpenAsync(AzureDisk disk, (RestorePoint Point, SessionId Session)? earlier, CancellationToken cancellationToken)
    {
        RestorePointDisk moment = _point!.Disks.FirstOrDefault(other => other.Lun == disk.Lun && string.Equals(other.Disk, disk.Id, StringComparison.OrdinalIgnoreCase))
            ?? throw new BackupException(
                BackupErrorId.VirtualMachineUnfit, $"The restore point of the virtual machine '{_request.Machine}' does not have its disk '{disk.Name}'.", "If its disks were changed meanwhile, run the backup again.", disk.Name);
        PageGrant grant = Grant(moment);
        var blob = new PageBlob(_access, grant, disk.Name);
        long length = await ReadLengthAsync(blob, disk.Name, cancellationToken).ConfigureAwait(false);
        PageRuns data = await blob.ListAsync(length, cancellationToken).ConfigureAwait(false);
        (DiskChanges? changes, string? note) = await FindChangesAsync(disk, moment, (blob, length, data), earlier, cancellationToken).ConfigureAwait(false);
        return new MomentDisk(disk.ToMachineDisk() with { Bytes = length }, new PageSourceDisk(blob, disk.Name, length, data, changes, cancellationToken), note);
    }

    private async Task<(DiskChanges? Changes, string? Note)> FindChangesAsync(
        AzureDisk disk, RestorePointDisk moment, (PageBlob Blob, long Length, PageRuns Data) now, (RestorePoint Point, SessionId Session)? earlier, CancellationToken cancellationToken)
    {
        if (earlier is not { } known)
        {
            return (null, "Azure has no restore point of a backup before.");
        }

        if (known.Point.Disks.FirstOrDefault(other => other.Lun == disk.Lun) is not { } before)
        {
            return (null, "The last backup did not have it.");
        }

        MomentOrigin? then = await _points.FindOriginAsync(before, cancellationToken).ConfigureAwait(false);
        MomentOrigin? origin = await _points.FindOriginAsync(moment, cancellationToken).ConfigureAwait(false);
        if (then is null || origin is null)
        {
            return (null, then is null ? "Azure does not have its moment of the last backup any more." : "Azure does not say of which disk the moment is.");
        }

        if (then != origin)
        {
            return (null, then.Disk != origin.Disk ? "It is another disk than at the last backup." : "Azure keeps its moments in another place than at the last backup, and cannot compare them.");
        }

        PageGrant grant = Grant(before);
        try
        {
            var earlierBlob = new PageBlob(_access, grant, disk.Name);
            if (await ReadLengthAsync(earlierBlob, disk.Name, cancellationToken).ConfigureAwait(false) != now.Length)
            {
                return (null, "It had another size at the last backup.");
            }

            PageRuns data = await earlierBlob.ListAsync(now.Length, cancellationToken).ConfigureAwait(false);
            return await now.Blob.ListChangesAsync(now.Length, grant, cancellationToken).ConfigureAwait(false) is { } told
                ? Judge(now.Data, data, told.Written, told.Cleared, known.Session)
                : (null, "Azure could not compare it with its moment of the last backup.");
        }
        catch (BackupException e) when (e.Id is BackupErrorId.VirtualMachineNotFound or BackupErrorId.VirtualMachineAccessDenied or BackupErrorId.VirtualMachineBusy or BackupErrorId.VirtualMachineCommandFailed)
        {
            return (null, $"Its moment of the last backup cannot be opened: {e.Message}");
        }
    }

    /// <summary>
    /// Whether a list of changes can be one. Data that is there now and was not then, or the other way round, has to be in it: in the answer of a service that tells all that a disk has instead of
    /// what changed, what was cleared is missing. Where nothing was cleared such an answer is right, if long.
    /// </summary>
    /// <param name="now">What is not zeroes.</param>
    /// <param name="then">What was not at the last backup.</param>
    /// <param name="written">What is said to have been written.</param>
    /// <param name="cleared">What is said to have been cleared.</param>
    /// <param name="session">The recovery point of the last backup.</param>
    internal static (DiskChanges? Changes, string? Note) Judge(PageRuns now, PageRuns then, PageRuns written, PageRuns cleared, SessionId session)
    {
        PageRuns changed = written.With(cleared);
        return now.Without(then).With(then.Without(now)).Without(changed).Runs.Count > 0 ? (null, "What Azure says of its changes leaves some out: it is not relied on.")
            : (new DiskChanges(session, [.. changed.Runs.Select(run => (run.Start, run.End - run.Start))]), null);
    }

    private static async Task<long> ReadLengthAsync(PageBlob blob, string name, CancellationToken cancellationToken)
    {
        long length = await blob.ReadLengthAsync(cancellationToken).ConfigureAwait(false) - VhdFooter.Length;
        byte[] footer = new byte[VhdFooter.Length];
        if (length > 0)
        {
            await blob.ReadAsync(length, footer, cancellationToken).ConfigureAwait(false);
        }

        return VhdFooter.IsOf(footer, length)
            ? length
            : throw new BackupException(BackupErrorId.VirtualMachineUnfit, $"Azure does not give the disk '{name}' as a VHD of a fixed size.", $"Leave it out (--exclude-disk {name}), and back it up from within the guest.", name);
    }

    private static SourceConsistency Judge(string? told, bool isForPrograms) => told switch
    {
        "ApplicationConsistent" => new SourceConsistency(ConsistencyLevel.Application, Kind, "The programs of the guest were told."),
        "FileSystemConsistent" => new SourceConsistency(ConsistencyLevel.FileSystem, Kind),
        _ => new SourceConsistency(ConsistencyLevel.Crash, Kind, isForPrograms ? "Azure could not hold the guest still." : "Nobody was to hold the guest still."),
    };

    private PageGrant Grant(RestorePointDisk moment)
    {
        var grant = new PageGrant(_access, moment.Moment, canWrite: false);
        _grants.Add(grant);
        return grant;
    }

    private async Task TryAsync(Func<Task> act)
    {
        try
        {
            await act().ConfigureAwait(false);
        }
        catch (BackupException e)
        {
            _request.Options.Report(e);
        }
    }
}
