using System.CommandLine;
using MSOnlineBackup.Engine;
using MSOnlineBackup.Engine.RecoveryPoints;
using MSOnlineBackup.Host.Documents;
using MSOnlineBackup.Host.Rendering;

namespace MSOnlineBackup.Host.Commands;

/// <summary><c>points</c>.</summary>
internal sealed class PointsCommand : HostCommand
{
    private readonly VaultOptions _vault;
    private readonly Option<string?> _machine;

    public PointsCommand()
        : base("points", "List the recovery points, newest first.", "obengine points --vault /mnt/backup")
    {
        _vault = new VaultOptions(this);
        _machine = Value("--machine", "NAME", "Only those of this machine.");
    }

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        BackupEngine engine = await _vault.OpenAsync(context).ConfigureAwait(false);
        string? machine = context.Get(_machine);
        IReadOnlyList<RecoveryPoint> points = await engine.ListPointsAsync(machine, context.Stop).ConfigureAwait(false);
        context.Renderer.Table(points.Select(PointLine.Of).ToList(), Layout(context));
        string none = machine is null ? "There are no recovery points yet." : $"There are no recovery points of a machine '{machine}'.";
        return new Outcome(new ListSummary("points", points.Count), points.Count == 0 ? none : "");
    }

    private static TextTable<PointLine> Layout(CommandContext context) => new(
        new Column<PointLine>("POINT", point => ShortId.Of(point.Id)),
        new Column<PointLine>("TIME", point => context.LocalTime(point.Ended)),
        new Column<PointLine>("MACHINE", point => point.Machine),
        new Column<PointLine>("STATUS", Status),
        new Column<PointLine>("FILES", point => Quantity.Count(point.Files), AlignRight: true),
        new Column<PointLine>("SIZE", point => Quantity.Size(point.Bytes), AlignRight: true),
        new Column<PointLine>("NEW", point => Quantity.Size(point.NewBytes), AlignRight: true),
        new Column<PointLine>("STORED", point => Quantity.Size(point.StoredBytes), AlignRight: true),
        new Column<PointLine>("SOURCES", Sources));

    private static string Status(PointLine point) => point.Status == RecoveryPointStatus.Completed
        ? "completed"
        : $"{Quantity.Count(point.Skipped)} skipped";

    private static string Sources(PointLine point)
    {
        string paths = string.Join(", ", point.Sources.Select(source => source.Path));
        return point.Tags.Count == 0 ? paths : $"{paths} [{string.Join(", ", point.Tags)}]";
    }
}
