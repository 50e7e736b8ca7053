using System.CommandLine;
using MSOnlineBackup.Agent.Jobs;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Host.Documents;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.VirtualMachines.Restores;

namespace MSOnlineBackup.Host.Commands;

/// <summary>What the commands that restore machines and their disks have in common.</summary>
internal abstract class MachineRestoreCommand : HostCommand
{
    private readonly PointSelection _point;
    private readonly VaultSelection _vault;

    protected MachineRestoreCommand(string name, string summary, string example)
        : base(name, summary, example)
    {
        _point = new PointSelection(this);
        _vault = new VaultSelection(this);
    }

    public override bool IsJob => true;

    public override string StopNote => "Stopping; nothing half stays. Interrupt again to end at once.";

    /// <summary>Restores from the point that was named, and tells of it.</summary>
    protected async Task<Outcome> UseAsync(CommandContext context, VaultUse use, Func<UnlockedVault, MachinePoint, JobMonitor, Task<RestoredMachine>> restore)
    {
        using UnlockedVault vault = await _vault.UnlockAsync(context, use).ConfigureAwait(false);
        RecoveryPoint found = await _point.GetAsync(context, vault).ConfigureAwait(false);
        using IDisposable? held = use == VaultUse.Write ? await AgentJobs.TryHoldAsync(vault.Vault, found.MachineName, context.Environment.Time, context.Stop).ConfigureAwait(false) : null;
        using MachinePoint point = await MachinePoint.OpenAsync(await vault.IndexAsync(context.Stop).ConfigureAwait(false), found, context.Stop).ConfigureAwait(false);
        RestoredMachine made = await context.Renderer.FollowAsync(monitor => restore(vault, point, monitor)).ConfigureAwait(false);
        var summary = new MachineRestoreSummary(
            $"image {Name}", found.SessionId.ToString(), made.Name, [.. made.Disks.Select(disk => disk.Disk.Name)], [.. made.Disks.Select(disk => disk.File)], made.Definition, made.Script, made.Kept, made.SafetyPoint, made.Notes);
        string?[] lines =
        [
            .. made.Disks.Select(disk => $"restored    {disk.Disk.Name} to {disk.File}"),
            made.Definition is { } definition ? $"definition  {definition} (virsh define)" : null,
            made.Script is { } script ? $"start       {script}" : null,
            .. made.Notes,
        ];
        return new Outcome(summary, string.Join('\n', lines.OfType<string>()));
    }

    /// <summary>What is done with files that are there.</summary>
    protected static ExistingFiles Existing(CommandContext context, bool force)
    {
        string profile = context.Environment.Variable("MSONLINEBACKUP_PROFILE") ?? PolicyLimits.Open.Name;
        PolicyLimits limits = PolicyLimits.Find(profile)
            ?? throw context.Invalid($"There is no profile '{profile}'.", $"Use {PolicyLimits.Open.Name} or {PolicyLimits.Mars.Name}.", profile);
        return limits == PolicyLimits.Mars ? ExistingFiles.RefuseByProfile : force ? ExistingFiles.Replace : ExistingFiles.Refuse;
    }
}

/// <summary><c>image restore-machine</c>.</summary>
internal sealed class ImageRestoreMachineCommand : MachineRestoreCommand
{
    private readonly Option<string> _as = new("--as") { HelpName = "NAME", Required = true, Description = "The name of the new machine." };
    private readonly Option<string> _to = new("--to") { HelpName = "DIR", Required = true, Description = "The folder for its images and definitions." };
    private readonly Option<string?> _format;
    private readonly Option<string?> _network;
    private readonly Option<bool> _force;

    public ImageRestoreMachineCommand()
        : base(
            "restore-machine",
            "Restore a virtual machine as a new one: the images of its disks, a definition for libvirt, and a script that starts it under QEMU.",
            """
            obengine image restore-machine latest --as vm1-new --to /srv/vm1-new --machine vm1 --vault /mnt/backup
            obengine image restore-machine latest --as vm1-new --to /srv/vm1-new --network user --machine vm1 --vault /mnt/backup
            """)
    {
        Add(_as);
        Add(_to);
        _format = Value("--format", "FORMAT", "The format of the images: qcow2 or raw. Default: qcow2.");
        _network = Value("--network", "NETWORK", "What its network cards are connected to: none, user, or the name of a bridge. Default: none.");
        _force = Flag("--force", "Replace files of these names.");
    }

