using System.Text;
using System.Text.Json;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.VirtualMachines.Changes;
using MSOnlineBackup.VirtualMachines.GuestAgent;
using MSOnlineBackup.VirtualMachines.Images;
using MSOnlineBackup.VirtualMachines.Machines;
using MSOnlineBackup.VirtualMachines.Qemu;
using MSOnlineBackup.VirtualMachines.Qmp;
using MSOnlineBackup.VirtualMachines.Virsh;

namespace MSOnlineBackup.VirtualMachines.Libvirt;

/// <summary>
/// A machine of libvirt's on this machine. One that runs is backed up as every QEMU is, with its monitor reached through libvirt; one that is off by the images in its definition, under the same names. The
/// recovery point has its definition (<c>domain.xml</c>, without passwords) and the variables of its firmware (<c>nvram.fd</c>). One caller at a time.
/// </summary>
/// <remarks>
/// libvirt's own backup job is not used: it fails a write of the guest where there is no room for what that overwrites, also where the backup was killed and nobody looks after the room any more.
/// </remarks>
public sealed class LibvirtMachine : IVirtualMachine
{
    /// <summary>The definition of the machine in a recovery point, as libvirt starts it the next time.</summary>
    public const string DefinitionFile = "domain.xml";

    /// <summary>The variables of its firmware (UEFI) in a recovery point.</summary>
    public const string VariablesFile = "nvram.fd";

    private const int MostVariableBytes = 64 << 20;
    private const string MonitorDevice = "charmonitor";
    private const string UnixPrefix = "unix:";

    private readonly VirshProgram _virsh;
    private readonly string _domain;
    private QemuMachine? _running;
    private string? _folder;
    private DomainDefinition _live;

    private LibvirtMachine(VirshProgram virsh, DomainDefinition live) => (_virsh, _live, _domain) = (virsh, live, live.Uuid ?? live.Name);

    /// <inheritdoc/>
    public string Name => _live.Name;

    /// <inheritdoc/>
    public string? Uuid => _live.Uuid;

    /// <inheritdoc/>
    public string Hypervisor => _running is { } running ? $"{running.Hypervisor}, libvirt" : "off";

    /// <summary>Whether it runs, or is paused: as of the last time that it was asked for its disks, or connected to.</summary>
    public bool IsRunning => _running is not null;

