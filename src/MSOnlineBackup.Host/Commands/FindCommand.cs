using System.CommandLine;
using MSOnlineBackup.Host.Documents;
using MSOnlineBackup.Host.Rendering;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Registers;

namespace MSOnlineBackup.Host.Commands;

/// <summary><c>find</c>.</summary>
internal sealed class FindCommand : HostCommand
{
    private readonly Argument<string> _pattern;
    private readonly VaultSelection _vault;
    private readonly Option<string?> _point;
    private readonly Option<string?> _machine;
    private readonly Option<bool> _ignoreCase;
    private readonly Option<bool> _allPoints;
    private readonly Option<bool> _skipDamaged = PointSelection.SkipDamaged();

    public FindCommand()
        : base(
            "find",
            "Find items by name in one recovery point, or in all.",
            "obengine find '*.docx' --vault /mnt/backup\nobengine find report.odt --all-points --vault /mnt/backup")
    {
        _pattern =
            Required("PATTERN", "Wildcards: * ? [a-z]. Matched against the name, or against the full path if the pattern has a separator; ** crosses folders.");
        _vault = new VaultSelection(this);
        _point = Value("--point", "POINT", "Only in this recovery point, or in 'latest'. Default: in all, newest first.");
        _machine = Value("--machine", "NAME", "Only in points of this machine.");
        _allPoints = Flag("--all-points", "Show each item once, with its versions and the points that have them.");
        Add(_skipDamaged);
        _ignoreCase = Flag("--ignore-case", "Ignore case, as is always done for points from Windows.", "-i");
    }

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        if (context.Has(_allPoints) && context.Get(_point) is not null)
        {
            throw context.Invalid($"{_allPoints.Name} and {_point.Name} exclude each other.", "Give one of them.");
        }

        using UnlockedVault vault = await _vault.UnlockAsync(context, VaultUse.Read).ConfigureAwait(false);
        var damage = new DamageTally(context.Renderer);
        IReadOnlyList<RecoveryPoint> points = context.Get(_point) is { } id
            ? [await PointSelection.GetAsync(context, vault, id, context.Get(_machine), context.Has(_skipDamaged)).ConfigureAwait(false)]
            : await ListAsync(context, vault, damage).ConfigureAwait(false);
        IndexedVault index = await vault.IndexAsync(context.Stop).ConfigureAwait(false);
        if (context.Has(_allPoints))
        {
            return await FindVersionsAsync(context, index, points, damage).ConfigureAwait(false);
        }

        long count = 0;
        await foreach (FoundItem found in index
            .FindItemsAsync(points, context.Get(_pattern), context.Has(_ignoreCase), context.Stop, damage.Add).ConfigureAwait(false))
        {
            context.Renderer.Item(ItemLine.Of(found.Point, found.Item), line => $"{ShortId.Of(line.PointId)}  {ItemText.Short(line)}");
            count++;
        }

        return new Outcome(new ListSummary("find", count) { ExitCode = (int)damage.ExitCode }, count == 0 ? "Nothing matches." : "");
    }

    private async Task<Outcome> FindVersionsAsync(CommandContext context, IndexedVault index, IReadOnlyList<RecoveryPoint> points, DamageTally damage)
    {
        long count = 0;
        bool isOfMany = points.Select(point => point.MachineId).Distinct().Skip(1).Any();
        VersionLine? before = null;
        await foreach (ItemVersion found in index
            .FindVersionsAsync(points, context.Get(_pattern), context.Has(_ignoreCase), context.Stop, damage.Add).ConfigureAwait(false))
        {
            string title = before is { } last && last.Path == VersionLine.Of(found).Path && last.Machine == found.Last.MachineName ? "" : Title(found);
            before = VersionLine.Of(found);
            context.Renderer.Item(before, line => title + Text(line));
            count++;
        }

        return new Outcome(new ListSummary("find --all-points", count) { ExitCode = (int)damage.ExitCode }, count == 0 ? "Nothing matches." : "");

        string Title(ItemVersion found)
        {
            string path = ItemText.Short(ItemLine.Of(found.Last, found.Item));
            return isOfMany ? $"{path}  ({found.Last.MachineName})\n" : $"{path}\n";
        }

        string Text(VersionLine line)
        {
            string size = line.Kind == EntryKind.File ? Quantity.Size(line.Bytes) : line.Kind.ToString();
            string modified = line.Modified.ToDateTimeOffset() is { } known ? context.LocalTime(known) : line.Modified.ToString();
            string points = line.Points == 1
                ? $"in {ShortId.Of(line.LastPointId)}"
                : $"in {Quantity.Count(line.Points, "point")}, {ShortId.Of(line.FirstPointId)} to {ShortId.Of(line.LastPointId)}";
            return $"  {size,10}  {modified}  {points}";
        }
    }

    private async Task<IReadOnlyList<RecoveryPoint>> ListAsync(CommandContext context, UnlockedVault vault, DamageTally damage)
    {
        RecoveryPointList points = await vault.ListPointsAsync(context.Get(_machine), context.Stop).ConfigureAwait(false);
        foreach (DamagedPoint damaged in points.Damaged)
        {
            damage.Add(damaged.ToError());
        }

        return points;
    }
}
