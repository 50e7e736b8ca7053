using System.CommandLine;
using MSOnlineBackup.Agent.Jobs;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Composition;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Host.Terminal;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.VirtualMachines.Backups;
using MSOnlineBackup.VirtualMachines.GuestAgent;
using MSOnlineBackup.VirtualMachines.Images;
using MSOnlineBackup.VirtualMachines.Libvirt;
using MSOnlineBackup.VirtualMachines.Machines;
using MSOnlineBackup.VirtualMachines.Qemu;

namespace MSOnlineBackup.Host.Commands;

/// <summary><c>image backup</c>.</summary>
internal sealed class ImageBackupCommand : HostCommand
{
    private const string QmpScheme = "qmp:";

    private readonly Argument<string[]> _targets;
    private readonly Option<string?> _format;
    private readonly VaultSelection _vault;
    private readonly Option<string[]> _disks;
    private readonly Option<string[]> _excluded;
    private readonly Option<string?> _agent;
    private readonly Option<bool> _hooks;
    private readonly Option<bool> _requireFreeze;
    private readonly Option<string?> _work;
    private readonly Option<string?> _machine;
    private readonly Option<string[]> _tags;
    private readonly Option<Compression> _compression;
    private readonly Option<bool> _force;

    public ImageBackupCommand()
        : base(
            "backup",
            "Back up a virtual machine: one that runs under QEMU, libvirt or in Azure, with its disks as they are at one moment, or one that is off by its images. After the first time, what changed is read.",
            """
            obengine image backup qmp:/run/vm1/qmp.sock --vault /mnt/backup
            obengine image backup qmp:/run/vm1/qmp.sock --agent /run/vm1/agent.sock --exclude-disk scratch --vault /mnt/backup
            obengine image backup qemu:///system/vm3 --vault /mnt/backup
            obengine image backup /srv/vm2/vda.qcow2 /srv/vm2/vdb.qcow2 --machine vm2 --vault /mnt/backup
            obengine image backup /subscriptions/ID/resourceGroups/GROUP/providers/Microsoft.Compute/virtualMachines/vm3 --vault /mnt/backup
            """)
    {
        _targets = Many("MACHINE", "The machine: qemu:///system/NAME for one of libvirt's; qmp: and the path of its monitor's socket (QEMU's option -qmp unix:PATH,server=on,wait=off); the address of one in Azure, /subscriptions/...; or the images of the disks of one that is off.", ArgumentArity.OneOrMore);
        _vault = new VaultSelection(this);
        _disks = Values("--disk", "NAME", "A disk to take, by the id of its drive or device; with libvirt by its target, such as vda; in Azure os, lun0 and so on. Default: all.");
        _excluded = Values("--exclude-disk", "NAME", "A disk to leave out.");
        _agent = Value("--agent", "SOCKET", "The socket of the guest agent: the guest's file systems are held still for the moment, and let go within 10 seconds, whatever happens here. With libvirt the agent is found without it.");
        _hooks = Flag("--hooks", "The guest agent runs scripts that bring the guest's programs into order (qemu-ga -F). In Azure: its own agent tells the guest's programs.");
        _requireFreeze = Flag("--require-freeze", "Make no recovery point if the guest cannot be held still.");
        _work = Value("--work", "DIR", "A folder that QEMU's account can reach, with room for what the guest overwrites meanwhile. Default: /var/tmp; with libvirt the machine's own folder.");
        _format = Value("--format", "FORMAT", "Of images, their format. Default: qcow2 for FILE.qcow2, raw for FILE.raw and FILE.img.");
        _machine = Value("--machine", "NAME", "The name of the machine in the vault. Default: the name that it has for QEMU, for libvirt, or in Azure.");
        _tags = Values("--tag", "WORD", "A word to attach to the recovery point.");
        _compression = Choice("--compression", "How hard to compress: fastest for a slow processor; better or max for a slow line, or for storage that is paid by size.", Compression.Default);
        _force = Flag("--force", "Read all of the disks, whatever the machine says of what changed.");
    }

    public override bool IsJob => true;

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        IReadOnlyList<string> targets = context.Get(_targets);
        LibvirtAddress? domain = null;
        if (targets.FirstOrDefault(LibvirtAddress.IsOne) is { } named)
        {
            domain = targets.Count == 1 ? LibvirtAddress.Parse(named) : throw context.Invalid($"'{named}' is one machine, and something else is named beside it.", "Back up one machine at a time.", named);
            if (context.Get(_agent) is not null || context.Get(_format) is not null)
            {
                throw context.Invalid("libvirt knows the agent of its machines, and the formats of their images.", "Leave out --agent and --format.");
            }
        }

        string? socket = targets is [var only] && only.StartsWith(QmpScheme, StringComparison.OrdinalIgnoreCase) ? only[QmpScheme.Length..] : null;
        if (socket is "" || (socket is null && targets.FirstOrDefault(target => target.StartsWith(QmpScheme, StringComparison.OrdinalIgnoreCase)) is not null))
        {
            throw context.Invalid($"'{targets[0]}' is no virtual machine.", "Write qmp: and the path of one monitor's socket, such as qmp:/run/vm1/qmp.sock, qemu:///system/NAME, or the images of one machine.", targets[0]);
        }

        string? address = targets is [var one] && AzureMachines.IsAddress(one) ? one : null;
        if (address is not null && (context.Get(_agent) is not null || context.Get(_work) is not null || context.Get(_format) is not null))
        {
            throw context.Invalid("A machine in Azure is held still by Azure's own agent, and nothing of it is kept here meanwhile.", "Leave out --agent, --work and --format.");
        }

