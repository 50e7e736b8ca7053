using MSOnlineBackup.Host.Documents;
using MSOnlineBackup.Host.Rendering;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Repair;

namespace MSOnlineBackup.Host.Commands;

internal sealed class RepairIndexCommand : HostCommand
{
    private readonly VaultOptions _vault;

    public RepairIndexCommand()
        : base("index", "Rebuild a damaged or missing index from the stored packs.", "obengine repair index --vault /mnt/backup") =>
        _vault = new VaultOptions(this);

    public override bool IsJob => true;

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        UnlockedVault engine = await _vault.OpenAsync(context).ConfigureAwait(false);
        IndexRebuildReport report = await context.Renderer.FollowAsync(monitor => engine.RebuildIndexAsync(monitor, context.Stop)).ConfigureAwait(false);
        Findings.Write(context.Renderer, report.Damaged);
        var summary = new RepairSummary(report.Packs, report.Chunks, report.Damaged.Count)
        {
            ExitCode = (int)(report.Damaged.Count == 0 ? ExitCode.Success : ExitCode.Failed),
        };
        string damaged = report.Damaged.Count == 0 ? "" : $"; {Quantity.Count(report.Damaged.Count, "pack")} could not be read";
        string text = report.Packs == 0
            ? "The index was complete"
            : $"Indexed again: {Quantity.Count(report.Chunks, "chunk")} of {Quantity.Count(report.Packs, "pack")}";
        return new Outcome(summary, $"{text}{damaged}.");
    }
}
