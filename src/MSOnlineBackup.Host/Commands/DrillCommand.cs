using System.CommandLine;
using System.Security.Cryptography;
using System.Text;
using MSOnlineBackup.Engine;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Host.Documents;
using MSOnlineBackup.Host.Drill;
using MSOnlineBackup.Host.Rendering;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Verification;

namespace MSOnlineBackup.Host.Commands;

/// <summary><c>drill</c>: the whole way of the data, there and back, with proof.</summary>
internal sealed class DrillCommand : HostCommand
{
    private const string PassphraseLetters = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    private const int PassphraseLength = 32;

    private readonly Argument<string[]> _paths;
    private readonly Option<bool> _keep;

    public DrillCommand()
        : base(
            "drill",
            "Back up into a temporary vault, list, verify, restore elsewhere and compare every byte.",
            "obengine drill ~/Documents")
    {
        _paths = Many("PATH", "Folders and files. The drill only reads them.", ArgumentArity.OneOrMore);
        _keep = Flag("--keep", "Keep the vault, its passphrase and the restored files, and say where they are.");
    }

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        foreach (string left in DrillFolder.RemoveLeftovers(context.Environment.TemporaryFolder))
        {
            context.Renderer.Note($"Removed {left}, left behind by a drill that was killed.");
        }

