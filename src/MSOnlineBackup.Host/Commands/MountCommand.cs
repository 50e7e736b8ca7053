using System.CommandLine;
using MSOnlineBackup.Agent.Mounting;
using MSOnlineBackup.Host.Documents;
using MSOnlineBackup.Host.Rendering;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Registers;

namespace MSOnlineBackup.Host.Commands;

/// <summary><c>mount</c>.</summary>
internal sealed class MountCommand : HostCommand
{
    private readonly Argument<string[]> _places;
    private readonly Option<bool> _all;
    private readonly Option<bool> _writable;
    private readonly Option<bool> _allowOther;
    private readonly Option<bool> _skipDamaged = PointSelection.SkipDamaged();
    private readonly VaultSelection _vault;
    private readonly AgentSelection _agent;

    public MountCommand()
        : base(
            "mount",
            "Show a recovery point, or all of them, as files in a folder, until it is unmounted, stopped, or not read any more for six hours.",
            """
            obengine mount latest /mnt/point --vault /mnt/backup
            obengine mount --all /mnt/points --vault /mnt/backup
            """)
    {
        _places = Many("PLACES", "A recovery point (the first digits of its id, or 'latest') and an empty folder, or on Windows also a free drive letter (R:). With --all only the folder.", new ArgumentArity(1, 2));
        _all = Flag("--all", "Show all points: a folder for each machine, in it one for each point, and 'latest'.");
        _writable = Flag("--writable", "It can be written to. What is written goes when the mount goes, and nothing of it reaches the vault. Only for root.");
        _allowOther = Flag("--allow-other", "Other users see it too, as far as the permissions of the files go. Without it nobody does but you.");
        Add(_skipDamaged);
        _vault = new VaultSelection(this);
        _agent = new AgentSelection(this);
        Add(new MountRunCommand());
    }

    public override string StopNote => "Unmounting.";

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        IReadOnlyList<string> places = context.Get(_places);
        if (places.Count != (context.Has(_all) ? 1 : 2))
        {
            throw context.Invalid("Name a recovery point and a folder; with --all only the folder.");
        }

        using UnlockedVault vault = await _vault.UnlockAsync(context, VaultUse.Read).ConfigureAwait(false);
        RecoveryPoint? point = context.Has(_all)
            ? null
            : await PointSelection.GetAsync(context, vault, places[0], _agent.MachineNamed(context), context.Has(_skipDamaged)).ConfigureAwait(false);
        var order = new MountOrder
        {
            Folder = places[^1],
            PointId = point?.SessionId.ToString(),
            MachineName = _agent.MachineNamed(context),
            IsWritable = context.Has(_writable),
            AllowOther = context.Has(_allowOther),
        };
        RecoveryMount mount = await _agent.Open(context).Mounts.ServeAsync(order, vault, Show, new ServedDamage(context.Renderer).Warn, context.Stop).ConfigureAwait(false);
        return new Outcome(MountSummary.Of("mount", mount), $"'{mount.Folder}' is unmounted.");

        void Show(RecoveryMount there) => context.Renderer.Note(
            $"{(there.PointId is null ? "All recovery points are" : "The recovery point is")} mounted on '{there.Folder}'{(there.IsWritable ? ", and can be written to" : null)}. Ctrl+C, or 'obengine unmount {there.Folder}' elsewhere, ends it.");
    }
}

/// <summary><c>mount run</c>: what serves a mount in a process of its own.</summary>
internal sealed class MountRunCommand : HostCommand
{
    private readonly Argument<Guid> _id;
    private readonly AgentSelection _agent;

    public MountRunCommand()
        : base("run", "Serve a mount that the module has ordered. The module runs this command; it is not meant to be typed.", "obengine mount run 6f9619ff-8b86-4d01-b42d-00cf4fc964ff --state /var/lib/msonlinebackup")
    {
        _id = new Argument<Guid>("ID") { Description = "The mount's id: the name of its folder." };
        Add(_id);
        _agent = new AgentSelection(this);
    }

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        using var input = new StreamReader(context.Environment.OpenInput?.Invoke() ?? Stream.Null);
        RecoveryMount mount = await _agent.Open(context).Mounts.RunStartedAsync(
            context.Parsed.GetRequiredValue(_id), stop => input.ReadLineAsync(stop).AsTask(), new ServedDamage(context.Renderer).Warn, context.Stop).ConfigureAwait(false);
        return new Outcome(MountSummary.Of("mount run", mount), $"'{mount.Folder}' is unmounted.");
    }
}

/// <summary><c>mounts</c>.</summary>
internal sealed class MountsCommand : HostCommand
{
    private readonly AgentSelection _agent;

    public MountsCommand()
        : base("mounts", "List the recovery points that are mounted on this machine.", "obengine mounts --json") => _agent = new AgentSelection(this);

    public override Task<Outcome> RunAsync(CommandContext context)
    {
        IReadOnlyList<RecoveryMount> mounts = _agent.Open(context).Mounts.List();
        foreach (RecoveryMount mount in mounts)
        {
            context.Renderer.Item(
                MountLine.Of(mount),
                line => $"{line.Folder}  {(line.PointId is { } id ? ShortId.Of(id) : "all points")}  until {context.LocalTime(line.Expires)}, process {line.ProcessId}{(line.Troubles > 0 ? $", {line.Troubles} could not be read, last {line.LastTrouble}" : null)}");
        }

        return Task.FromResult(new Outcome(new ListSummary("mounts", mounts.Count), mounts.Count == 0 ? "Nothing is mounted." : ""));
    }
}

/// <summary><c>unmount</c>.</summary>
internal sealed class UnmountCommand : HostCommand
{
    private readonly Argument<string> _folder;
    private readonly Option<bool> _force;
    private readonly AgentSelection _agent;

    public UnmountCommand()
        : base("unmount", "End a mount of a recovery point.", "obengine unmount /mnt/point")
    {
        _folder = Required("DIR", "Its folder or drive letter, or its id.");
        _force = Flag("--force", "Also where a program has a file of it open, or works in it: that gets errors.");
        _agent = new AgentSelection(this);
    }

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        RecoveryMount mount = await _agent.Open(context).Mounts.StopAsync(context.Get(_folder), context.Has(_force), context.Stop).ConfigureAwait(false);
        return new Outcome(MountSummary.Of("unmount", mount), $"'{mount.Folder}' is unmounted.");
    }
}
