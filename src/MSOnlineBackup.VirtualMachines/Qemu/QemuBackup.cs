using System.Text.Json.Nodes;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.VirtualMachines.Changes;
using MSOnlineBackup.VirtualMachines.Machines;
using MSOnlineBackup.VirtualMachines.Nbd;

namespace MSOnlineBackup.VirtualMachines.Qemu;

/// <summary>
/// A backup of a machine that runs: its disks as they were at one moment, while the guest goes on. Before the guest overwrites something, that is kept in a file beside; where there is no room for that, the
/// moment is lost and the disks cannot be read any more, and the guest notices nothing.
/// </summary>
/// <remarks>
/// The guest's device gets a node that passes all on. All these nodes of the chosen disks are switched in one command, before which nothing and after which everything that the guest writes goes through the filters
/// that keep what it overwrites: that is the moment. What changed since is recorded from a little earlier on, and what changed before up to a little later: too much is read again, never too little. The old
/// record goes on until the new one takes its place, so that a backup that fails, or is killed at any step, loses nothing.
/// </remarks>
public sealed class QemuBackup : IMachineMoment
{
    /// <summary>The first QEMU that shows what a filter has kept, and rather loses that than has the guest fail.</summary>
    internal static readonly Version Oldest = new(7, 1);

    private readonly QemuCommands _qemu;
    private readonly MomentOptions _options;
    private readonly QemuRunFolder _folder;
    private readonly QemuDisk[] _disks;
    private readonly List<MomentDisk> _opened = [];
    private bool _isServing;
    private bool _isOver;

    private QemuBackup(QemuCommands qemu, QemuRunFolder folder, QemuDisk[] disks, MomentOptions options) => (_qemu, _folder, _disks, _options) = (qemu, folder, disks, options);

    /// <inheritdoc/>
    public IReadOnlyList<MomentDisk> Disks => _opened;

    /// <inheritdoc/>
    public IReadOnlyList<(string Name, byte[] Content)> Files { get; internal set; } = [];

    /// <inheritdoc/>
    public MachineHardware? Hardware { get; internal set; }

    /// <inheritdoc/>
    public SourceConsistency Consistency { get; private set; } = new(ConsistencyLevel.None);

    /// <inheritdoc/>
    public TimeSpan Frozen { get; private set; }

    internal static async Task<QemuBackup> BeginAsync(QemuCommands qemu, string monitor, QemuDisk[] disks, MomentOptions options, CancellationToken cancellationToken)
    {
        QemuRunFolder folder = QemuRunFolder.Create(options.WorkFolder, monitor);
        var backup = new QemuBackup(qemu, folder, disks, options);
        try
        {
            await backup.PrepareAsync(cancellationToken).ConfigureAwait(false);
            (backup.Consistency, backup.Frozen) = await new QemuMoment(qemu, options).TakeAsync(backup.Written().Select(disk => (disk.Names.Top, disk.Names.Keeper)), cancellationToken).ConfigureAwait(false);
            await backup.ServeAsync(cancellationToken).ConfigureAwait(false);
            return backup;
        }
        catch
        {
            await backup.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <inheritdoc/>
    public void RequireHeld()
    {
        // A moment that is lost cannot be read: whoever reads has failed by now.
    }

    /// <summary>
    /// Ends the backup: what is written from its moment on is recorded as changed since the recovery point that was made of it, and the earlier record is dropped. Nothing of the backup stays in the machine but that.
    /// Called once, after the recovery point was committed.
    /// </summary>
    /// <param name="session">The recovery point that has the disks.</param>
    /// <param name="cancellationToken">Stops it before it begins.</param>
    /// <exception cref="BackupException">VirtualMachineUnreachable, VirtualMachineCommandFailed: the recovery point is good, and the next backup reads more than it had to.</exception>
    public async Task CommitAsync(SessionId session, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_isOver, this);
        cancellationToken.ThrowIfCancellationRequested();
        await _qemu.TransactionAsync(Written().SelectMany(disk => Commit(disk.Names, disk.Disk, session)), CancellationToken.None).ConfigureAwait(false);
        await EndAsync().ConfigureAwait(false);
    }

    /// <summary>Takes out of the machine what the backup has put in. Where it was not committed, the record of changes is as it was before.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_isOver)
        {
            return;
        }

        try
        {
            await EndAsync().ConfigureAwait(false);
        }
        catch (BackupException e)
        {
            // The next backup finds it. Most often QEMU has ended, and all with it.
            _options.Report(e);
        }
    }

