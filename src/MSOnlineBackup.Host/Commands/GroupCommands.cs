using System.CommandLine;
using System.Globalization;
using MSOnlineBackup.Agent;
using MSOnlineBackup.Agent.Groups;
using MSOnlineBackup.Host.Documents;
using MSOnlineBackup.Host.Passphrases;
using MSOnlineBackup.Host.Rendering;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Host.Commands;

/// <summary><c>group list</c>.</summary>
internal sealed class GroupListCommand : HostCommand
{
    private readonly Argument<string[]> _names;
    private readonly AgentSelection _own;

    public GroupListCommand()
        : base("list", "List the protection groups that this server knows, with how their disk vaults stand.", "obengine group list --json")
    {
        _names = Many("GROUP", "Groups. Default: all.", ArgumentArity.ZeroOrMore);
        _own = new AgentSelection(this);
    }

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        BackupAgent agent = _own.Open(context);
        GroupOverview known = await agent.Groups.ListAsync(context.Stop).ConfigureAwait(false);
        foreach (BackupException problem in known.Problems)
        {
            context.Renderer.Warn(problem);
        }

        IReadOnlyList<string> names = context.Get(_names);
        if (names.FirstOrDefault(name => !known.Groups.Any(group => Is(group, name))) is { } missing)
        {
            throw ProtectionGroups.NotFound(missing, known.Problems);
        }

        ProtectionGroup[] found = [.. known.Groups.Where(group => names.Count == 0 || names.Any(name => Is(group, name)))];
        if (found.Length > 0)
        {
            await ShowAsync(context, agent.Groups, found).ConfigureAwait(false);
        }

        return new Outcome(new ListSummary("group list", found.Length), found.Length == 0 ? "This machine is the server of no protection group." : "");
    }

    /// <summary>Lists groups, with how their disk vaults stand.</summary>
    public static async Task ShowAsync(CommandContext context, ProtectionGroups groups, IReadOnlyList<ProtectionGroup> shown)
    {
        var disks = new List<DiskVaultLine>();
        foreach (ProtectionGroup group in shown)
        {
            disks.AddRange((await groups.ReadDisksAsync(group, context.Stop).ConfigureAwait(false)).Select(disk => DiskVaultLine.Of(group.Name, disk)));
        }

        Show(context, [.. shown.Select(GroupLine.Of)], disks);
    }

    private static bool Is(ProtectionGroup group, string name) => group.Name.Equals(name, StringComparison.OrdinalIgnoreCase);

    private static void Show(CommandContext context, IReadOnlyList<GroupLine> groups, IReadOnlyList<DiskVaultLine> disks)
    {
        context.Renderer.Table(
            groups,
            new TextTable<GroupLine>(
                new Column<GroupLine>("GROUP", line => line.Name),
                new Column<GroupLine>("MACHINES", line => string.Join(", ", line.Machines)),
                new Column<GroupLine>("DISK VAULTS", line => string.Join(", ", line.DiskVaults)),
                new Column<GroupLine>("COPIES", line => string.Join(", ", line.CopyTo))));
        context.Renderer.Table(
            disks,
            new TextTable<DiskVaultLine>(
                new Column<DiskVaultLine>("GROUP", line => line.Group),
                new Column<DiskVaultLine>("DISK VAULT", line => line.Path),
                new Column<DiskVaultLine>("STATE", line => line.State.ToString()),
                new Column<DiskVaultLine>("FREE", line => line.FreeBytes is { } free ? Quantity.Size(free) : ""),
                new Column<DiskVaultLine>("FULL ON", line => line.FullOn is { } full ? full.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) : "")));
    }
}

/// <summary><c>group backup</c>.</summary>
internal sealed class GroupBackupCommand : HostCommand
{
    private readonly Argument<string> _name;
    private readonly AgentSelection _own;

    public GroupBackupCommand()
        : base(
            "backup",
            "Have each machine of a protection group back up into its disk vault, over ssh, then copy what is new, and put the retention into force.",
            "obengine group backup web")
    {
        _name = Required("GROUP", "The group.");
        _own = new AgentSelection(this);
    }

    public override bool IsJob => true;

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        GroupRun run = await _own.Open(context).Groups.RunAsync(
            context.Get(_name),
            machine => context.Renderer.Note($"{machine.HostName}: {(machine.Failure is { } failure ? failure.Message : $"backed up to {machine.DiskVault}")}"),
            context.Stop).ConfigureAwait(false);
        BackupException[] failures = [.. run.Machines.Select(machine => machine.Failure).OfType<BackupException>()];
        BackupException[] warnings = [.. run.Warnings, .. run.Machines.SelectMany(machine => machine.Warnings), .. run.Copies.Select(copy => copy.Failure).OfType<BackupException>()];
        foreach (BackupException said in warnings.Concat(failures))
        {
            context.Renderer.Warn(said);
        }