    /// <summary>Finds it.</summary>
    /// <param name="uri">The address of libvirt: <c>qemu:///system</c> or <c>qemu:///session</c>.</param>
    /// <param name="domain">Its name or UUID.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">
    /// VirtualMachineProgramUnusable: there is no virsh; VirtualMachineUnreachable: libvirt does not answer, or lets this account not in; VirtualMachineUnfit: it knows no such machine.
    /// </exception>
    public static async Task<LibvirtMachine> ConnectAsync(string uri, string domain, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(uri);
        ArgumentException.ThrowIfNullOrEmpty(domain);
        var virsh = new VirshProgram(uri);
        string xml = await virsh.RunAsync(["dumpxml", "--domain", domain], domain, null, cancellationToken).ConfigureAwait(false);
        var machine = new LibvirtMachine(virsh, DomainDefinition.Read(xml));
        await machine.LookAsync(cancellationToken).ConfigureAwait(false);
        return machine;
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<MachineDisk>> ListDisksAsync(CancellationToken cancellationToken)
    {
        await LookAsync(cancellationToken).ConfigureAwait(false);
        if (_running is null)
        {
            var disks = new List<MachineDisk>();
            foreach (DomainDisk disk in _live.Disks)
            {
                long bytes = disk is { Image: { } image, IsPassedThrough: false } ? await OfflineDisk.LengthOfAsync(image, disk.Format, cancellationToken).ConfigureAwait(false) : 0;
                disks.Add(new MachineDisk(disk.Name, MachineDescription.FileOf(disk.Name), disk.Serial, bytes, disk.Format, disk.Image, disk.IsReadOnly));
            }

            return disks;
        }

        IReadOnlyList<MachineDisk> found = await ((IVirtualMachine)_running).ListDisksAsync(cancellationToken).ConfigureAwait(false);
        return
        [
            .. found.Select(disk => _live.Disks.FirstOrDefault(defined => defined.Name == disk.Name) is { } defined ? disk with { Serial = defined.Serial ?? disk.Serial } : disk),

            // What QEMU has as no disk is told, and not left out without a word.
            .. _live.Disks.Where(disk => found.All(other => other.Name != disk.Name))
                .Select(disk => new MachineDisk(disk.Name, MachineDescription.FileOf(disk.Name), disk.Serial, 0, disk.Format, disk.Image, disk.IsReadOnly)),
        ];
    }

    /// <inheritdoc/>
    public async Task<IMachineMoment> BeginAsync(IReadOnlyList<MachineDisk> disks, MomentOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(disks);
        ArgumentNullException.ThrowIfNull(options);
        await LookAsync(cancellationToken).ConfigureAwait(false);
        if (_live.Disks.FirstOrDefault(disk => disk.IsPassedThrough && disks.Any(chosen => chosen.Name == disk.Name)) is { } device)
        {
            throw Unfit($"has a disk '{device.Name}' that is a device of the host, which the guest speaks to itself (lun)", $"Leave it out (--exclude-disk {device.Name}), and back it up from within the guest.");
        }

        IReadOnlyList<(string Name, byte[] Content)> files = await ReadFilesAsync(cancellationToken).ConfigureAwait(false);
        IMachineMoment moment = _running is { } running
            ? await BeginRunningAsync(running, disks, options, cancellationToken).ConfigureAwait(false)
            : await BeginOffAsync(disks, options, cancellationToken).ConfigureAwait(false);
        return new LibvirtMoment(moment, files);
    }

    /// <summary>Nothing is held.</summary>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private async Task<IMachineMoment> BeginRunningAsync(QemuMachine running, IReadOnlyList<MachineDisk> disks, MomentOptions options, CancellationToken cancellationToken)
    {
        await RequireIdleAsync(cancellationToken).ConfigureAwait(false);
        bool canFreeze = _live.HasAgent && options.Freezer is not null;
        if (options.RequiresFreeze && !canFreeze)
        {
            throw new BackupException(
                BackupErrorId.GuestNotFrozen, $"The virtual machine '{Name}' was not held still: its guest agent is not connected.", "See to the guest agent in the guest, and to the channel org.qemu.guest_agent.0 in its definition.", Name);
        }

        return await ((IVirtualMachine)running).BeginAsync(
            disks,
            options with { WorkFolder = options.WorkFolder.Length > 0 ? options.WorkFolder : _folder!, AgentSocket = canFreeze ? VirshAgent.AddressOf(_virsh.Uri, _domain) : null },
            cancellationToken).ConfigureAwait(false);
    }

    private async Task<IMachineMoment> BeginOffAsync(IReadOnlyList<MachineDisk> disks, MomentOptions options, CancellationToken cancellationToken)
    {
        if (disks.FirstOrDefault(disk => disk.Image is null) is { } remote)
        {
            throw Unfit($"is off, and its disk '{remote.Name}' is in no file or device of this machine", $"Back it up while it runs, or leave the disk out (--exclude-disk {remote.Name}).");
        }

        await using var off = new OfflineMachine(Name, [.. disks.Select(disk => new MachineImage(disk.Name, disk.Image!, disk.Format))]);
        return await off.BeginAsync(disks, options with { WorkFolder = options.WorkFolder.Length > 0 ? options.WorkFolder : Path.GetTempPath() }, cancellationToken).ConfigureAwait(false);
    }

    // What it is now: since it was last looked at it may have been started, stopped, or given another disk.
    private async Task LookAsync(CancellationToken cancellationToken)
    {
        _live = DomainDefinition.Read(await _virsh.RunAsync(["dumpxml", "--domain", _domain], Name, null, cancellationToken).ConfigureAwait(false));
        string state = (await _virsh.RunAsync(["domstate", "--domain", _domain], Name, null, cancellationToken).ConfigureAwait(false)).Trim();
        if (state is "shut off" or "crashed")
        {
            (_running, _folder) = (null, null);
            return;
        }

        VirshMonitor monitor = await VirshMonitor.ConnectAsync(_virsh, _domain, cancellationToken).ConfigureAwait(false);
        JsonElement devices = await monitor.ExecuteAsync("query-chardev", null, cancellationToken).ConfigureAwait(false);
        string? socket = ((JsonElement?)devices).Elements().FirstOrDefault(device => device.Text("label") == MonitorDevice).Text("filename");
        _folder = socket?.StartsWith(UnixPrefix, StringComparison.Ordinal) == true && Path.GetDirectoryName(socket[UnixPrefix.Length..].Split(',')[0]) is { Length: > 0 } folder
            ? folder
            : throw Unfit("has no monitor on a socket of this machine", "See with 'virsh qemu-monitor-command' what 'query-chardev' says.");
        DomainDisk[] disks = [.. _live.Disks];
        _running = new QemuMachine(monitor, _folder, Name, Uuid) { Naming = id => Array.Find(disks, disk => disk.Alias == id)?.Name };
    }

    // Jobs of libvirt's, and of QEMU's that are not ours, change what is below the guest's devices.
    private async Task RequireIdleAsync(CancellationToken cancellationToken)
    {
        string job = await _virsh.RunAsync(["domjobinfo", "--domain", _domain], Name, null, cancellationToken).ConfigureAwait(false);
        string? kind = job.Split('\n').Select(line => line.Split(':', 2)).FirstOrDefault(line => line is ["Job type", _])?[1].Trim();
        VirshMonitor monitor = await VirshMonitor.ConnectAsync(_virsh, _domain, cancellationToken).ConfigureAwait(false);
        JsonElement jobs = await monitor.ExecuteAsync("query-jobs", null, cancellationToken).ConfigureAwait(false);
        string? other = kind is not (null or "None") ? "libvirt's job"
            : ((JsonElement?)jobs).Elements().Where(one => one.Text("id")?.StartsWith(ChangeRecord.Prefix, StringComparison.Ordinal) == false).Select(one => $"{one.Text("type")} '{one.Text("id")}'").FirstOrDefault();
        if (other is not null)
        {
            throw new BackupException(
                BackupErrorId.VirtualMachineBusy, $"Another job works on the virtual machine '{Name}': {other}.", "Wait for it to end ('virsh domjobinfo', 'virsh blockjob'), and run the backup again.", Name, transient: true);
        }
    }

    private async Task<IReadOnlyList<(string Name, byte[] Content)>> ReadFilesAsync(CancellationToken cancellationToken)
    {
        // Without --security-info: passwords of consoles are not for whoever may restore a machine.
        string xml = await _virsh.RunAsync(["dumpxml", "--domain", _domain, "--inactive"], Name, null, cancellationToken).ConfigureAwait(false);
        var files = new List<(string Name, byte[] Content)> { (DefinitionFile, Encoding.UTF8.GetBytes(xml)) };
        if (_live.Variables is not { } variables || !File.Exists(variables))
        {
            // A machine that has never been started has none yet.
            return files;
        }

        try
        {
            if (new FileInfo(variables).Length > MostVariableBytes)
            {
                throw Unfit($"has a file of variables '{variables}' of more than {MostVariableBytes >> 20} MiB", "See to its definition: it is no file of a firmware.");
            }

            files.Add((VariablesFile, await File.ReadAllBytesAsync(variables, cancellationToken).ConfigureAwait(false)));
            return files;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unfit($"has variables of its firmware that cannot be read: {e.Message.TrimEnd('.')}", "Run the backup as an account that may read them.", e);
        }
    }

    private BackupException Unfit(string why, string action, Exception? cause = null) => new(BackupErrorId.VirtualMachineUnfit, $"The virtual machine '{Name}' {why}.", action, Name, innerException: cause);
}
