using System.CommandLine;
using MSOnlineBackup.Engine;
using MSOnlineBackup.Engine.RecoveryPoints;

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

    public PointSelection(Command command)
    {
        command.Add(_point);
        command.Add(_machine);
    }

    /// <summary>The point.</summary>
    public Task<RecoveryPoint> GetAsync(CommandContext context, BackupEngine engine) =>
        engine.GetPointAsync(context.Get(_point), context.Get(_machine), context.Stop);
}
