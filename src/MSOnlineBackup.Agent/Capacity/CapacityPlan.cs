namespace MSOnlineBackup.Agent.Capacity;

/// <summary>How much room backups take, and from what that was computed.</summary>
/// <param name="ProtectedBytes">Bytes of the protected files, as they are now.</param>
/// <param name="DailyChange">The share of them that is another one after a day: from 0 to 1.</param>
/// <param name="ReductionRatio">Bytes read for one that is stored.</param>
/// <param name="Points">Recovery points that are there once every rule of the retention has all of its own; one a day is counted.</param>
/// <param name="FullBytes">What the newest of them takes alone.</param>
/// <param name="ChangeBytes">What the others add: what each has that the next newer one has not.</param>
/// <param name="RequiredBytes">Both together: the room that is needed.</param>
/// <param name="PoolBytes">The pool that was asked for; null for none.</param>
/// <param name="DaysUntilFull">In how many days more is needed than the pool has: 0 where it is full; null where it is not within a hundred years, or there is no pool.</param>
public sealed record CapacityPlan(
    long ProtectedBytes,
    double DailyChange,
    double ReductionRatio,
    int Points,
    long FullBytes,
    long ChangeBytes,
    long RequiredBytes,
    long? PoolBytes,
    int? DaysUntilFull);
