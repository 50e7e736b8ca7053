using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Agent.Retention;

/// <summary>What becomes of a recovery point of a vault.</summary>
/// <param name="Point">The point.</param>
/// <param name="Reason">Whether it stays, and why.</param>
/// <param name="Policy">The kind of the policy that decided; null where none did.</param>
/// <param name="Rule">The rule that keeps it longest; null where no rule is known.</param>
/// <param name="Until">Until when that rule keeps it (UTC); null where no rule is known.</param>
public sealed record PlannedPoint(RecoveryPoint Point, RetentionReason Reason, PolicyKind? Policy, RetentionKind? Rule, DateTimeOffset? Until)
{
    /// <summary>Whether the next maintenance deletes it.</summary>
    public bool Expires => Reason == RetentionReason.Expired;

    /// <summary>Stored bytes that it alone needs, of all points of the vault; null where it stays, or nobody measured.</summary>
    public long? Bytes { get; init; }
}

/// <summary>What becomes of the recovery points of one or more machines.</summary>
/// <param name="Points">Those that can be read, machine by machine, the oldest of each first.</param>
/// <param name="Damaged">Those that cannot be read. Of a machine that has one nothing is deleted: it might be the one that was to stay.</param>
public sealed record RetentionPlan(IReadOnlyList<PlannedPoint> Points, IReadOnlyList<DamagedPoint> Damaged)
{
    /// <summary>
    /// Stored bytes that go when all go that are to: at least what each alone needs. Null where nobody measured, or something could not be read.
    /// </summary>
    public long? Bytes { get; init; }

    /// <summary>What could not be read, so that nobody knows how many bytes go; null where nothing was.</summary>
    public BackupException? Unmeasured { get; init; }

    /// <summary>The points that are deleted when the plan is carried out.</summary>
    public IEnumerable<PlannedPoint> Expiring =>
        Points.Where(planned => planned.Expires && Damaged.All(damaged => damaged.MachineId != planned.Point.MachineId));

    /// <summary>The same for the points of some machines alone; of all where it is null.</summary>
    internal RetentionPlan Of(IReadOnlySet<MachineId>? machines) => machines is null ? this : this with { Points = [.. Points.Where(planned => machines.Contains(planned.Point.MachineId))] };
}
