using System.CommandLine;
using MSOnlineBackup.Agent;
using MSOnlineBackup.Engine.Snapshots;
using MSOnlineBackup.Host.Documents;
using MSOnlineBackup.Host.Rendering;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Host.Commands;

/// <summary>For commands about snapshots that stay on this machine.</summary>
internal abstract class SnapshotCommand : HostCommand
{
    private readonly Option<string?> _state;

    protected SnapshotCommand(string name, string summary, string example)
        : base(name, summary, example) =>
        _state = Value("--state", "DIR", "The folder of the machine's state. Default: MSONLINEBACKUP_STATE, or this account's.");

    protected string Records(CommandContext context) =>
        LocalPointSelection.RecordsIn(context.Get(_state) is { } folder ? Path.GetFullPath(folder) : AgentOptions.DefaultStateFolder);
}

/// <summary><c>snapshots list</c>.</summary>
internal sealed class SnapshotsListCommand : SnapshotCommand
{
    public SnapshotsListCommand()
        : base("list", "List the points whose snapshots stay on this machine. Needs neither the vault nor a passphrase.", "obengine snapshots list --json")
    {
    }

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        IReadOnlyList<LocalPoint> points = await LocalPoints.ListAsync(Records(context), context.Stop).ConfigureAwait(false);
        context.Renderer.Table([.. points.Select(LocalPointLine.Of)], new TextTable<LocalPointLine>(
            new Column<LocalPointLine>("POINT", line => ShortId.Of(line.Id)),
            new Column<LocalPointLine>("TIME", line => context.LocalTime(line.Started)),
            new Column<LocalPointLine>("MACHINE", line => line.Machine),
            new Column<LocalPointLine>("STATE", line => LocalPointSelection.Word(line.State, hasLocal: true)),
            new Column<LocalPointLine>("SNAPSHOTS", line => Quantity.Count(line.Snapshots), true),
            new Column<LocalPointLine>("SOURCES", line => string.Join(", ", line.Sources)),
            new Column<LocalPointLine>("REMARK", line => line.Obstacle ?? line.Failure ?? (line.Missing.Count == 0 ? "" : $"in no snapshot: {string.Join(", ", line.Missing)}"))));
        return new Outcome(new ListSummary("snapshots list", points.Count), points.Count == 0 ? "No snapshots stay on this machine: 'obengine backup --keep-local-snapshots' has some stay." : "");
    }
}

/// <summary><c>snapshots remove</c>.</summary>
internal sealed class SnapshotsRemoveCommand : SnapshotCommand
{
    private readonly Argument<string[]> _points;
    private readonly Option<bool> _all;

    public SnapshotsRemoveCommand()
        : base("remove", "Remove snapshots that stay on this machine. What the vault has stays there.", "obengine snapshots remove 0192f3a1b2")
    {
        _points = Many("POINT", "The first digits of the ids of points, as 'obengine snapshots list' shows them.", ArgumentArity.ZeroOrMore);
        _all = Flag("--all", "Remove all of them.");
    }

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        IReadOnlyList<string> wanted = context.Get(_points);
        bool all = context.Has(_all);
        if (all == (wanted.Count > 0))
        {
            throw context.Invalid(all ? "Points were named, and --all was given." : "It is not said which snapshots.", "Name points, or give --all.");
        }

        string records = Records(context);
        IReadOnlyList<LocalPoint> points = await LocalPoints.ListAsync(records, context.Stop).ConfigureAwait(false);
        if (wanted.FirstOrDefault(digits => !points.Any(point => point.Id.BeginsWith(digits))) is { } unknown)
        {
            throw new BackupException(
                BackupErrorId.RecoveryPointNotFound, $"This machine has no snapshots of a point '{unknown}'.", "'obengine snapshots list' shows which there are.", unknown);
        }

        int expected = points.Count(Matches);
        int removed = await LocalPoints.RemoveAsync(records, Matches, context.Renderer.Note, context.Stop).ConfigureAwait(false);
        return new Outcome(
            new ListSummary("snapshots remove", removed) { ExitCode = (int)(removed == expected ? ExitCode.Success : ExitCode.CompletedWithSkips) },
            $"The snapshots of {Quantity.Count(removed, "point")} were removed.{(removed == expected ? "" : " Others are in use: a backup or a restore is at work.")}");

        bool Matches(LocalPoint point) => all || wanted.Any(point.Id.BeginsWith);
    }
}
