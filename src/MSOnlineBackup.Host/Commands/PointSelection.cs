using System.CommandLine;
using MSOnlineBackup.Engine.Snapshots;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Host.Commands;

/// <summary>The argument POINT and the machine that "latest" means.</summary>
internal sealed class PointSelection
{
    private readonly Argument<string> _point = new("POINT")
    {
        Description = "A recovery point: the first digits of its id as 'obengine points' shows it, or 'latest'.",
    };

    private readonly Option<string?> _machine = new("--machine")
    {
        HelpName = "NAME",
        Description = "Only points of this machine: 'latest' is its newest.",
    };

    private readonly Option<bool> _skipDamaged = SkipDamaged();

    public PointSelection(Command command)
    {
        command.Add(_point);
        command.Add(_machine);
        command.Add(_skipDamaged);
    }

    /// <summary>The option without which a damaged newest point is an error.</summary>
    public static Option<bool> SkipDamaged() => new("--skip-damaged")
    {
        Description = "With 'latest': if the newest point is damaged, use the newest one that can be read.",
        Arity = ArgumentArity.Zero,
    };

    /// <summary>The point among those whose snapshots are on this machine; null where it is none of them.</summary>
    public LocalPoint? FindLocal(CommandContext context, IReadOnlyList<LocalPoint> points) => LocalPoints.Find(points, context.Get(_point), context.Get(_machine));

    /// <summary>What was named.</summary>
    public string Named(CommandContext context) => context.Get(_point);

    /// <summary>The point.</summary>
    public Task<RecoveryPoint> GetAsync(CommandContext context, UnlockedVault vault) =>
        GetAsync(context, vault, context.Get(_point), context.Get(_machine), context.Has(_skipDamaged));

    /// <summary>A point by its id, or the latest; that a damaged one is passed over is told.</summary>
    public static Task<RecoveryPoint> GetAsync(CommandContext context, UnlockedVault vault, string point, string? machine, bool skipDamaged) =>
        vault.GetPointAsync(point, machine, context.Stop, skipDamaged ? damaged => context.Renderer.Warn(damaged.ToError()) : null);
}