    private static IEnumerable<JsonObject> Commit(QemuNames names, QemuDisk disk, SessionId session)
    {
        var record = new ChangeRecord(session, disk.Size, ChangeRecord.MarkOf(disk.Name));
        yield return QemuCommands.AddBitmap(disk.Node, record.Name, disk.KeepsBitmaps);
        yield return QemuCommands.MergeBitmap(disk.Node, names.NewBitmap, record.Name);
        foreach (QemuBitmap old in disk.Bitmaps.Where(bitmap => ChangeRecord.Parse(bitmap.Name) is not null))
        {
            yield return QemuCommands.RemoveBitmap(disk.Node, old.Name);
        }
    }

    // Where somebody made a snapshot meanwhile, the record goes on in the new image under its name, and what it had before is in the images below.
    private static IEnumerable<JsonObject> Copy(QemuNames names, QemuDisk disk, string record) =>
    [
        QemuCommands.AddBitmap(disk.Node, names.ReadBitmap, isDisabled: true),
        QemuCommands.MergeBitmap(disk.Node, record, names.ReadBitmap),
        .. disk.LowerBitmaps.Where(lower => lower.Bitmap.Name == record).Select(lower => QemuCommands.MergeBitmap(disk.Node, record, names.ReadBitmap, lower.Node)),
    ];

    // What the guest cannot write to is as it was at any moment.
    private IEnumerable<(QemuNames Names, QemuDisk Disk)> Written() => _disks.Index().Where(disk => !disk.Item.IsReadOnly).Select(disk => (new QemuNames(disk.Index), disk.Item));

