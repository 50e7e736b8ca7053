using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Agent.Retention;
using MSOnlineBackup.Agent.Workloads;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Agent.Jobs;

/// <summary>The workloads of a backup job, one after the other.</summary>
/// <param name="Machine">The machine.</param>
/// <param name="Policy">The policy that names them.</param>
/// <param name="Vault">The vault.</param>
/// <param name="Work">The job.</param>
internal sealed record WorkloadJobs(JobMachine Machine, BackupPolicy Policy, UnlockedVault Vault, JobWork Work)
{
    /// <summary>The folder of the machine's state in which the logs of workloads lie on their way to the vault.</summary>
    public const string SpoolFolder = "workloads";

    /// <summary>Until when the points are kept at least; null: by the policy.</summary>
    public DateTimeOffset? RetainUntil { get; init; }

    /// <summary>How hard it tries to make what it stores small.</summary>
    public Compression Compression { get; init; }

    /// <summary>Runs them.</summary>
    /// <param name="workloads">The workloads, whose status is noted.</param>
    /// <param name="runs">Notes what came of each.</param>
    /// <param name="stop">Stops it.</param>
    public async Task RunAsync(IReadOnlyList<WorkloadRun> workloads, SourceRuns runs, CancellationToken stop)
    {
        foreach (WorkloadRun run in workloads)
        {
            await runs.RunAsync(run, IsItsOwn, async () => (await BackUpAsync(run, stop).ConfigureAwait(false))[^1].Point).ConfigureAwait(false);
        }
    }

    // What is wrong with the vault, or with this machine in it, is wrong with everything.
    private static bool IsItsOwn(BackupException e) => e.Id is
        BackupErrorId.WorkloadUnreachable or BackupErrorId.WorkloadAccessDenied or BackupErrorId.WorkloadUnfit or BackupErrorId.WorkloadProgramUnusable
        or BackupErrorId.WorkloadCommandFailed or BackupErrorId.WorkloadFileUnreadable or BackupErrorId.NotAvailable;

    private async Task<IReadOnlyList<BackupResult>> BackUpAsync(WorkloadRun run, CancellationToken stop)
    {
        WorkloadSettings settings = Policy.Resolve(run.Settings);
        PointHistory earlier = await Vault.OpenHistoryAsync(Machine.Name, stop).ConfigureAwait(false);
        await BackupOrder.CheckPointsAsync(Machine, Policy, earlier, settings.Name, stop).ConfigureAwait(false);
        var retention = new RetentionRun(Machine.Clock.GetUtcNow(), BackupOrder.Zone(Machine, Policy), RetainUntil: RetainUntil);
        var template = new BackupRequest
        {
            MachineName = Machine.Name,
            Sources = [],
            Tags = await RetentionHistory.FindTagsAsync(Policy, retention, earlier.NewestFirst, stop, settings.Key).ConfigureAwait(false),
            MustBeRegistered = true,
            OwnFolders = [Machine.State.Path, Machine.Account.Scratch.Path],
            Compression = Compression,
            Twins = BackupOrder.TwinsOf(Machine, Policy, Vault),
        };
        Machine.State.MakeFolder(SpoolFolder);
        IWorkload workload = WorkloadKinds.Open(settings, Path.Combine(Machine.State.PathOf(SpoolFolder), settings.Key), Machine.Clock);
        await using (workload.ConfigureAwait(false))
        {
            return await new WorkloadBackup(Vault, settings, workload, template)
            {
                BeginPart = () =>
                {
                    var part = Work.BeginPart();
                    run.Add(part);
                    return part;
                },
                Warn = Work.Warn,
            }.RunAsync(stop).ConfigureAwait(false);
        }
    }
}
