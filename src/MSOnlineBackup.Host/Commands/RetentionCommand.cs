using System.CommandLine;
using MSOnlineBackup.Agent.Retention;
using MSOnlineBackup.Host.Documents;
using MSOnlineBackup.Host.Rendering;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Host.Commands;

/// <summary><c>retention</c>.</summary>
internal sealed class RetentionCommand : HostCommand
{
    private readonly VaultSelection _vault;
    private readonly Option<string?> _machine;

    public RetentionCommand()
        : base(
            "retention",
            "List which recovery points are kept, by their own dates, and which are over; the oldest first. Nothing is changed.",
            "obengine retention --vault /mnt/backup --machine ALPHA")
    {
        _vault = new VaultSelection(this);
        _machine = Value("--machine", "NAME", "Only points of this machine.");
    }

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        using UnlockedVault vault = await _vault.UnlockAsync(context).ConfigureAwait(false);
        string? machine = context.Get(_machine);
        var retention = VaultRetention.ByTags(vault, context.Environment.Time);
        RetentionPlan plan =
            await retention.MeasureAsync(await retention.PlanAsync(machine, context.Stop).ConfigureAwait(false), context.Stop).ConfigureAwait(false);
        List<RetentionLine> lines = plan.Points.Select(RetentionLine.Of).ToList();
        context.Renderer.Table(
            lines,
            new TextTable<RetentionLine>(
                new Column<RetentionLine>("POINT", line => ShortId.Of(line.Id)),
                new Column<RetentionLine>("TIME", line => context.LocalTime(line.Started)),
                new Column<RetentionLine>("MACHINE", line => line.Machine),
                new Column<RetentionLine>("KEPT", line => line.Kept ? "yes" : "no"),
                new Column<RetentionLine>("RULE", line => line.Rule?.ToString().ToLowerInvariant() ?? "none"),
                new Column<RetentionLine>("UNTIL", line => line.Until is { } until ? context.LocalTime(until) : "-"),
                new Column<RetentionLine>("FREES", line => line.Bytes is { } bytes ? Quantity.Size(bytes) : "-", AlignRight: true),
                new Column<RetentionLine>("WHY", line => Describe(line.Reason))));
        foreach (DamagedPoint damaged in plan.Damaged)
        {
            context.Renderer.Item(DamagedPointLine.Of(damaged), line => $"DAMAGED  {line.Object}: {line.Problem}");
        }

        bool isWhole = plan.Damaged.Count == 0 && plan.Unmeasured is null;
        int expiring = plan.Expiring.Count();
        var summary = new RetentionSummary(lines.Count, expiring, plan.Bytes) { ExitCode = (int)(isWhole ? ExitCode.Success : ExitCode.CompletedWithSkips) };
        List<string> text = [];
        if (lines.Count == 0 && isWhole)
        {
            text.Add("There are no recovery points.");
        }

        if (expiring > 0 && plan.Bytes is { } together)
        {
            text.Add($"{Quantity.Count(expiring, "point")} to go, and {Quantity.Size(together)} with {(expiring == 1 ? "it" : "them")}: "
                + "what each alone needs, and what only they share.");
        }

        if (plan.Unmeasured is { } unmeasured)
        {
            text.Add($"How many bytes go is not known: {unmeasured.Message}");
        }

        if (plan.Damaged.Count > 0)
        {
            text.Add("While a recovery point of a machine cannot be read, none of that machine is deleted.");
        }

        return new Outcome(summary, string.Join('\n', text));
    }

    private static string Describe(RetentionReason reason) => reason switch
    {
        RetentionReason.Expired => "its time is over",
        RetentionReason.WithinRetention => "by its date",
        RetentionReason.Newest => "over, but the newest",
        RetentionReason.LongestKept => "over, but kept the longest",
        RetentionReason.ClockUnproven => "over by a clock that may have leapt",
        RetentionReason.Immutable => "over, but immutable",
        RetentionReason.NeededByWorkload => "over, but needed by a workload's log",
        RetentionReason.NotByPolicy => "made by no policy",
        _ => "its tag is of a newer version",
    };
}