        using DrillFolder folder = DrillFolder.Create(context.Environment.TemporaryFolder);
        bool keep = context.Has(_keep);
        try
        {
            return await RunAsync(context, folder, keep).ConfigureAwait(false);
        }
        finally
        {
            if (keep)
            {
                folder.Keep();
                context.Renderer.Note(
                    $"Kept: the vault {folder.Vault}, its passphrase in {folder.PassphraseFile}, and the restored files in {folder.Restored}.");
            }
            else
            {
                folder.Remove();
            }
        }
    }

    private async Task<Outcome> RunAsync(CommandContext context, DrillFolder folder, bool keep)
    {
        // The temporary folder may lie within what is backed up.
        var selection = new SourceSelection { Exclude = [folder.Path] };
        IReadOnlyList<string> paths = context.Get(_paths);
        var request = new BackupRequest
        {
            MachineName = context.Environment.MachineName,
            Sources = [.. paths.Select(path => new BackupSource.Tree(path, selection))],
        };
        request.Check();
        var steps = new DrillSteps(context.Environment.Time);

        using UnlockedVault vault = await CreateVaultAsync(context, folder, keep).ConfigureAwait(false);
        BackupResult backup = await steps.RunAsync(
            "back up",
            () => context.Renderer.FollowAsync(monitor => vault.BackUpAsync(request, monitor, context.Stop)),
            result => (Entries(result.Point), Bytes(result.Point))).ConfigureAwait(false);
        RecoveryPoint point = backup.Point;
        await steps.RunAsync("list", () => ListAsync(context, vault, point), listed => listed).ConfigureAwait(false);
        VerifyReport verified = await steps.RunAsync(
            "verify",
            () => context.Renderer.FollowAsync(async monitor =>
                await (await vault.IndexAsync(context.Stop, monitor).ConfigureAwait(false)).VerifyAsync(
                    VerifyLevel.Data, monitor, context.Stop).ConfigureAwait(false)),
            report => (report.Chunks, report.Bytes)).ConfigureAwait(false);
        RestoreResult restored = await steps.RunAsync(
            "restore",
            () => context.Renderer.FollowAsync(monitor => RestoreAsync(vault, point, folder, monitor, context.Stop)),
            result => (result.Files + result.Directories + result.Others, result.Bytes)).ConfigureAwait(false);
        IReadOnlyList<TreeDifference> differences = await CompareAsync(context, steps, paths, selection, point, folder).ConfigureAwait(false);

        context.Renderer.Table(steps.Done, _layout);
        Findings.Write(context.Renderer, verified.Findings);
        foreach (TreeDifference difference in differences)
        {
            context.Renderer.Item(
                new DifferenceLine(difference.Path, difference.What, difference.ChangedMeanwhile),
                line => $"{(line.ChangedMeanwhile ? "CHANGED MEANWHILE" : "DIFFERENT")}  {line.Path} {line.Difference}");
        }

        return Conclude(point, restored, verified, differences, keep ? folder.Path : null);
    }

    private static async Task<UnlockedVault> CreateVaultAsync(CommandContext context, DrillFolder folder, bool keep)
    {
        string passphrase = RandomNumberGenerator.GetString(PassphraseLetters, PassphraseLength);
        if (keep)
        {
            await File.WriteAllTextAsync(folder.PassphraseFile, passphrase + "\n", context.Stop).ConfigureAwait(false);
        }

        IVaultStore store = VaultLocation.Create(folder.Vault, new VaultConnection(), context);
        Vault vault = await Vault.CreateAsync(store, passphrase, context.VaultOptions, context.Stop).ConfigureAwait(false);
        return await vault.UnlockAsync(passphrase, context.Stop).ConfigureAwait(false);
    }

    private static async Task<(long Items, long Bytes)> ListAsync(CommandContext context, UnlockedVault vault, RecoveryPoint point)
    {
        RecoveryPoint found = await vault.GetPointAsync(point.SessionId.ToString(), null, context.Stop).ConfigureAwait(false);
        long items = 0;
        long bytes = 0;
        IndexedVault index = await vault.IndexAsync(context.Stop).ConfigureAwait(false);
        await foreach (RecoverableItem item in index.ListItemsAsync(found, null, recursive: true, context.Stop).ConfigureAwait(false))
        {
            items++;
            bytes += item.Entry.Size;
        }

        return (items, bytes);
    }

    private static async Task<RestoreResult> RestoreAsync(
        UnlockedVault vault, RecoveryPoint point, DrillFolder folder, JobMonitor monitor, CancellationToken stop)
    {
        Directory.CreateDirectory(folder.Restored);
        var request = new RestoreRequest { Point = point, TargetFolder = folder.Restored, Synchronize = false };
        IndexedVault index = await vault.IndexAsync(stop, monitor).ConfigureAwait(false);
        return await index.RestoreAsync(request, monitor, stop).ConfigureAwait(false);
    }

    private static async Task<IReadOnlyList<TreeDifference>> CompareAsync(
        CommandContext context, DrillSteps steps, IReadOnlyList<string> paths, SourceSelection selection, RecoveryPoint point, DrillFolder folder)
    {
        var differences = new List<TreeDifference>();
        await steps.RunAsync(
            "compare",
            async () =>
            {
                (long Items, long Bytes) total = (0, 0);
                foreach (string path in paths)
                {
                    using ISourceTree source = SourceTrees.Open(path, selection);
                    using ISourceTree restored = SourceTrees.Open(RestoredPath(folder, source), SourceSelection.Everything);
                    var comparison = new TreeComparison(source, restored, point.Started);
                    differences.AddRange(await context.Renderer.FollowAsync(
                        () => Progress(comparison, point), () => Task.Run(() => comparison.Run(context.Stop))).ConfigureAwait(false));
                    total = (total.Items + comparison.Items, total.Bytes + comparison.Bytes);
                }

                return total;
            },
            total => total).ConfigureAwait(false);
        return differences;
    }

    // A restore puts every item at its full path below the target. A path that is no text is named as the engine writes it.
    private static string RestoredPath(DrillFolder folder, ISourceTree source)
    {
        string text = Encoding.UTF8.GetString(source.RootPath.Span);
        if (OperatingSystem.IsWindows())
        {
            // A drive is a folder of its letter there, and so is a server.
            text = text.Replace(":", "", StringComparison.Ordinal).TrimStart('\\');
        }

        return Path.Join(folder.Restored, text.Contains('\uFFFD', StringComparison.Ordinal) ? EntryName.Escape(source.RootPath.Span) : text);
    }

    private static JobProgress Progress(TreeComparison comparison, RecoveryPoint point) => new(
        JobPhase.Verifying,
        comparison.Items,
        comparison.Files,
        comparison.Bytes,
        ReadBytes: 0,
        NewBytes: 0,
        StoredBytes: 0,
        Skipped: 0,
        point.Sources.Sum(source => source.Manifest.Files),
        Bytes(point),
        comparison.CurrentItem);

    internal static Outcome Conclude(
        RecoveryPoint point, RestoreResult restored, VerifyReport verified, IReadOnlyList<TreeDifference> differences, string? keptIn)
    {
        long changed = differences.Count(difference => difference.ChangedMeanwhile);
        long different = differences.Count - changed;
        bool sound = different == 0 && verified.Findings.Count == 0;
        bool complete = changed == 0 && point.SkippedCount == 0 && restored.Skipped == 0;
        var summary = new DrillSummary(
            point.SessionId.ToString(),
            point.Sources.Sum(source => source.Manifest.Files),
            Entries(point),
            Bytes(point),
            point.NewBytes,
            point.StoredBytes,
            point.SkippedCount + restored.Skipped,
            different,
            changed,
            verified.Findings.Count,
            sound && complete,
            keptIn)
        {
            ExitCode = (int)(!sound ? ExitCode.Failed : complete ? ExitCode.Success : ExitCode.CompletedWithSkips),
        };
        string verdict = (sound, complete) switch
        {
            (true, true) => "identical: every item and every byte came back",
            (true, false) => $"identical but for {Quantity.Count(changed, "item")} changed meanwhile and {Quantity.Count(summary.Skipped)} skipped",
            _ => $"NOT identical: {Quantity.Count(different, "item")} unlike the source, {Quantity.Count(verified.Findings.Count, "problem")} in the vault",
        };
        string text =
            $"""

            new     {Quantity.Size(point.NewBytes)} of {Quantity.Size(Bytes(point))}
            stored  {Quantity.Size(point.StoredBytes)} ({Quantity.Ratio(Bytes(point), point.StoredBytes)})
            point   {point.SessionId}
            result  {verdict}
            """;
        return new Outcome(summary, text);
    }

    private static readonly TextTable<StepLine> _layout = new(
        new Column<StepLine>("STEP", step => step.Step),
        new Column<StepLine>("ITEMS", step => Quantity.Count(step.Items), AlignRight: true),
        new Column<StepLine>("BYTES", step => Quantity.Size(step.Bytes), AlignRight: true),
        new Column<StepLine>("TIME", step => Quantity.Duration(TimeSpan.FromSeconds(step.Seconds)), AlignRight: true),
        new Column<StepLine>("RATE", step => step.Seconds > 0 ? Quantity.Rate(step.Bytes / step.Seconds) : "-", AlignRight: true));

    private static long Entries(RecoveryPoint point) => point.Sources.Sum(source => source.Manifest.Entries);

    private static long Bytes(RecoveryPoint point) => point.Sources.Sum(source => source.Manifest.Bytes);
}
