using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.VirtualMachines.Machines;
using MSOnlineBackup.VirtualMachines.Qmp;

namespace MSOnlineBackup.VirtualMachines.Qemu;

/// <summary>A virtual machine under QEMU that runs, by its monitor (QMP) on a socket. It is held for as long as this is open: a monitor takes one client. One caller at a time.</summary>
public sealed class QemuMachine : IVirtualMachine
{
    // What the guest takes out and puts in, or what is not a disk of data.
    private static readonly string[] _otherDevices = ["floppy", "scsi-cd", "ide-cd", "cfi.pflash01", "cfi.pflash02"];

    private readonly IQemuMonitor _monitor;
    private readonly QemuCommands _qemu;
    private readonly string _path;

    /// <summary>Creates it.</summary>
    /// <param name="monitor">The way to its monitor, which is closed with it.</param>
    /// <param name="path">A file or folder that belongs to QEMU's account.</param>
    /// <param name="name">What it is called.</param>
    /// <param name="uuid">Its UUID; null for none.</param>
    internal QemuMachine(IQemuMonitor monitor, string path, string name, string? uuid)
    {
        (_monitor, _path, Name, Uuid) = (monitor, path, name, uuid);
        _qemu = new QemuCommands(monitor, name);
    }

    /// <summary>Its name: what QEMU was told (<c>-name</c>), or else the path of the monitor.</summary>
    public string Name { get; }

    /// <inheritdoc/>
    public string? Uuid { get; }

    /// <inheritdoc/>
    public string Hypervisor => $"QEMU {Version}";

    /// <summary>What a device's disk is called, by the id of the device; null where the names are QEMU's own.</summary>
    internal Func<string, string?>? Naming { get; set; }

    /// <summary>The version of QEMU.</summary>
    public Version Version => _monitor.Version;

    /// <summary>Connects to it.</summary>
    /// <param name="monitor">The socket of its monitor: <c>-qmp unix:PATH,server=on,wait=off</c>.</param>
    /// <param name="patience">How long it may take to answer; null: 10 s.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">VirtualMachineUnreachable; VirtualMachineBusy: another client has the monitor.</exception>
    public static async Task<QemuMachine> ConnectAsync(string monitor, TimeSpan? patience, CancellationToken cancellationToken)
    {
        QmpClient client = await QmpClient.ConnectAsync(monitor, patience ?? TimeSpan.FromSeconds(10), cancellationToken).ConfigureAwait(false);
        try
        {
            string? name = (await client.ExecuteAsync("query-name", null, cancellationToken).ConfigureAwait(false)).Text("name");
            string? uuid = (await client.ExecuteAsync("query-uuid", null, cancellationToken).ConfigureAwait(false)).Text("UUID");
            return new QemuMachine(client, monitor, name is { Length: > 0 } ? name : monitor, uuid?.All(letter => letter is '0' or '-') == true ? null : uuid);
        }
        catch (Exception e)
        {
            await client.DisposeAsync().ConfigureAwait(false);
            if (e is QmpException refused)
            {
                throw refused.ToError(monitor);
            }

            throw;
        }
    }

    /// <summary>Its disks: no drives of CDs and floppies, and no firmware.</summary>
    /// <exception cref="BackupException">VirtualMachineUnreachable, VirtualMachineCommandFailed.</exception>
    public async Task<IReadOnlyList<QemuDisk>> ListDisksAsync(CancellationToken cancellationToken)
    {
        IReadOnlyDictionary<string, QemuNode> nodes = await _qemu.ListNodesAsync(cancellationToken).ConfigureAwait(false);
        QemuGraph graph = await _qemu.ReadGraphAsync(cancellationToken).ConfigureAwait(false);
        var disks = new List<QemuDisk>();
        foreach ((string device, string drive, string top) in await _qemu.ListDrivesAsync(cancellationToken).ConfigureAwait(false))
        {
            string? kind = await _qemu.TryGetPropertyAsync(device, "type", cancellationToken).ConfigureAwait(false);
            QemuNode? node = nodes.GetValueOrDefault(QemuNames.OfTop(top) is { } names ? graph.SourceOf(names) ?? "" : top);
            if (node is null || kind is null || _otherDevices.Contains(kind))
            {
                continue;
            }

            string? serial = await _qemu.TryGetPropertyAsync(device, "serial", cancellationToken).ConfigureAwait(false);
            disks.Add(new QemuDisk(device, Naming?.Invoke(NameOf(device)) ?? (drive.Length > 0 ? drive : NameOf(device)), node.Name, serial, node.Size ?? 0, node.Driver, node.File, node.IsReadOnly, node.Bitmaps) {
                KeepsBitmaps = node.KeepsBitmaps,
                LowerBitmaps = [.. graph.BackingOf(node.Name).Select(nodes.GetValueOrDefault).OfType<QemuNode>().SelectMany(lower => lower.Bitmaps.Select(bitmap => (lower.Name, lower.Size, bitmap)))],
            });
        }

        return disks;
    }

