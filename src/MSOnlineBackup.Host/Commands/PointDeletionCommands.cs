using System.CommandLine;
using MSOnlineBackup.Host.Documents;
using MSOnlineBackup.Host.Rendering;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Maintenance;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Host.Commands;

/// <summary><c>points delete</c>.</summary>
internal sealed class PointsDeleteCommand : HostCommand
{
    private readonly Argument<string[]> _points;
    private readonly VaultSelection _vault;
    private readonly Option<string?> _machine;
    private readonly Option<bool> _all;
    private readonly Option<string?> _reason;
    private readonly ConsentOptions _consent;

    public PointsDeleteCommand()
        : base(
            "delete",
            "Delete recovery points. They can be brought back for some time, which the vault's owner sets; maintenance ends them after that.",
            """
            obengine points delete 01a2cd45 --vault /mnt/backup
            obengine points delete --all --machine OLDSERVER --vault /mnt/backup
            """)
    {
        _points =
            Many("POINT", "The first digits of a point's id, as 'obengine points' shows it. The newest point of a machine stays.", ArgumentArity.ZeroOrMore);
        _vault = new VaultSelection(this);
        _machine = Value("--machine", "NAME", "Only points of this machine.");
        _all = Flag("--all", "All points of the machine that --machine names, the newest included.");
        _reason = Value("--reason", "TEXT", "Why: shown by 'obengine points deleted'.");
        _consent = new ConsentOptions(this);
    }

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        IReadOnlyList<string> ids = context.Get(_points);
        string? machine = context.Get(_machine);
        bool isAll = context.Has(_all);
        if (isAll ? machine is null || ids.Count > 0 : ids.Count == 0)
        {
            throw context.Invalid("It was not said what to delete.", $"Name points, or a machine by {_machine.Name} and {_all.Name}.");
        }

        using UnlockedVault vault = await _vault.UnlockAsync(context).ConfigureAwait(false);
        string reason = context.Get(_reason) ?? "";
        if (isAll)
        {
            int count = await vault.Deletions.DeleteMachineAsync(machine!, reason, context.Stop, _consent.Read(context)).ConfigureAwait(false);
            return new Outcome(
                new ListSummary("points delete", count),
                count == 0 ? $"There are no recovery points of a machine '{machine}'." : $"{Quantity.Count(count, "point")} deleted. 'obengine points deleted' "
                    + "shows until when each can be brought back.");
        }

        (List<RecoveryPoint> points, List<DamagedPoint> damaged) = await FindAsync(context, vault, ids, machine).ConfigureAwait(false);
        IReadOnlyList<DeletedPoint> deleted = await vault.Deletions.DeleteManyAsync(
            points, reason, evenNewest: false, context.Stop, _consent.Read(context), damaged).ConfigureAwait(false);
        DateTimeOffset until = deleted.Min(point => point.KeptUntil);
        return new Outcome(
            new ListSummary("points delete", deleted.Count),
            $"{Quantity.Count(deleted.Count, "point")} deleted. Until {context.LocalTime(until)} 'obengine points undelete' can bring back what was deleted.");
    }

    private static async Task<(List<RecoveryPoint> Points, List<DamagedPoint> Damaged)> FindAsync(
        CommandContext context, UnlockedVault vault, IReadOnlyList<string> ids, string? machine)
    {
        RecoveryPointList list = await vault.ListPointsAsync(machine, context.Stop).ConfigureAwait(false);
        var points = new Dictionary<string, RecoveryPoint>();
        var damaged = new Dictionary<string, DamagedPoint>();
        foreach (string id in ids)
        {
            if (list.Damaged.Where(point => point.SessionId.BeginsWith(id)).ToList() is [var only] && !list.Any(point => point.SessionId.BeginsWith(id)))
            {
                damaged[only.SessionId.ToString()] = only;
            }
            else
            {
                RecoveryPoint point = await vault.GetPointAsync(id, machine, context.Stop).ConfigureAwait(false);
                points[point.SessionId.ToString()] = point;
            }
        }

        return ([.. points.Values], [.. damaged.Values]);
    }
}

/// <summary><c>points deleted</c>.</summary>
internal sealed class PointsDeletedCommand : HostCommand
{
    private readonly VaultSelection _vault;
    private readonly Option<string?> _machine;

    public PointsDeletedCommand()
        : base("deleted", "List the recovery points that are deleted and can be brought back, newest first.", "obengine points deleted --vault /mnt/backup")
    {
        _vault = new VaultSelection(this);
        _machine = Value("--machine", "NAME", "Only those of this machine.");
    }

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        using UnlockedVault vault = await _vault.UnlockAsync(context).ConfigureAwait(false);
        IReadOnlyList<DeletedPoint> points = await vault.Deletions.ListAsync(context.Get(_machine), context.Stop).ConfigureAwait(false);
        context.Renderer.Table(
            points.Select(DeletedPointLine.Of).ToList(),
            new TextTable<DeletedPointLine>(
                new Column<DeletedPointLine>("POINT", line => ShortId.Of(line.Id)),
                new Column<DeletedPointLine>("TIME", line => line.Ended is { } ended ? context.LocalTime(ended) : "?"),
                new Column<DeletedPointLine>("MACHINE", line => line.Machine ?? line.MachineId),
                new Column<DeletedPointLine>("DELETED", line => context.LocalTime(line.Deleted)),
                new Column<DeletedPointLine>("KEPT UNTIL", line => context.LocalTime(line.KeptUntil)),
                new Column<DeletedPointLine>("REASON", line => line.Reason)));
        return new Outcome(new ListSummary("points deleted", points.Count), points.Count == 0 ? "No recovery point is deleted." : "");
    }
}

/// <summary><c>points undelete</c>.</summary>
internal sealed class PointsUndeleteCommand : HostCommand
{
    private readonly Argument<string[]> _points;
    private readonly VaultSelection _vault;
    private readonly Option<string?> _machine;

    public PointsUndeleteCommand()
        : base("undelete", "Bring deleted recovery points back.", "obengine points undelete 01a2cd45 --vault /mnt/backup")
    {
        _points = Many("POINT", "The first digits of a point's id, as 'obengine points deleted' shows it.", ArgumentArity.OneOrMore);
        _vault = new VaultSelection(this);
        _machine = Value("--machine", "NAME", "Only points of this machine.");
    }

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        using UnlockedVault vault = await _vault.UnlockAsync(context).ConfigureAwait(false);
        IReadOnlyList<string> ids = context.Get(_points);
        foreach (string id in ids)
        {
            await vault.Deletions.RestoreAsync(id, context.Get(_machine), context.Stop).ConfigureAwait(false);
        }

        return new Outcome(new ListSummary("points undelete", ids.Count), $"{Quantity.Count(ids.Count, "point")} brought back.");
    }
}
