using System.Management.Automation;
using MSOnlineBackup.Completion;
using MSOnlineBackup.Engine;
using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Model.Conversions;
using MSOnlineBackup.Recovery;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Verification;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Reads a recovery point back from the vault and says whether it is sound.</summary>
[Cmdlet(VerbsDiagnostic.Test, "OBRecoveryPoint")]
[OutputType(typeof(OBRecoveryPointTest))]
public sealed class TestOBRecoveryPointCommand : RecoveryCmdlet
{
    private static readonly TimeSpan _readInterval = TimeSpan.FromMilliseconds(250);

    private readonly Dictionary<RecoveryArchive, VerifyReport> _reports = [];

    /// <summary>The recovery point: from Get-OBAllRecoveryPoints, any item of it, or its id or time.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    [ArgumentCompleter(typeof(RecoveryPointCompleter))]
    public OBRecoverableItem RecoveryPoint { get; set; } = null!;

    /// <summary>How deep the test goes.</summary>
    [Parameter]
    public OBVerifyLevel Level { get; set; } = OBVerifyLevel.Structure;

    /// <summary>Recovers a random sample of the point's files, compares them, removes them again, and puts that on record in the vault.</summary>
    [Parameter]
    public SwitchParameter TrialRestore { get; set; }

    /// <summary>How many files the sample has.</summary>
    [Parameter]
    [ValidateRange(1, TrialRequest.MostFiles)]
    public int TrialFiles { get; set; } = TrialRequest.UsualFiles;

    /// <summary>The most bytes of the sample. A larger file is in none.</summary>
    [Parameter]
    [ValidateRange(1, long.MaxValue)]
    public long TrialMaxBytes { get; set; } = TrialRequest.UsualBytes;

    /// <summary>Draws the same sample again that a trial with this seed had.</summary>
    [Parameter]
    [ValidateRange(1, int.MaxValue)]
    public int? TrialSeed { get; set; }

    /// <summary>
    /// Where the folder for a trial is made. Without -TrialRestore everything, or the item that was given, is recovered there, compared, and removed again.
    /// </summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? TrialRestorePath { get; set; }

    private protected override VaultPatience Patience => VaultPatience.Job;

    /// <inheritdoc/>
    protected override void Process()
    {
        string? trialFolder = TrialRestorePath is not null ? FullPath(TrialRestorePath) : TrialRestore ? Path.GetTempPath() : null;
        Run(async (pump, stop) =>
        {
            RecoveryArchive archive = await OpenAsync(RecoveryPoint.ServerName, RecoveryPoint.Access, stop).ConfigureAwait(false);
            RecoveryPoint point = await archive.FindAsync(RecoveryPoint.RecoveryPointId, stop).ConfigureAwait(false);
            VerifyReport report = await VerifyAsync(pump, archive, stop).ConfigureAwait(false);
            List<OBRecoveryPointProblem> problems = [.. report.Findings.Where(finding => Concerns(finding, point)).Select(finding => finding.ToOutput(point))];
            TrialResult? trial = trialFolder is null ? null : await TryAsync(pump, archive, point, trialFolder, stop).ConfigureAwait(false);
            problems.AddRange(
                trial?.Differences.Select(item => new OBRecoveryPointProblem { Object = item.Path, Problem = item.Reason, AffectedPaths = [item.Path] }) ?? []);
            await pump.WriteObjectAsync(new OBRecoveryPointTest
            {
                RecoveryPointId = point.SessionId.ToString(),
                PointInTime = point.Started.UtcDateTime,
                Level = Level,
                Problems = [.. problems],
                Objects = report.Objects,
                Chunks = report.Chunks,
                Bytes = report.Bytes,
                RestoredFiles = trial?.Files,
                VerifiedFiles = trial?.Verified,
                TrialSeed = trial is { Seed: > 0 and int seed } ? seed : null,
            }).ConfigureAwait(false);
        });
    }

    private async Task<TrialResult> TryAsync(CmdletPump pump, RecoveryArchive archive, RecoveryPoint point, string folder, CancellationToken stop)
    {
        IndexedVault vault = await archive.IndexAsync(stop).ConfigureAwait(false);
        var request = new TrialRequest
        {
            Point = point,
            Folder = folder,
            Paths = TrialRestore ? [] : PathsOf(RecoveryPoint),
            Files = TrialRestore ? TrialFiles : null,
            MaxBytes = TrialMaxBytes,
            Seed = TrialSeed,
        };
        TrialResult trial = await vault.TryRestoreAsync(request, new JobMonitor(), stop).ConfigureAwait(false);
        try
        {
            if (TrialRestore || RecoveryPoint.IsWholePoint)
            {
                await vault.Vault.Proofs.RecordTrialAsync(point, trial.Seed, trial.Files, trial.Bytes, trial.Differences.Count, stop).ConfigureAwait(false);
            }
        }
        catch (BackupException e) when (e.Id is BackupErrorId.VaultAccessDenied or BackupErrorId.VaultFull)
        {
            pump.WriteWarning($"The trial is not on record: {e.Message} ({e.Id})");
        }

        return trial;
    }

    private static IReadOnlyList<string> PathsOf(OBRecoverableItem item) => item.IsWholePoint ? [] : [item.ItemNameGuid];

    // One verification is about all points of the vault's store: the next point in the pipeline needs none of its own.
    private async Task<VerifyReport> VerifyAsync(CmdletPump pump, RecoveryArchive archive, CancellationToken stop)
    {
        if (!_reports.TryGetValue(archive, out VerifyReport? report))
        {
            var monitor = new JobMonitor();
            Task<VerifyReport> work = VerifyAsync(archive, monitor, stop);
            while (await Task.WhenAny(work, Task.Delay(_readInterval, CancellationToken.None)).ConfigureAwait(false) != work)
            {
                pump.WriteProgress(BarOf(archive, monitor.Snapshot()));
            }

            report = await work.ConfigureAwait(false);
            _reports[archive] = report;
        }

        return report;
    }

    private async Task<VerifyReport> VerifyAsync(RecoveryArchive archive, JobMonitor monitor, CancellationToken stop)
    {
        IndexedVault index = await archive.IndexAsync(stop, monitor).ConfigureAwait(false);
        return await index.VerifyAsync(LevelOf(Level), monitor, stop, keepsRecord: true).ConfigureAwait(false);
    }

    private static ProgressRecord BarOf(RecoveryArchive archive, JobProgress counters) =>
        new(0, $"Verifying the recovery points of {archive.MachineName}", $"{counters.Files} files, {counters.Bytes >> 20} MiB")
        {
            PercentComplete = counters.TotalBytes is > 0 and long total && counters.Bytes <= total ? (int)(100.0 * counters.Bytes / total) : -1,
        };

    private static VerifyLevel LevelOf(OBVerifyLevel level) => level switch
    {
        OBVerifyLevel.Structure => VerifyLevel.Structure,
        OBVerifyLevel.Packs => VerifyLevel.Packs,
        OBVerifyLevel.Data => VerifyLevel.Data,
        _ => throw new BackupException(BackupErrorId.ArgumentInvalid, $"There is no level '{level}'.", "Use Structure, Packs or Data.", nameof(Level)),
    };

    // Damage whose reach is not known may be the point's.
    private static bool Concerns(VerifyFinding finding, RecoveryPoint point) =>
        finding.Affected.Count is 0 or >= VerifyFinding.MostAffected || finding.Affected.Any(item => item.PointId == point.SessionId);
}
