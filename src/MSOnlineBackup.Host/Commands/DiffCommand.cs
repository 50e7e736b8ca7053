using System.CommandLine;
using System.Globalization;
using MSOnlineBackup.Host.Documents;
using MSOnlineBackup.Host.Rendering;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Registers;

namespace MSOnlineBackup.Host.Commands;

/// <summary><c>diff</c>.</summary>
internal sealed class DiffCommand : HostCommand
{
    private const int UsualDepth = 2;
    private const int MostDepth = 100;

    private static readonly TextTable<FolderLine> _layout = new(
        new("STORED", line => Quantity.Size(line.StoredBytes), AlignRight: true),
        new("NEW", line => Quantity.Size(line.NewBytes), AlignRight: true),
        new("FILES", line => Quantity.Count(line.Files), AlignRight: true),
        new("SIZE", line => Quantity.Size(line.Bytes), AlignRight: true),
        new("FOLDER", line => line.Path));

    private readonly Argument<string> _reference;
    private readonly Argument<string> _point;
    private readonly VaultSelection _vault;
    private readonly Option<string?> _machine;
    private readonly Option<bool> _skipDamaged = PointSelection.SkipDamaged();
    private readonly Option<bool> _byFolder;
    private readonly Option<string?> _depth;

    public DiffCommand()
        : base("diff", "Compare two recovery points: what was added, changed and gone, and how much it weighs.", "obengine diff 01a1fcc0 latest --vault /mnt/backup")
    {
        _reference = Required("REFERENCE", "The recovery point that the other is compared with, as a rule the earlier one: the first digits of its id.");
        _point = Required("POINT", "The recovery point: the first digits of its id, or 'latest'.");
        _vault = new VaultSelection(this);
        _machine = Value("--machine", "NAME", "Only points of this machine: 'latest' is its newest.");
        Add(_skipDamaged);
        _byFolder = Flag("--by-folder", "Show what each folder adds, with all that is below it, the heaviest first.");
        _depth = Value("--depth", "N", $"With --by-folder: how many folders below what was backed up are shown by themselves, 0 to {MostDepth}. Default: {UsualDepth}.");
    }

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        int depth = ReadDepth(context);
        using UnlockedVault vault = await _vault.UnlockAsync(context, VaultUse.Read).ConfigureAwait(false);
        RecoveryPoint reference = await GetAsync(context, vault, _reference).ConfigureAwait(false);
        RecoveryPoint point = await GetAsync(context, vault, _point).ConfigureAwait(false);
        IndexedVault index = await vault.IndexAsync(context.Stop).ConfigureAwait(false);
        var damage = new DamageTally(context.Renderer);
        return context.Has(_byFolder)
            ? await WeighAsync(context, index, reference, point, depth, damage).ConfigureAwait(false)
            : await CompareAsync(context, index, reference, point, damage).ConfigureAwait(false);
    }

    private static async Task<Outcome> CompareAsync(CommandContext context, IndexedVault index, RecoveryPoint reference, RecoveryPoint point, DamageTally damage)
    {
        var summary = new DiffSummary(reference.SessionId.ToString(), point.SessionId.ToString());
        await foreach (PointDifference difference in index.CompareAsync(reference, point, context.Stop, damage.Add).ConfigureAwait(false))
        {
            context.Renderer.Item(ChangeLine.Of(difference), Text);
            summary = summary.With(difference);
        }

        return new Outcome(
            summary with { ExitCode = (int)(summary.NotCompared > 0 ? ExitCode.CompletedWithSkips : damage.ExitCode) },
            summary.Added + summary.Changed + summary.Gone + summary.NotCompared == 0 ? "Nothing differs." : Text(summary));
    }

    private static async Task<Outcome> WeighAsync(
        CommandContext context, IndexedVault index, RecoveryPoint reference, RecoveryPoint point, int depth, DamageTally damage)
    {
        IReadOnlyList<FolderWeight> folders = await index.WeighFoldersAsync(reference, point, depth, context.Stop, damage.Add).ConfigureAwait(false);
        context.Renderer.Table(
            [.. folders.Select(folder => new FolderLine(folder.Path, folder.Depth, folder.Files, folder.Bytes, folder.NewBytes, folder.StoredBytes))], _layout);
        return new Outcome(
            new ListSummary("diff --by-folder", folders.Count) { ExitCode = (int)damage.ExitCode }, folders.Count == 0 ? "No content was added." : "");
    }

    private static string Text(ChangeLine line)
    {
        char separator = line.Path.StartsWith('/') ? '/' : '\\';
        string path = line.Kind == EntryKind.Directory && !line.Path.EndsWith(separator) ? $"{line.Path}{separator}" : line.Path;
        string[] said =
        [
            .. line.Aspects.Count == 0 ? [] : new[] { string.Join(", ", line.Aspects).ToLowerInvariant() },
            .. line.Kind == EntryKind.File ? new[] { line.StoredBytes > 0 ? $"{Quantity.Size(line.Bytes)}, {Quantity.Size(line.StoredBytes.Value)} stored" : Quantity.Size(line.Bytes) } : [],
        ];
        char sign = line.Change switch
        {
            PointChange.Added => '+',
            PointChange.Gone => '-',
            PointChange.Changed => '~',
            _ => '?',
        };
        return said.Length == 0 ? $"{sign} {path}" : $"{sign} {path}  ({string.Join("; ", said)})";
    }

    private static string Text(DiffSummary summary)
    {
        string unknown = summary.NotCompared == 0 ? "" : $", {Quantity.Count(summary.NotCompared)} not compared";
        string stored = summary.NewBytes is { } added ? $"; {Quantity.Size(added)} of new content, stored in {Quantity.Size(summary.StoredBytes ?? 0)}" : "";
        return $"{Quantity.Count(summary.Added)} added ({Quantity.Size(summary.AddedBytes)}), {Quantity.Count(summary.Changed)} changed ({Quantity.Size(summary.ChangedBytes)}), "
            + $"{Quantity.Count(summary.Gone)} gone ({Quantity.Size(summary.GoneBytes)}){unknown}{stored}.";
    }

    private int ReadDepth(CommandContext context)
    {
        if (context.Get(_depth) is not { } text)
        {
            return UsualDepth;
        }

        if (!context.Has(_byFolder))
        {
            throw context.Invalid($"{_depth.Name} says how {_byFolder.Name} shows folders, and {_byFolder.Name} was not given.");
        }

        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int depth) && depth <= MostDepth
            ? depth
            : throw context.Invalid($"'{text}' is not a valid value of {_depth.Name}: use a whole number from 0 to {MostDepth}.");
    }

    private Task<RecoveryPoint> GetAsync(CommandContext context, UnlockedVault vault, Argument<string> point) =>
        PointSelection.GetAsync(context, vault, context.Get(point), context.Get(_machine), context.Has(_skipDamaged));
}