    /// <summary>
    /// Begins a backup: all disks are given as they are at one moment. What an earlier backup has left in the machine that was killed is taken out first.
    /// </summary>
    /// <param name="disks">Disks of <see cref="ListDisksAsync"/>.</param>
    /// <param name="options">How.</param>
    /// <param name="cancellationToken">Stops it; then nothing of it stays in the machine.</param>
    /// <exception cref="BackupException">
    /// VirtualMachineUnreachable, VirtualMachineBusy, VirtualMachineCommandFailed, VirtualMachineUnfit; GuestNotFrozen where that is demanded; GuestNotThawed.
    /// </exception>
    public async Task<QemuBackup> BeginBackupAsync(IReadOnlyList<QemuDisk> disks, MomentOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(disks);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfZero(disks.Count);
        if (Version < QemuBackup.Oldest)
        {
            throw new BackupException(
                BackupErrorId.VirtualMachineUnfit, $"The virtual machine '{Name}' runs under QEMU {Version}, which cannot keep a moment without harm to the guest.", $"Update QEMU to {QemuBackup.Oldest} or later.", Name);
        }

        await new QemuCleaning(_qemu).RunAfterOthersAsync(cancellationToken).ConfigureAwait(false);
        QemuRunFolder.Sweep(options.WorkFolder);
        IReadOnlyList<QemuDisk> now = await ListDisksAsync(cancellationToken).ConfigureAwait(false);
        QemuDisk[] chosen = [.. disks.Select(disk => now.FirstOrDefault(other => other.Device == disk.Device) ?? throw Gone(disk.Name))];
        return await QemuBackup.BeginAsync(_qemu, _path, chosen, options, cancellationToken).ConfigureAwait(false);
    }

    async Task<IReadOnlyList<MachineDisk>> IVirtualMachine.ListDisksAsync(CancellationToken cancellationToken) =>
        [.. (await ListDisksAsync(cancellationToken).ConfigureAwait(false)).Select(disk => disk.ToMachineDisk())];

    async Task<IMachineMoment> IVirtualMachine.BeginAsync(IReadOnlyList<MachineDisk> disks, MomentOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(disks);
        IReadOnlyList<QemuDisk> all = await ListDisksAsync(cancellationToken).ConfigureAwait(false);
        QemuDisk[] chosen = [.. disks.Select(disk => all.FirstOrDefault(other => other.Name == disk.Name) ?? throw Gone(disk.Name))];
        (MachineHardware hardware, byte[]? variables) = await new QemuHardware(_qemu).ReadAsync(all, cancellationToken).ConfigureAwait(false);
        QemuBackup backup = await BeginBackupAsync(chosen, options, cancellationToken).ConfigureAwait(false);
        (backup.Hardware, backup.Files) = (hardware, variables is null ? [] : [(MachineHardware.VariablesFile, variables)]);
        return backup;
    }

    /// <summary>Lets go of the monitor.</summary>
    public ValueTask DisposeAsync() => _monitor.DisposeAsync();

    private BackupException Gone(string disk) => new(
        BackupErrorId.VirtualMachineUnfit, $"The virtual machine '{Name}' has no disk '{disk}' any more.", "See which disks it has, and run the backup again.", disk);

    // /machine/peripheral/ID or /machine/peripheral/ID/virtio-backend
    private static string NameOf(string device) => device.Split('/') is [_, _, _, var id, ..] ? id : device;
}
