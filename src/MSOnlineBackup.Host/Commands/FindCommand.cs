using System.CommandLine;
using MSOnlineBackup.Engine;
using MSOnlineBackup.Engine.RecoveryPoints;
using MSOnlineBackup.Host.Documents;
using MSOnlineBackup.Host.Rendering;

namespace MSOnlineBackup.Host.Commands;

/// <summary><c>find</c>.</summary>
internal sealed class FindCommand : HostCommand
{
    private readonly Argument<string> _pattern;
    private readonly VaultOptions _vault;
    private readonly Option<string?> _point;
    private readonly Option<string?> _machine;
    private readonly Option<bool> _ignoreCase;

    public FindCommand()
        : base("find", "Find items by name in one recovery point, or in all.", "obengine find '*.docx' --vault /mnt/backup")
    {
        _pattern = Required("PATTERN", "Wildcards: * ? [a-z]. Matched against the name, or against the full path where it has a '/'; ** crosses folders.");
        _vault = new VaultOptions(this);
        _point = Value("--point", "POINT", "Only in this recovery point, or 'latest'. Without it: in all, newest first.");
        _machine = Value("--machine", "NAME", "Only in points of this machine.");
        _ignoreCase = Flag("--ignore-case", "Take capital and small letters as the same.", "-i");
    }

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        BackupEngine engine = await _vault.OpenAsync(context, AskAhead.ForReading).ConfigureAwait(false);
        IReadOnlyList<RecoveryPoint> points = context.Get(_point) is { } id
            ? [await engine.GetPointAsync(id, context.Get(_machine), context.Stop).ConfigureAwait(false)]
            : await engine.ListPointsAsync(context.Get(_machine), context.Stop).ConfigureAwait(false);
        long count = 0;
        foreach (RecoveryPoint point in points)
        {
            await foreach (RecoverableItem item in engine
                .FindItemsAsync(point, context.Get(_pattern), context.Has(_ignoreCase), context.Stop).ConfigureAwait(false))
            {
                context.Renderer.Item(ItemLine.Of(point, item), line => $"{ShortId.Of(line.PointId)}  {ItemText.Short(line)}");
                count++;
            }
        }

        return new Outcome(new ListSummary("find", count), count == 0 ? "Nothing matches." : "");
    }
}
