using System.CommandLine;
using MSOnlineBackup.Engine;
using MSOnlineBackup.Engine.Views;
using MSOnlineBackup.Host.Documents;
using MSOnlineBackup.Mounts.Fuse;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Registers;

namespace MSOnlineBackup.Host.Commands;

/// <summary><c>mount</c>.</summary>
internal sealed class MountCommand : HostCommand
{
    private readonly Argument<string[]> _places;
    private readonly Option<bool> _all;
    private readonly Option<bool> _allowOther;
    private readonly Option<string?> _machine;
    private readonly Option<bool> _skipDamaged = PointSelection.SkipDamaged();
    private readonly VaultSelection _vault;

    public MountCommand()
        : base(
            "mount",
            "Show a recovery point, or all of them, as files in a folder, until it is unmounted or stopped.",
            """
            obengine mount latest /mnt/point --vault /mnt/backup
            obengine mount --all /mnt/points --vault /mnt/backup
            """)
    {
        _places = Many("POINT DIR", "A recovery point: the first digits of its id, or 'latest'; and an empty folder. With --all only the folder.", new ArgumentArity(1, 2));
        _all = Flag("--all", "Show all points: a folder for each machine, in it one for each point, and 'latest'.");
        _machine = Value("--machine", "NAME", "Only points of this machine: 'latest' is its newest.");
        Add(_skipDamaged);
        _allowOther = Flag("--allow-other", "Other users see it too, as far as the permissions of the files go. Without it nobody does but you.");
        _vault = new VaultSelection(this);
    }

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        IReadOnlyList<string> places = context.Get(_places);
        if (places.Count != (context.Has(_all) ? 1 : 2))
        {
            throw context.Invalid("Name a recovery point and a folder; with --all only the folder.");
        }

        using UnlockedVault vault = await _vault.UnlockAsync(context, VaultUse.Read).ConfigureAwait(false);
        var options = new ViewOptions();
        IndexedVault index;
        IItemView view;
        if (context.Has(_all))
        {
            index = await vault.IndexAsync(context.Stop).ConfigureAwait(false);
            view = await index.OpenViewAsync(context.Get(_machine), options, context.Stop).ConfigureAwait(false);
        }
        else
        {
            RecoveryPoint point = await PointSelection.GetAsync(context, vault, places[0], context.Get(_machine), context.Has(_skipDamaged)).ConfigureAwait(false);
            index = await vault.IndexAsync(context.Stop).ConfigureAwait(false);
            view = await index.OpenViewAsync(point, options, context.Stop).ConfigureAwait(false);
        }

        using (view)
        {
            FuseMount mount = FuseMount.Start(
                view,
                places[^1],
                new FuseOptions { AllowOther = context.Has(_allowOther) },
                context.Environment.Time,
                (path, failure) => context.Renderer.Warn(failure));
            await using (mount)
            {
                context.Renderer.Note($"Mounted on '{mount.Folder}'. Ctrl+C, or 'obengine unmount {mount.Folder}', ends it.");
                await mount.Ended.WaitAsync(context.Stop).ConfigureAwait(false);
            }
        }

        return new Outcome(new ListSummary("mount", 0), "Unmounted.");
    }
}
