using System.CommandLine;
using MSOnlineBackup.Host.Documents;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Registers;

namespace MSOnlineBackup.Host.Commands;

/// <summary><c>ls</c>.</summary>
internal sealed class ListCommand : HostCommand
{
    private readonly PointSelection _point;
    private readonly Argument<string?> _path;
    private readonly VaultSelection _vault;
    private readonly Option<bool> _long;
    private readonly Option<bool> _recursive;

    public ListCommand()
        : base("ls", "List what a recovery point holds.", "obengine ls latest /home/anna/Documents -l --vault /mnt/backup")
    {
        _point = new PointSelection(this);
        _path = Optional("PATH", "The full path of a folder or file, as it was backed up. Default: the backed-up roots.");
        _vault = new VaultSelection(this);
        _long = Flag("--long", "Also show mode, owner, group (for Windows: attributes), size (bytes) and time of modification.", "-l");
        _recursive = Flag("--recursive", "List everything below.", "-R");
    }

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        using UnlockedVault vault = await _vault.UnlockAsync(context, VaultUse.Read).ConfigureAwait(false);
        RecoveryPoint point = await _point.GetAsync(context, vault).ConfigureAwait(false);
        IndexedVault index = await vault.IndexAsync(context.Stop).ConfigureAwait(false);
        Func<ItemLine, string> text = context.Has(_long) ? line => ItemText.Long(line, context) : ItemText.Short;
        long count = 0;
        var damage = new DamageTally(context.Renderer);
        await foreach (RecoverableItem item in index
            .ListItemsAsync(point, context.GetOptional(_path), context.Has(_recursive), context.Stop, damage.Add).ConfigureAwait(false))
        {
            context.Renderer.Item(ItemLine.Of(point, item), text);
            count++;
        }

        return new Outcome(new ListSummary("ls", count) { ExitCode = (int)damage.ExitCode }, "");
    }
}