        context.Renderer.Table(
            [.. run.Machines.Select(machine => GroupMachineLine.Of(run.Group.Name, machine))],
            new TextTable<GroupMachineLine>(
                new Column<GroupMachineLine>("MACHINE", line => line.Machine),
                new Column<GroupMachineLine>("DISK VAULT", line => line.DiskVault ?? ""),
                new Column<GroupMachineLine>("POINT", line => line.PointId is { } id ? ShortId.Of(id) : "NONE"),
                new Column<GroupMachineLine>("FILES", line => Quantity.Count(line.Files)),
                new Column<GroupMachineLine>("SIZE", line => Quantity.Size(line.Bytes)),
                new Column<GroupMachineLine>("STORED", line => Quantity.Size(line.StoredBytes)),
                new Column<GroupMachineLine>("", line => line.Error ?? "")));
        ExitCode code = failures.Length > 0 ? ExitCode.Failed : warnings.Length > 0 || run.Machines.Any(machine => machine.Point!.SkippedCount > 0) ? ExitCode.CompletedWithSkips : ExitCode.Success;
        int copied = run.Copies.Sum(copy => copy.Reports.Sum(report => report.PointsCopied));
        return new Outcome(
            new GroupBackupSummary(run.Group.Name, run.Machines.Count, failures.Length, copied, run.Copies.Count(copy => copy.Failure is not null), run.Expired, warnings.Length) { ExitCode = (int)code },
            $"{Quantity.Count(run.Machines.Count - failures.Length)} of {Quantity.Count(run.Machines.Count, "machine")} backed up, {Quantity.Count(copied, "recovery point")} copied.");
    }
}

/// <summary><c>server sync</c>.</summary>
internal sealed class ServerSyncCommand : HostCommand
{
    private readonly Argument<string?> _place;
    private readonly Option<string?> _from;
    private readonly PassphraseOptions _passphrase;
    private readonly Option<bool> _dryRun;
    private readonly AgentSelection _own;

    public ServerSyncCommand()
        : base(
            "sync",
            "Find again what a server knew from one of its vaults: protection groups, machines, pinned host keys. With --reallocate-from, make lost disk vaults anew from a copy first.",
            """
            obengine server sync /pool/a --passphrase-file ~/.vault-passphrase
            obengine server sync /new/disk --reallocate-from https://contoso.blob.core.windows.net/cloud
            """)
    {
        _place = Optional("VAULT", "Any place of the groups; with --reallocate-from an empty place on a disk. Default there: the disk vaults that are missing.");
        _from = Value("--reallocate-from", "COPY", "Make disk vaults anew as twins of this copy, with all of its recovery points.");
        _passphrase = PassphraseOptions.ForOpening(this);
        _dryRun = Flag("--dry-run", "Say what would be found, and change nothing.", "-n");
        _own = new AgentSelection(this);
    }

    public override bool IsJob => true;

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        string? place = context.GetOptional(_place);
        string? from = context.Get(_from);
        if (place is null && from is null)
        {
            throw context.Invalid("No vault was named.", "Name one of the places of the groups: obengine server sync VAULT.");
        }

        if (from is not null && context.Has(_dryRun))
        {
            throw context.Invalid("--dry-run was given with --reallocate-from.", "Leave one of them out: 'obengine server sync COPY --dry-run' says what the copy knows.");
        }

        ProtectionGroups groups = _own.Open(context).Groups;
        string? passphrase = await FindPassphraseAsync(groups, context).ConfigureAwait(false);
        ServerSyncReport report = from is null
            ? await groups.SyncAsync(VaultLocation.Full(place!), passphrase, context.Has(_dryRun), context.Stop).ConfigureAwait(false)
            : await context.Renderer.FollowAsync(monitor => groups.ReallocateAsync(VaultLocation.Full(from), place is null ? null : VaultLocation.Full(place), passphrase, monitor, context.Stop)).ConfigureAwait(false);
        foreach (BackupException problem in report.Problems)
        {
            context.Renderer.Warn(problem);
        }

        string text = $"{Quantity.Count(report.Groups.Count, "protection group")} ({string.Join(", ", report.Groups.Select(group => group.Name))}), {Quantity.Count(report.Machines.Count, "machine")}, "
            + $"{Quantity.Count(report.Points, "recovery point")} in {Quantity.Count(report.Places.Count, "place")}."
            + (report.HasChanged ? "" : " Nothing was changed.");
        return new Outcome(ServerSyncSummary.Of(report), text);
    }

    // Who has a key asks nobody, unless a passphrase was named.
    private async Task<string?> FindPassphraseAsync(ProtectionGroups groups, CommandContext context)
    {
        string place = VaultLocation.Full(context.Get(_from) ?? context.GetOptional(_place)!);
        return !_passphrase.IsNamed(context) && await groups.HasKeyAsync(place, context.Stop).ConfigureAwait(false) ? null : await _passphrase.ReadAsync(context).ConfigureAwait(false);
    }
}
