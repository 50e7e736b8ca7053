using System.CommandLine;
using System.Globalization;
using MSOnlineBackup.Engine;
using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Host.Documents;
using MSOnlineBackup.Host.Rendering;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Host.Commands;

/// <summary><c>verify --trial-restore</c>.</summary>
/// <param name="point">Of which point.</param>
/// <param name="machine">Of which machine.</param>
/// <param name="seed">By which the sample is drawn.</param>
/// <param name="maxBytes">How large it may be.</param>
internal sealed class TrialRestoreRun(Option<string?> point, Option<string?> machine, Option<string?> seed, Option<string?> maxBytes)
{
    public async Task<Outcome> RunAsync(CommandContext context, UnlockedVault vault, string sample)
    {
        TrialRequest request = Read(
            context,
            sample,
            await PointSelection.GetAsync(context, vault, context.Get(point) ?? "latest", context.Get(machine), skipDamaged: false).ConfigureAwait(false));
        TrialResult trial = await context.Renderer.FollowAsync(async monitor =>
            await (await vault.IndexAsync(context.Stop, monitor).ConfigureAwait(false)).TryRestoreAsync(request, monitor, context.Stop).ConfigureAwait(false)).ConfigureAwait(false);
        foreach (SkippedItem difference in trial.Differences)
        {
            context.Renderer.Item(
                new DifferenceLine(difference.Path, difference.Reason, ChangedMeanwhile: false), line => $"DIFFERS  {line.Path}: {line.Difference}");
        }

        await RecordAsync(context, vault, request.Point, trial).ConfigureAwait(false);
        bool isSound = trial.Differences.Count == 0;
        var summary =
            new TrialSummary(request.Point.SessionId.ToString(), trial.Seed, trial.Files, trial.Bytes, trial.Verified, trial.Differences.Count, vault.Traffic)
        {
            ExitCode = (int)(isSound ? ExitCode.Success : ExitCode.Failed),
        };
        string text =
            $"""
            restored  {Quantity.Count(trial.Files, "file")}, {Quantity.Size(trial.Bytes)}, of the point {ShortId.Of(summary.PointId)} of {VisibleText.Line(request.Point.MachineName)}; removed again
            sample    drawn by --seed {trial.Seed}{TrafficText.Line(vault.Traffic, 10)}
            result    {(isSound ? "all as it was backed up" : $"{Quantity.Count(trial.Differences.Count, "difference")} found")}
            """;
        return new Outcome(summary, text);
    }

    // Who may only read can try all the same.
    private static async Task RecordAsync(CommandContext context, UnlockedVault vault, RecoveryPoint point, TrialResult trial)
    {
        try
        {
            await vault.Proofs.RecordTrialAsync(point, trial.Seed, trial.Files, trial.Bytes, trial.Differences.Count, context.Stop).ConfigureAwait(false);
        }
        catch (BackupException e) when (e.Id is BackupErrorId.VaultAccessDenied or BackupErrorId.VaultFull)
        {
            context.Renderer.Note($"The trial is not on record: {e.Message}");
        }
    }

    private TrialRequest Read(CommandContext context, string sample, RecoveryPoint from)
    {
        bool isShare = sample.EndsWith('%');
        double share =
            double.TryParse(sample.TrimEnd('%'), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double percent) ? percent / 100 : 0;
        bool isCount = int.TryParse(sample, NumberStyles.None, CultureInfo.InvariantCulture, out int files) && files is > 0 and <= TrialRequest.MostFiles;
        if (isShare ? share is not (> 0 and <= 1) : !isCount)
        {
            throw context.Invalid($"'{sample}' is not a sample for --trial-restore.", "Write a number of files, 1 to 100000, or a share such as 5%.", sample);
        }

        string? by = context.Get(seed);
        int number = 0;
        return by is not null && !(int.TryParse(by, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number > 0)
            ? throw context.Invalid($"'{by}' is not a seed.", "Write a whole number above 0, as an earlier trial has shown it.", by)
            : new TrialRequest
            {
                Point = from,
                Folder = context.Environment.TemporaryFolder,
                Files = isShare ? null : files,
                Share = isShare ? share : null,
                Seed = by is null ? null : number,
                MaxBytes = context.Get(maxBytes) is { } size ? SelectionOptions.ParseSize(context, size) : TrialRequest.UsualBytes,
            };
    }
}
