using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Agent.VirtualMachines;
using MSOnlineBackup.Agent.Workloads;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Maintenance;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Registers;

namespace MSOnlineBackup.Agent.Retention;

/// <summary>
/// Retention put into force on a vault: which of its recovery points stay, and the deletion of the others, which can be brought back for the vault's undelete time. How old a
/// point is, the vault says. Every failure is a <see cref="BackupException"/>.
/// </summary>
public sealed class VaultRetention
{
    // By this much, what a clock says and how long a backup took make no difference.
    private static readonly TimeSpan _rounding = TimeSpan.FromDays(1);

    private readonly UnlockedVault _vault;
    private readonly TimeProvider _clock;
    private readonly Func<PolicyKind, RetentionPolicy?> _inForce;
    private readonly Func<PolicyKind, DateTimeOffset?> _shortened;

    // Of a copy: its points as its own retention sees them. Null where their tags hold.
    private Func<IReadOnlyList<RetentionPoint>, IReadOnlyList<RetentionPoint>>? _retag;

    private VaultRetention(UnlockedVault vault, TimeProvider clock, Func<PolicyKind, RetentionPolicy?> inForce, Func<PolicyKind, DateTimeOffset?> shortened)
    {
        _vault = vault;
        _clock = clock;
        _inForce = inForce;
        _shortened = shortened;
    }

    /// <summary>By the dates in the points' own tags, as the policies were when each was made: all that whoever does not know a machine's policies can go by.</summary>
    public static VaultRetention ByTags(UnlockedVault vault, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(vault);
        ArgumentNullException.ThrowIfNull(clock);
        return new VaultRetention(vault, clock, static _ => null, static _ => null);
    }

    /// <summary>By the policies in force; where there is none of a kind, by the dates in the tags.</summary>
    /// <param name="vault">The vault.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="policies">The machine's policies.</param>
    /// <param name="shortened">When the retention of each was shortened, where it was and that is known; null for never.</param>
    internal static VaultRetention ByPolicies(UnlockedVault vault, TimeProvider clock, IEnumerable<BackupPolicy> policies, Func<PolicyKind, DateTimeOffset?>? shortened = null)
    {
        var retentions = policies.ToDictionary(policy => policy.Kind, policy => policy.Retention);
        return new VaultRetention(vault, clock, retentions.GetValueOrDefault, shortened ?? (static _ => null));
    }

    /// <summary>By the own retention of a copy, for points of all policies, whatever their tags say.</summary>
    internal static VaultRetention OfCopy(UnlockedVault copy, TimeProvider clock, RetentionPolicy retention) => new(copy, clock, _ => retention, static _ => null)
    {
        _retag = points => CopiedPointTags.Of(retention, points, clock.LocalTimeZone),
    };

    /// <summary>What becomes of the points.</summary>
    /// <param name="machineName">Only those of this machine; null for those of all.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public Task<RetentionPlan> PlanAsync(string? machineName, CancellationToken cancellationToken) => PlanAsync(machineName, static _ => true, cancellationToken);

    private async Task<RetentionPlan> PlanAsync(string? machineName, Func<RecoveryPoint, bool> isJudged, CancellationToken cancellationToken)
    {
        RecoveryPointList points = await _vault.ListPointsAsync(machineName, cancellationToken).ConfigureAwait(false);
        TimeSpan? immutable = (await _vault.Vault.Guard.ReadSettingsAsync(cancellationToken).ConfigureAwait(false)).ImmutableTime;
        DateTimeOffset now = _clock.GetUtcNow();
        return new RetentionPlan(
            [.. points.Where(isJudged).GroupBy(point => point.MachineId).OrderBy(machine => machine.First().MachineName, StringComparer.OrdinalIgnoreCase).SelectMany(machine => Plan([.. machine], now, immutable))],
            points.Damaged);
    }

    /// <summary>What becomes of a machine's points, and of those that its policies have made of virtual machines. What else there is of those is not this machine's to end.</summary>
    /// <param name="machineName">The machine.</param>
    /// <param name="virtualMachines">The virtual machines that its policies name.</param>
    /// <param name="isOwn">Whether a name is or was the machine's.</param>
    /// <param name="cancellationToken">Stops it.</param>
    internal async Task<RetentionPlan> PlanAsync(string machineName, IEnumerable<string> virtualMachines, Func<string, bool> isOwn, CancellationToken cancellationToken)
    {
        RetentionPlan plan = await PlanAsync(machineName, point => MachineRun.Of(point.Tags) is null, cancellationToken).ConfigureAwait(false);
        foreach (string name in virtualMachines.Where(name => !isOwn(name)))
        {
            RetentionPlan more = await PlanAsync(name, point => MachineRun.Of(point.Tags) is { } run && isOwn(run.Host), cancellationToken).ConfigureAwait(false);
            plan = new RetentionPlan([.. plan.Points, .. more.Points], [.. plan.Damaged, .. more.Damaged]);
        }

        return plan;
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
        Dictionary<SessionId, DateTimeOffset> due = await FindEarlyAsync(plan, cancellationToken).ConfigureAwait(false);
        foreach (IGrouping<string, PlannedPoint> rule in plan.Expiring.GroupBy(ReasonOf).ToList())
        {
            deleted += (await _vault.Deletions.DeleteExpiredAsync([.. rule.Select(planned => planned.Point)], rule.Key, cancellationToken, due).ConfigureAwait(false)).Count;
        }

        return deleted;
    }

