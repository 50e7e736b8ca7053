using MSOnlineBackup.Host.Documents;
using MSOnlineBackup.Host.Rendering;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Repair;

namespace MSOnlineBackup.Host.Commands;

internal sealed class RepairIndexCommand : HostCommand
{
    private readonly VaultSelection _vault;

    public RepairIndexCommand()
        : base("index", "Rebuild a damaged or missing index from the stored packs.", "obengine repair index --vault /mnt/backup") =>
        _vault = new VaultSelection(this);

    public override bool IsJob => true;

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        using UnlockedVault vault = await _vault.UnlockAsync(context).ConfigureAwait(false);
        IndexRebuildReport report = await context.Renderer.FollowAsync(async monitor =>
            await (await vault.IndexAsync(context.Stop, monitor).ConfigureAwait(false)).RebuildIndexAsync(monitor, context.Stop).ConfigureAwait(false)).ConfigureAwait(false);
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
