using MSOnlineBackup.Host.Documents;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults;


namespace MSOnlineBackup.Host.Commands;

/// <summary><c>skipped</c>.</summary>
internal sealed class SkippedCommand : HostCommand
{
    private readonly PointSelection _point;
    private readonly VaultSelection _vault;

    public SkippedCommand()
        : base("skipped", "List what a backup skipped, and why.", "obengine skipped latest --vault /mnt/backup")
    {
        _point = new PointSelection(this);
        _vault = new VaultSelection(this);
    }

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        using UnlockedVault vault = await _vault.UnlockAsync(context, VaultUse.Read).ConfigureAwait(false);
        RecoveryPoint point = await _point.GetAsync(context, vault).ConfigureAwait(false);
        IndexedVault index = await vault.IndexAsync(context.Stop).ConfigureAwait(false);
        long count = 0;
        var damage = new DamageTally(context.Renderer);
        await foreach (SkippedItem item in index.ListSkippedAsync(point, context.Stop, damage.Add).ConfigureAwait(false))
        {
            context.Renderer.Item(new SkippedLine(item.Path, item.Id, item.Reason), line => $"{line.Path}: {line.Reason} ({line.Id})");
            count++;
        }

        return new Outcome(new ListSummary("skipped", count) { ExitCode = (int)damage.ExitCode }, point.SkippedCount == 0 ? "Nothing was skipped." : "");
    }
}
