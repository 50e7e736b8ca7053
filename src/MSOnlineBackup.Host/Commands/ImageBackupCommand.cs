using System.CommandLine;
using MSOnlineBackup.Agent.Jobs;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Host.Terminal;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.VirtualMachines.Backups;
using MSOnlineBackup.VirtualMachines.GuestAgent;
using MSOnlineBackup.VirtualMachines.Qemu;

namespace MSOnlineBackup.Host.Commands;

/// <summary><c>image backup</c>.</summary>
internal sealed class ImageBackupCommand : HostCommand
{
    private const string QmpScheme = "qmp:";

    private readonly Argument<string> _target;
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
            "Back up a virtual machine that runs under QEMU: its disks as they are at one moment, while it goes on. After the first time, what changed is read.",
            """
            obengine image backup qmp:/run/vm1/qmp.sock --vault /mnt/backup
            obengine image backup qmp:/run/vm1/qmp.sock --agent /run/vm1/agent.sock --exclude-disk scratch --vault /mnt/backup
            """)
    {
        _target = Required("MACHINE", "The machine: qmp: and the path of its monitor's socket (QEMU's option -qmp unix:PATH,server=on,wait=off).");
        _vault = new VaultSelection(this);
        _disks = Values("--disk", "NAME", "A disk to take, by the id of its drive or device. Default: all.");
        _excluded = Values("--exclude-disk", "NAME", "A disk to leave out.");
        _agent = Value("--agent", "SOCKET", "The socket of the guest agent: the guest's file systems are held still for the moment, and let go within 10 seconds, whatever happens here.");
        _hooks = Flag("--hooks", "The guest agent runs scripts that bring the guest's programs into order (qemu-ga -F).");
        _requireFreeze = Flag("--require-freeze", "Make no recovery point if the guest cannot be held still.");
        _work = Value("--work", "DIR", "A folder that QEMU's account can reach, with room for what the guest overwrites meanwhile. Default: /var/tmp.");
        _machine = Value("--machine", "NAME", "The name of the machine in the vault. Default: the name that QEMU was told.");
        _tags = Values("--tag", "WORD", "A word to attach to the recovery point.");
        _compression = Choice("--compression", "How hard to compress: fastest for a slow processor; better or max for a slow line, or for storage that is paid by size.", Compression.Default);
        _force = Flag("--force", "Read all of the disks, whatever the machine says of what changed.");
    }

    public override bool IsJob => true;

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        string target = context.Get(_target);
        if (!target.StartsWith(QmpScheme, StringComparison.OrdinalIgnoreCase) || target.Length == QmpScheme.Length)
        {
            throw context.Invalid($"'{target}' is no virtual machine.", "Write qmp: and the path of the monitor's socket, such as qmp:/run/vm1/qmp.sock.", target);
        }

        using UnlockedVault vault = await _vault.UnlockAsync(context, VaultUse.Write).ConfigureAwait(false);
        await using QemuMachine machine = await QemuMachine.ConnectAsync(target[QmpScheme.Length..], null, context.Stop).ConfigureAwait(false);
        BackupRequest backup = Request(context, machine);
        using IDisposable? held = await AgentJobs.TryHoldAsync(vault.Vault, backup.MachineName, context.Environment.Time, context.Stop).ConfigureAwait(false);
        var status = new BackupStatus(context, vault, backup.MachineName);
        MachineBackupResult result;
        try
        {
            result = await context.Renderer.FollowAsync(monitor => MachineBackup.RunAsync(vault, machine, Request(context, backup), monitor, context.Stop)).ConfigureAwait(false);
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

    private BackupRequest Request(CommandContext context, QemuMachine machine)
    {
        string name = context.Get(_machine) ?? (machine.Name.Contains('/', StringComparison.Ordinal)
            ? throw context.Invalid("QEMU was told no name of the machine.", "Say what it is called in the vault: --machine vm1.")
            : machine.Name);
        var request = new BackupRequest
        {
            MachineName = name,
            Sources = [],
            Tags = context.Get(_tags),
            ReadEverything = context.Has(_force),
            Compression = context.Parsed.GetValue(_compression),
        };
        request.Check();
        return request;
    }

    private MachineBackupRequest Request(CommandContext context, BackupRequest backup) => new()
    {
        Backup = backup,
        Disks = context.Get(_disks),
        ExcludedDisks = context.Get(_excluded),
        Machine = new QemuBackupOptions
        {
            WorkFolder = context.Get(_work) is { } work ? Path.GetFullPath(work) : Directory.Exists("/var/tmp") ? "/var/tmp" : Path.GetTempPath(),
            AgentSocket = context.Get(_agent) is { } agent ? Path.GetFullPath(agent) : null,
            Freezer = new FreezeChild([.. OwnProgram.Find(), "serve", "thaw"], context.Environment.Time),
            GuestHasHooks = context.Has(_hooks),
            RequiresFreeze = context.Has(_requireFreeze),
            Report = failure => context.Renderer.Warn(failure),
        },
    };
}