    // Points that go before the time that they were made for, since retention was shortened and the vault's owner has not released that.
    private async Task<Dictionary<SessionId, DateTimeOffset>> FindEarlyAsync(RetentionPlan plan, CancellationToken cancellationToken)
    {
        DateTimeOffset now = _clock.GetUtcNow();
        var early = plan.Expiring.Where(planned => planned.Policy is { } policy && _inForce(policy) is not null)
            .Select(planned => (planned.Point, planned.Policy, Due: DueOf(planned.Point)))
            .Where(point => point.Due - now > _rounding).ToList();
        if (early.Count == 0)
        {
            return [];
        }

        // A copy never had the time that its points were made for. Where its owner has put deletion under consent, what goes before that time stays until then all the same.
        if (_retag is not null && await _vault.Vault.Guard.ReadSettingsAsync(cancellationToken).ConfigureAwait(false) is { RequiresPin: false, Approvers: null or { Count: 0 } })
        {
            return [];
        }

        VaultRecords records = await VaultRecords.ReadAllAsync(_vault.Vault.Known, cancellationToken).ConfigureAwait(false);
        return early.Where(point => !(records.LastRelease(point.Point.MachineId) >= _shortened(point.Policy!.Value)))
            .ToDictionary(point => point.Point.SessionId, point => point.Due);
    }

    // As long after the vault has got it as its tags lie after its beginning: both of these are told by the machine's clock, right or wrong.
    private static DateTimeOffset DueOf(RecoveryPoint point)
    {
        DateTimeOffset created = point.Created ?? point.Ended;
        DateTimeOffset until = point.Tags.Select(text => RetentionTag.TryParse(text, out RetentionTag? tag) ? tag.Until : point.Started).Append(point.Started).Max();
        TimeSpan span = until - point.Started;
        return span < DateTimeOffset.MaxValue - created ? created + span : DateTimeOffset.MaxValue;
    }

    // For whoever looks at what was deleted.
    private static string ReasonOf(PlannedPoint planned) =>
        $"The time of its {planned.Rule.ToString()!.ToLowerInvariant()} retention was over.";

    /// <summary>What becomes of the points of one machine.</summary>
    /// <param name="points">All of them.</param>
    /// <param name="now">The time now.</param>
    /// <param name="immutable">For how long the vault is immutable; null where it is not.</param>
    /// <remarks>Files and each workload are backed up for themselves: each has a newest point that stays, whatever becomes of the others.</remarks>
    internal IEnumerable<PlannedPoint> Plan(IReadOnlyCollection<RecoveryPoint> points, DateTimeOffset now, TimeSpan? immutable) => points
        .GroupBy(point => RetentionHistory.SeriesOf(point.Tags))
        .SelectMany(series => HoldChains([.. series], PlanSeries([.. series], now, immutable)))
        .OrderBy(planned => planned.Point.Created ?? planned.Point.Ended).ThenBy(planned => planned.Point.SessionId);

    // A full backup stays as long as a log that is recovered from it, and a log as long as one behind it.
    private static List<PlannedPoint> HoldChains(IReadOnlyCollection<RecoveryPoint> points, IEnumerable<PlannedPoint> plan)
    {
        List<PlannedPoint> planned = [.. plan.Select(each => WorkloadTags.AreOn(each.Point) && WorkloadPoint.Of(each.Point.Tags) is null
            ? new PlannedPoint(each.Point, RetentionReason.TagUnknown, null, null, null)
            : each)];
        List<WorkloadLink> links = [.. points.Select(point => (point.SessionId, Workload: WorkloadPoint.Of(point.Tags))).Where(each => each.Workload is not null).Select(each => new WorkloadLink(each.SessionId, each.Workload!))];
        if (links.Count == 0)
        {
            return planned;
        }

        IReadOnlySet<SessionId> needed = WorkloadChain.NeededBy(links, planned.Where(each => !each.Expires).Select(each => each.Point.SessionId).ToHashSet());
        return [.. planned.Select(each => each.Expires && needed.Contains(each.Point.SessionId) ? each with { Reason = RetentionReason.NeededByWorkload } : each)];
    }

    private IEnumerable<PlannedPoint> PlanSeries(IReadOnlyCollection<RecoveryPoint> points, DateTimeOffset now, TimeSpan? immutable)
    {
        IReadOnlyList<RetentionPoint> known = [.. points.Select(point => new RetentionPoint(point.SessionId, point.Started, point.Created ?? point.Ended, point.Tags))];
        known = _retag?.Invoke(known) ?? known;
        var decided = PolicyScope.All
            .SelectMany(scope => RetentionPlanner.Plan(scope.Kind, _inForce(scope.Kind), known, now).Select(decision => (scope.Kind, Decision: decision)))
            .ToLookup(found => found.Decision.Point.Id);
        return points.Select(point => Hold(Combine(point, decided[point.SessionId]), now, immutable));
    }

    // What is immutable stays for its time, whatever the rules say.
    private static PlannedPoint Hold(PlannedPoint planned, DateTimeOffset now, TimeSpan? immutable) =>
        planned.Reason == RetentionReason.Expired && immutable is { } time && (planned.Point.Created ?? planned.Point.Ended) + time is var until && until > now
            ? planned with { Reason = RetentionReason.Immutable, Until = until }
            : planned;

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