    public override Task<Outcome> RunAsync(CommandContext context)
    {
        string network = context.Get(_network) ?? MachineNetwork.None.Text;
        var request = new NewMachineRequest
        {
            Name = context.Parsed.GetRequiredValue(_as),
            Folder = context.Parsed.GetRequiredValue(_to),
            Format = context.Get(_format) ?? "qcow2",
            Network = MachineNetwork.Parse(network) ?? throw context.Invalid($"'{network}' is no network.", "Use none, user, or the name of a bridge.", network),
            Existing = Existing(context, context.Has(_force)),
        };
        return UseAsync(context, VaultUse.Read, (_, point, monitor) => MachineRestore.CreateAsync(point, request, monitor, context.Stop));
    }
}

/// <summary><c>image restore-disk</c>.</summary>
internal sealed class ImageRestoreDiskCommand : MachineRestoreCommand
{
    private readonly Argument<string> _disk;
    private readonly Option<string> _to = new("--to") { HelpName = "FILE", Required = true, Description = "The file of the image." };
    private readonly Option<string?> _format;
    private readonly Option<bool> _force;

    public ImageRestoreDiskCommand()
        : base(
            "restore-disk",
            "Restore one disk of a virtual machine as an image.",
            """
            obengine image restore-disk latest vda --to /srv/images/vda.qcow2 --machine vm1 --vault /mnt/backup
            """)
    {
        _disk = Required("DISK", "The disk, as 'obengine image ls POINT' lists it.");
        Add(_to);
        _format = Value("--format", "FORMAT", "The format of the image: qcow2 or raw. Default: by the file's ending.");
        _force = Flag("--force", "Replace a file of this name, unless a machine that runs has it.");
    }

    public override Task<Outcome> RunAsync(CommandContext context)
    {
        ExistingFiles existing = Existing(context, context.Has(_force));
        return UseAsync(context, VaultUse.Read, (_, point, monitor) => MachineRestore.RestoreDiskAsync(
            point, context.Get(_disk), context.Parsed.GetRequiredValue(_to), context.Get(_format), existing, monitor, context.Stop));
    }
}

/// <summary><c>image replace-disk</c>.</summary>
internal sealed class ImageReplaceDiskCommand : MachineRestoreCommand
{
    private readonly Argument<string> _disk;
    private readonly Option<bool> _undo;
    private readonly Option<string?> _image;
    private readonly Option<string?> _format;
    private readonly Option<string?> _work;
    private readonly Option<bool> _force;

    public ImageReplaceDiskCommand()
        : base(
            "replace-disk",
            "Replace the disk of a virtual machine that is off by what it was. What it is gets a recovery point first, and its file is kept; --undo puts it back.",
            """
            obengine image replace-disk latest vda --machine vm1 --vault /mnt/backup
            obengine image replace-disk 6d1f vda --undo --machine vm1 --vault /mnt/backup
            """)
    {
        _disk = Required("DISK", "The disk, as 'obengine image ls POINT' lists it.");
        _undo = Flag("--undo", "Put the disk back that was replaced from this recovery point.");
        _image = Value("--image", "FILE", "The image of the disk now. Default: the one that the recovery point names.");
        _format = Value("--format", "FORMAT", "The format of that image: qcow2 or raw. Default: with --image by the file's ending, otherwise as in the recovery point.");
        _work = Value("--work", "DIR", "A folder for sockets. Default: /var/tmp.");
        _force = Flag("--force", "Make no recovery point of the disk as it is. Its file is kept all the same.");
    }

    public override Task<Outcome> RunAsync(CommandContext context)
    {
        var request = new DiskReplacementRequest
        {
            Disk = context.Get(_disk),
            Image = context.Get(_image),
            Format = context.Get(_format),
            SkipsSafetyPoint = context.Has(_force),
            WorkFolder = context.Get(_work) is { } work ? Path.GetFullPath(work) : Directory.Exists("/var/tmp") ? "/var/tmp" : Path.GetTempPath(),
        };
        return UseAsync(context, VaultUse.Write, (vault, point, monitor) =>
        {
            var replacement = new DiskReplacement(vault, point, monitor);
            return context.Has(_undo) ? replacement.UndoAsync(request, context.Stop) : replacement.RunAsync(request, context.Stop);
        });
    }
}
