using System.Management.Automation;
using MSOnlineBackup.Completion;
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

    /// <summary>A folder in which everything, or the item that was given, is recovered, compared, and removed again.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? TrialRestorePath { get; set; }

    private protected override VaultPatience Patience => VaultPatience.Job;

    /// <inheritdoc/>
    protected override void Process()
    {
        string? trialFolder = TrialRestorePath is null ? null : FullPath(TrialRestorePath);
        Run(async (pump, stop) =>
        {
            RecoveryArchive archive = await OpenAsync(RecoveryPoint.ServerName, RecoveryPoint.Access, stop).ConfigureAwait(false);
            RecoveryPoint point = await archive.FindAsync(RecoveryPoint.RecoveryPointId, stop).ConfigureAwait(false);
            VerifyReport report = await VerifyAsync(pump, archive, stop).ConfigureAwait(false);
            List<OBRecoveryPointProblem> problems = [.. report.Findings.Where(finding => Concerns(finding, point)).Select(finding => finding.ToOutput(point))];
            RestoreResult? trial = trialFolder is null ? null : await TrialRestore.RunAsync(await archive.IndexAsync(stop).ConfigureAwait(false), point, PathsOf(RecoveryPoint), trialFolder, problems, stop).ConfigureAwait(false);
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
            }).ConfigureAwait(false);
        });
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
        return await index.VerifyAsync(LevelOf(Level), monitor, stop).ConfigureAwait(false);
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