        bool isOff = socket is null && address is null && domain is null;
        IReadOnlyList<MachineImage> images = isOff ? [.. targets.Select(file => Image(context, file))] : [];
        if (isOff && (context.Get(_disks).Count > 0 || context.Get(_excluded).Count > 0 || context.Get(_agent) is not null || context.Has(_hooks) || context.Has(_requireFreeze)))
        {
            throw context.Invalid("Images are those of a machine that is off: nobody holds it still, and its disks are the images that are named.", "Leave out --disk, --exclude-disk, --agent, --hooks and --require-freeze.");
        }

        using UnlockedVault vault = await _vault.UnlockAsync(context, VaultUse.Write).ConfigureAwait(false);
        await using IVirtualMachine machine = address is not null ? await AzureMachines.ConnectAsync(address, _vault.Connect(context), context.Stop).ConfigureAwait(false)
            : domain is not null ? await LibvirtMachine.ConnectAsync(domain.Uri, domain.Domain, context.Stop).ConfigureAwait(false)
            : socket is null ? new OfflineMachine(context.Get(_machine) ?? throw NoName(context, "The machine has no name."), images)
            : await QemuMachine.ConnectAsync(socket, null, context.Stop).ConfigureAwait(false);
        BackupRequest backup = Request(context, context.Get(_machine) ?? (machine.Name.Contains('/', StringComparison.Ordinal) ? throw NoName(context, "QEMU was told no name of the machine.") : machine.Name));
        return await RunAsync(context, vault, backup, monitor => MachineBackup.RunAsync(vault, machine, Request(context, backup, isLibvirt: domain is not null), monitor, context.Stop)).ConfigureAwait(false);
    }

    private static BackupException NoName(CommandContext context, string message) => context.Invalid(message, "Say what it is called in the vault: --machine vm1.");

    private static async Task<Outcome> RunAsync(CommandContext context, UnlockedVault vault, BackupRequest backup, Func<JobMonitor, Task<MachineBackupResult>> run)
    {
        using IDisposable? held = await AgentJobs.TryHoldAsync(vault.Vault, backup.MachineName, context.Environment.Time, context.Stop).ConfigureAwait(false);
        var status = new BackupStatus(context, vault, backup.MachineName);
        MachineBackupResult result;
        try
        {
            result = await context.Renderer.FollowAsync(run).ConfigureAwait(false);
        }
        catch (Exception e) when (e is BackupException or OperationCanceledException)
        {
            await status.TellAsync(e).ConfigureAwait(false);
            throw;
        }

        await status.TellAsync(result.Backup).ConfigureAwait(false);
        Outcome outcome = BackupCommand.Describe(context, result.Backup, vault.Traffic);
        string frozen = result.Frozen == TimeSpan.Zero ? "" : $"\nfrozen    {result.Frozen.TotalMilliseconds:0} ms";
        return new Outcome(outcome.Summary with { Command = "image backup" }, $"{outcome.Text}\ndisks     {string.Join(", ", result.Disks.Select(disk => disk.Name))}{frozen}");
    }

    private static PolicyLimits Limits(CommandContext context) => context.Environment.Variable("MSONLINEBACKUP_PROFILE") is not { Length: > 0 } profile
        ? PolicyLimits.Open
        : PolicyLimits.Find(profile) ?? throw context.Invalid($"There is no profile '{profile}'.", $"Set MSONLINEBACKUP_PROFILE to {PolicyLimits.Open.Name} or {PolicyLimits.Mars.Name}.", profile);

    private BackupRequest Request(CommandContext context, string machine)
    {
        var request = new BackupRequest
        {
            MachineName = machine,
            Sources = [],
            Tags = context.Get(_tags),
            ReadEverything = context.Has(_force),
            Compression = context.Parsed.GetValue(_compression),
        };
        request.Check();
        return request;
    }

    // By its name, which is the owner's: what is in it is a guest's.
    private MachineImage Image(CommandContext context, string file)
    {
        string format = context.Get(_format) ?? Path.GetExtension(file).ToLowerInvariant() switch
        {
            ".qcow2" => "qcow2",
            ".raw" or ".img" => "raw",
            _ => throw context.Invalid($"The format of '{file}' is not known.", "Say which it is: --format qcow2. For a machine that runs, write qmp: and the path of its monitor's socket, such as qmp:/run/vm1/qmp.sock.", file),
        };
        return new MachineImage(Path.GetFileNameWithoutExtension(file), Path.GetFullPath(file), format);
    }

    private MachineBackupRequest Request(CommandContext context, BackupRequest backup, bool isLibvirt) => new()
    {
        Backup = backup,
        Disks = context.Get(_disks),
        ExcludedDisks = context.Get(_excluded),
        Check = Limits(context).CheckDisks,
        Moment = new MomentOptions
        {
            WorkFolder = context.Get(_work) is { } work ? Path.GetFullPath(work) : isLibvirt ? "" : MomentOptions.UsualWorkFolder,
            AgentSocket = context.Get(_agent) is { } agent ? Path.GetFullPath(agent) : null,
            Freezer = new FreezeChild([.. OwnProgram.Find(), "serve", "thaw"], context.Environment.Time),
            GuestHasHooks = context.Has(_hooks),
            RequiresFreeze = context.Has(_requireFreeze),
            Report = failure => context.Renderer.Warn(failure),
        },
    };
}
