using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Maintenance;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Agent.Retention;

/// <summary>
/// Retention put into force on a vault: which of its recovery points stay, and the deletion of the others, which can be brought back for the vault's undelete time. How old a
/// point is, the vault says. Every failure is a <see cref="BackupException"/>.
/// </summary>
public sealed class VaultRetention
{
    private readonly UnlockedVault _vault;
    private readonly TimeProvider _clock;
    private readonly Func<PolicyKind, RetentionPolicy?> _inForce;

    private VaultRetention(UnlockedVault vault, TimeProvider clock, Func<PolicyKind, RetentionPolicy?> inForce)
    {
        _vault = vault;
        _clock = clock;
        _inForce = inForce;
    }

    /// <summary>By the dates in the points' own tags, as the policies were when each was made: all that whoever does not know a machine's policies can go by.</summary>
    public static VaultRetention ByTags(UnlockedVault vault, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(vault);
        ArgumentNullException.ThrowIfNull(clock);
        return new VaultRetention(vault, clock, static _ => null);
    }

    /// <summary>By the policies in force; where there is none of a kind, by the dates in the tags.</summary>
    /// <param name="vault">The vault.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="policies">The machine's policies.</param>
    internal static VaultRetention ByPolicies(UnlockedVault vault, TimeProvider clock, IEnumerable<BackupPolicy> policies)
    {
        var retentions = policies.ToDictionary(policy => policy.Kind, policy => policy.Retention);
        return new VaultRetention(vault, clock, retentions.GetValueOrDefault);
    }

    /// <summary>What becomes of the points.</summary>
    /// <param name="machineName">Only those of this machine; null for those of all.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task<RetentionPlan> PlanAsync(string? machineName, CancellationToken cancellationToken)
    {
        RecoveryPointList points = await _vault.ListPointsAsync(machineName, cancellationToken).ConfigureAwait(false);
        DateTimeOffset now = _clock.GetUtcNow();
        return new RetentionPlan(
            [.. points.GroupBy(point => point.MachineId).OrderBy(machine => machine.First().MachineName, StringComparer.OrdinalIgnoreCase).SelectMany(machine => Plan([.. machine], now))],
            points.Damaged);
    }

    /// <summary>
    /// The plan with how many bytes go with each point. Where points go, what all points of the vault list is read for it. Where something of that cannot be read, nobody
    /// knows what it needs: the plan says so, and has no bytes.
    /// </summary>
    public async Task<RetentionPlan> MeasureAsync(RetentionPlan plan, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(plan);
        List<SessionId> going = [.. plan.Expiring.Select(planned => planned.Point.SessionId)];
        if (going.Count == 0)
        {
            return plan with { Bytes = 0 };
        }

        try
        {
            PointSizes sizes = await _vault.MeasureAsync(going, cancellationToken).ConfigureAwait(false);
            return plan with
            {
                Points = [.. plan.Points.Select(planned => sizes.Alone.TryGetValue(planned.Point.SessionId, out long bytes) ? planned with { Bytes = bytes } : planned)],
                Bytes = sizes.Together,
            };
        }
        catch (BackupException e) when (e.IsDamage)
        {
            return plan with { Unmeasured = e };
        }
    }

    /// <summary>Deletes what the plan lets go of. Where it is stopped, some is deleted, and the next plan goes on.</summary>
    /// <returns>How many points were deleted.</returns>
    /// <exception cref="BackupException">RecoveryPointIsNewest where the newer points have gone meanwhile: then nothing is deleted. VaultAccessDenied, …</exception>
    public async Task<int> ApplyAsync(RetentionPlan plan, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(plan);
        int deleted = 0;
        foreach (IGrouping<string, PlannedPoint> rule in plan.Expiring.GroupBy(ReasonOf).ToList())
        {
            deleted += (await _vault.Deletions.DeleteManyAsync([.. rule.Select(planned => planned.Point)], rule.Key, evenNewest: false, cancellationToken).ConfigureAwait(false)).Count;
        }

        return deleted;
    }

    // For whoever looks at what was deleted.
    private static string ReasonOf(PlannedPoint planned) =>
        $"The time of its {planned.Rule.ToString()!.ToLowerInvariant()} retention was over.";

    private IEnumerable<PlannedPoint> Plan(IReadOnlyCollection<RecoveryPoint> points, DateTimeOffset now)
    {
        List<RetentionPoint> known = [.. points.Select(point => new RetentionPoint(point.SessionId, point.Started, point.Created ?? point.Ended, point.Tags))];
        var decided = PolicyScope.All
            .SelectMany(scope => RetentionPlanner.Plan(scope.Kind, _inForce(scope.Kind), known, now).Select(decision => (scope.Kind, Decision: decision)))
            .ToLookup(found => found.Decision.Point.Id);
        return points.OrderBy(point => point.Created ?? point.Ended).ThenBy(point => point.SessionId).Select(point => Combine(point, decided[point.SessionId]));
    }

    // A point that both kinds have tagged goes when both let go of it.
    private static PlannedPoint Combine(RecoveryPoint point, IEnumerable<(PolicyKind Kind, RetentionDecision Decision)> decisions)
    {
        (PolicyKind kind, RetentionDecision decision) = decisions
            .OrderBy(found => found.Decision.Reason switch { RetentionReason.NotByPolicy => 2, RetentionReason.Expired => 1, _ => 0 })
            .ThenByDescending(found => found.Decision.Until)
            .First();
        return new PlannedPoint(
            point,
            decision.Reason,
            decision.Reason is RetentionReason.NotByPolicy or RetentionReason.TagUnknown ? null : kind,
            decision.Kind,
            decision.Until);
    }
}