    private async Task PrepareAsync(CancellationToken cancellationToken)
    {
        (QemuNames Names, QemuDisk Disk)[] written = [.. Written()];
        foreach ((QemuNames names, QemuDisk disk) in written)
        {
            string file = _folder.ScratchFile(names.Index);
            await _qemu.CreateImageAsync(new JsonObject { ["driver"] = "file", ["filename"] = file, ["size"] = 0 }, cancellationToken).ConfigureAwait(false);
            await _qemu.AddNodeAsync(names.File, "file", new JsonObject { ["filename"] = file }, cancellationToken).ConfigureAwait(false);
            await _qemu.CreateImageAsync(new JsonObject { ["driver"] = "qcow2", ["file"] = names.File, ["size"] = disk.Size }, cancellationToken).ConfigureAwait(false);
            await _qemu.AddNodeAsync(
                names.Scratch, "qcow2", new JsonObject { ["file"] = names.File, ["cache"] = new JsonObject { ["no-flush"] = true } }, cancellationToken).ConfigureAwait(false);
        }

        await _qemu.TransactionAsync(written.Select(disk => QemuCommands.AddBitmap(disk.Disk.Node, disk.Names.NewBitmap)), cancellationToken).ConfigureAwait(false);
        foreach ((QemuNames names, QemuDisk disk) in written)
        {
            JsonObject top = QemuCommands.TopOptions(names.Top, disk.Node);
            await _qemu.AddNodeAsync(names.Top, "raw", top, cancellationToken).ConfigureAwait(false);
            await _qemu.SetDriveAsync(disk.Device, names.Top, cancellationToken).ConfigureAwait(false);
            await _qemu.AddNodeAsync(
                names.Keeper,
                "copy-before-write",
                new JsonObject
                {
                    ["file"] = disk.Node,
                    ["target"] = names.Scratch,
                    ["discard"] = "unmap",
                    ["on-cbw-error"] = "break-snapshot",
                    ["cbw-timeout"] = (int)Math.Ceiling(_options.WriteDelay.TotalSeconds),
                },
                cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task ServeAsync(CancellationToken cancellationToken)
    {
        (ChangeRecord? Record, string? Note)[] records = [.. _disks.Select(RecordOf)];
        await _qemu.TransactionAsync(
            Written().Where(disk => records[disk.Names.Index].Record is not null).SelectMany(disk => Copy(disk.Names, disk.Disk, records[disk.Names.Index].Record!.Value.Name)),
            cancellationToken).ConfigureAwait(false);
        await StartServerAsync(cancellationToken).ConfigureAwait(false);
        foreach ((int index, QemuDisk disk) in _disks.Index())
        {
            var names = new QemuNames(index);
            (ChangeRecord? record, string? note) = records[index];
            var export = new JsonObject { ["type"] = "nbd", ["id"] = names.Export, ["name"] = names.Export, ["node-name"] = disk.IsReadOnly ? disk.Node : names.Moment };
            if (!disk.IsReadOnly)
            {
                await _qemu.AddNodeAsync(names.Moment, "snapshot-access", new JsonObject { ["file"] = names.Keeper }, cancellationToken).ConfigureAwait(false);
            }

            if (record is not null)
            {
                export["bitmaps"] = new JsonArray((JsonNode)new JsonObject { ["node"] = disk.Node, ["name"] = names.ReadBitmap });
            }

            await _qemu.RunAsync("block-export-add", export, cancellationToken).ConfigureAwait(false);
            NbdSourceDisk content = await NbdSourceDisk.OpenAsync(
                _folder.Socket,
                names.Export,
                disk.Name,
                record is { } found ? (names.ReadBitmap, found) : null,
                disk.IsReadOnly ? null : "Where the guest overwrote more than there is room for in the work folder, what it was is lost.",
                _options.ReadPatience,
                cancellationToken).ConfigureAwait(false);
            _opened.Add(new MomentDisk(disk.ToMachineDisk(), content, note));
        }
    }

    private async Task StartServerAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _qemu.RunAsync(
                "nbd-server-start", new JsonObject { ["addr"] = new JsonObject { ["type"] = "unix", ["data"] = new JsonObject { ["path"] = _folder.Socket } } }, cancellationToken).ConfigureAwait(false);
            _isServing = true;
        }
        catch (BackupException e) when (e.Message.Contains("already running", StringComparison.OrdinalIgnoreCase))
        {
            throw new BackupException(
                BackupErrorId.VirtualMachineBusy, $"The virtual machine '{_qemu.Machine}' serves its disks to somebody else, and can do so once only.", "End the other server (nbd-server-stop), and run the backup again.", _qemu.Machine, innerException: e);
        }
    }

    // Of several, the last: they are dropped together.
    private static (ChangeRecord? Record, string? Note) RecordOf(QemuDisk disk)
    {
        (QemuBitmap Bitmap, ChangeRecord Record)? last = disk.Bitmaps
            .Select(bitmap => (Bitmap: bitmap, Record: ChangeRecord.Parse(bitmap.Name)))
            .Where(bitmap => bitmap.Record is not null)
            .OrderBy(bitmap => bitmap.Record!.Value.Session)
            .Select(bitmap => ((QemuBitmap, ChangeRecord)?)(bitmap.Bitmap, bitmap.Record!.Value))
            .LastOrDefault();
        return disk.IsReadOnly ? (null, "The guest cannot write to it, and no record is kept of it.")
            : last is not { } found ? (null, "The virtual machine has no record of what changed since an earlier backup.")
            : found.Bitmap.IsInconsistent ? (null, "The virtual machine ended before its record of what changed could be stored.")
            : found.Record.Disk != ChangeRecord.MarkOf(disk.Name) ? (null, "At the last backup the disk had another name.")
            : disk.LowerBitmaps.Any(lower => lower.Bitmap.Name == found.Bitmap.Name && (lower.Bitmap.IsInconsistent || lower.Size != disk.Size))
                ? (null, "The image is written over another, whose record of what changed is of no use.")
            : !found.Bitmap.IsRecording ? (null, "The record of what changed was switched off.")
            : found.Record.Size > disk.Size ? (null, "The disk is smaller than it was at the last backup.")
            : (found.Record, null);
    }

    private async Task EndAsync()
    {
        _isOver = true;
        foreach (MomentDisk disk in _opened)
        {
            disk.Content.Dispose();
        }

        using (_folder)
        {
            await new QemuCleaning(_qemu).RunAsync(_isServing, CancellationToken.None).ConfigureAwait(false);
            _folder.IsOver = true;
        }
    }
}
