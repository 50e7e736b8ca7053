using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Copies;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Agent.Retention;

/// <summary>
/// A copy of a vault with a retention of its own: it decides which points are copied and which the copy keeps, whatever the vault keeps. Points that it would let go of at once are
/// not copied; what it lets go of is deleted in the copy, where it can be brought back for the copy's undelete time, and is not copied again.
/// </summary>
/// <param name="retention">The retention, within the limits.</param>
/// <param name="clock">The clock; days and weeks are those of its zone.</param>
public sealed class CopyRetention(RetentionPolicy retention, TimeProvider clock)
{
    /// <summary>Copies, and then puts the retention into force in the twin. Where a point could not be copied, the twin lets go of nothing.</summary>
    /// <param name="vault">The vault.</param>
    /// <param name="twin">Its twin.</param>
    /// <param name="request">What else is asked for. Points that are named are copied whatever the retention says.</param>
    /// <param name="monitor">Is told how far it is.</param>
    /// <param name="cancellationToken">Stops it; the next call goes on.</param>
    /// <exception cref="BackupException">Those of <see cref="UnlockedVault.CopyToAsync"/>; VaultAccessDenied where nothing may be deleted in the twin: the copy is done.</exception>
    public async Task<VaultCopyReport> CopyAsync(UnlockedVault vault, UnlockedVault twin, VaultCopyRequest request, JobMonitor monitor, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        ArgumentNullException.ThrowIfNull(twin);
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(monitor);
        vault.Vault.RequireTwin(twin.Vault);
        HashSet<SessionId> spared = request.Points is null ? await FindSparedAsync(vault, twin, request.Machines, cancellationToken).ConfigureAwait(false) : [];
        VaultCopyReport report = await vault.CopyToAsync(twin, request with { Spared = spared }, monitor, cancellationToken).ConfigureAwait(false);
        if (report.Damaged.Count > 0)
        {
            return report;
        }

        VaultRetention inTwin = VaultRetention.OfCopy(twin, clock, retention);
        RetentionPlan plan = (await inTwin.PlanAsync(null, cancellationToken).ConfigureAwait(false)).Of(request.Machines);
        return report with { PointsExpired = request.IsRehearsal ? plan.Expiring.Count() : await inTwin.ApplyAsync(plan, cancellationToken).ConfigureAwait(false) };
    }

    // As if all that either place has were in the copy. What it has is as old there as the copy says, the rest as the vault does.
    private async Task<HashSet<SessionId>> FindSparedAsync(UnlockedVault vault, UnlockedVault twin, IReadOnlySet<MachineId>? machines, CancellationToken cancellationToken)
    {
        RecoveryPointList offered = await vault.ListPointsAsync(null, cancellationToken).ConfigureAwait(false);
        RecoveryPointList there = await twin.ListPointsAsync(null, cancellationToken).ConfigureAwait(false);
        HashSet<SessionId> held = [.. there.Select(point => point.SessionId)];
        HashSet<MachineId> unknown = [.. offered.Damaged.Concat(there.Damaged).Select(point => point.MachineId)];
        DateTimeOffset now = clock.GetUtcNow();
        var spared = new HashSet<SessionId>();
        foreach (IGrouping<MachineId, RecoveryPoint> machine in there.Concat(offered.Where(point => !held.Contains(point.SessionId))).Where(point => machines?.Contains(point.MachineId) is not false).GroupBy(point => point.MachineId))
        {
            // A point that cannot be read might be the one that was to stay in the place of another.
            if (!unknown.Contains(machine.Key))
            {
                spared.UnionWith(VaultRetention.OfCopy(twin, clock, retention).Plan([.. machine], now, null).Where(planned => planned.Expires).Select(planned => planned.Point.SessionId));
            }
        }

        spared.ExceptWith(held);
        return spared;
    }
}
