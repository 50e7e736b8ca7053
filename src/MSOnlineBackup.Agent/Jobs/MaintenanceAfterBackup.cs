using MSOnlineBackup.Agent.Retention;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Maintenance;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Agent.Jobs;

/// <summary>
/// The maintenance that a backup does after itself: at most once a day for all machines of a passphrase, by the store's clock, where the vault's owner wants it so. It lets go
/// of points that no rule keeps any more, and, if this machine may delete, frees what nothing needs; else that is left to the owner. The recovery point is there by then:
/// whatever becomes of this, the backup has done its work, and what is wrong is a warning.
/// </summary>
/// <param name="machine">The machine.</param>
/// <param name="vault">Its vault.</param>
internal sealed class MaintenanceAfterBackup(JobMachine machine, UnlockedVault vault)
{
    /// <summary>After this time it begins nothing further.</summary>
    public static readonly TimeSpan Usual = TimeSpan.FromMinutes(20);

    /// <summary>After this time it is stopped, wherever it is.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromMinutes(30);

    private static readonly TimeSpan _interval = TimeSpan.FromDays(1);

    /// <summary>Maintains, if it is time.</summary>
    /// <param name="point">What the backup has made.</param>
    /// <param name="work">Gets warnings.</param>
    /// <param name="stop">Stops it; the backup is complete all the same.</param>
    public async Task RunAsync(RecoveryPoint point, JobWork work, CancellationToken stop)
    {
        using var limit = new CancellationTokenSource(Longest, machine.Clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, limit.Token);
        try
        {
            if (await IsDueAsync(point, either.Token).ConfigureAwait(false))
            {
                await MaintainAsync(work, either.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The next run goes on.
        }
        catch (Exception e) when (e is BackupException or OperationCanceledException)
        {
            work.Warn(Describe(e));
        }
    }

    private async Task<bool> IsDueAsync(RecoveryPoint point, CancellationToken stop) =>
        (await vault.Vault.ReadSettingsAsync(stop).ConfigureAwait(false)).MaintainsAfterBackup
        && await vault.Proofs.IsMaintenanceDueAsync(point, _interval, stop).ConfigureAwait(false);

    private async Task<bool> MayDeleteAsync(CancellationToken stop)
    {
        try
        {
            await vault.RequireDeletionAsync(stop).ConfigureAwait(false);
            return true;
        }
        catch (BackupException e) when (e.Id == BackupErrorId.VaultAccessDenied)
        {
            return false;
        }
    }

    // The job keeps others of this machine from running meanwhile.
    private async Task MaintainAsync(JobWork work, CancellationToken stop)
    {
        VaultRetention retention = VaultRetention.ByPolicies(vault, machine.Clock, machine.Policies.List(), kind => machine.Policies.FindShortened(kind)?.Since);
        RetentionPlan plan = await retention.PlanAsync(machine.Name, machine.VirtualMachines, machine.IsNamed, stop).ConfigureAwait(false);
        await retention.ApplyAsync(plan, stop).ConfigureAwait(false);
        foreach (DamagedPoint damaged in plan.Damaged)
        {
            work.Warn(damaged.ToError());
        }

        if (await MayDeleteAsync(stop).ConfigureAwait(false))
        {
            Tell(await vault.MaintainAsync(new MaintenanceRequest { MaxDuration = Usual }, new JobMonitor(), stop).ConfigureAwait(false), work);
        }
    }

    private static void Tell(MaintenanceReport report, JobWork work)
    {
        if (report.Verified.DamagedPacks is [var pack, ..])
        {
            work.Warn(new BackupException(
                BackupErrorId.VaultDataCorrupt,
                $"{report.Verified.DamagedPacks.Count} stored {(report.Verified.DamagedPacks.Count == 1 ? "pack is" : "packs are")} damaged or missing, as verification has found; the first is '{pack}'.",
                "Run Repair-OBVault, or 'obengine repair': it mends what it can, and says which files suffer. The next backup stores again what the sources still hold.",
                pack));
        }
        else if (report.Findings is [var finding, ..])
        {
            work.Warn(new BackupException(
                BackupErrorId.VaultDataCorrupt,
                $"Maintenance after the backup has found damage: {finding.Problem}",
                "Test-OBRecoveryPoint and 'obengine verify' tell more.",
                finding.Object));
        }

        if (report.Unproven is { } full)
        {
            work.Warn(full);
        }
    }

    private static BackupException Describe(Exception failure) => failure is BackupException known
        ? new BackupException(
            known.Id,
            $"The backup is complete. The maintenance after it failed: {known.Message}",
            $"{known.RecommendedAction} The next backup tries again; Invoke-OBMaintenance does it now.",
            known.Target,
            known.IsTransient,
            known)
        : new BackupException(
            BackupErrorId.MaintenanceUnfinished,
            $"The backup is complete. The maintenance after it was not done after {Longest.TotalMinutes:0} minutes, and was stopped.",
            "Run Invoke-OBMaintenance, or 'obengine maintain', by a timer of its own, without a limit; Set-OBVault -MaintainAfterBackup:$false keeps backups from trying.",
            null,
            transient: true);
}
