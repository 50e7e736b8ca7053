namespace MSOnlineBackup;

/// <summary>How much room backups take, and from what that was computed.</summary>
public sealed class OBCapacity
{
    /// <summary>The room that is needed: of the newest recovery point, and of what the others add.</summary>
    public long RequiredBytes { get; internal init; }

    /// <summary>What the newest recovery point takes alone.</summary>
    public long FullBytes { get; internal init; }

    /// <summary>What the others add.</summary>
    public long ChangeBytes { get; internal init; }

    /// <summary>Recovery points that are there once every rule of the retention has all of its own.</summary>
    public int RecoveryPoints { get; internal init; }

    /// <summary>Bytes of the protected files, as they are now.</summary>
    public long ProtectedBytes { get; internal init; }

    /// <summary>The share of them that is another one after a day: from 0 to 1.</summary>
    public double DailyChange { get; internal init; }

    /// <summary>Bytes read for one that is stored.</summary>
    public double ReductionRatio { get; internal init; }

    /// <summary>What the vault takes now; null where none was measured.</summary>
    public long? StoredBytes { get; internal init; }

    /// <summary>The pool; null for none.</summary>
    public long? PoolBytes { get; internal init; }

    /// <summary>In how many days more is needed than the pool has; null where it is not within a hundred years, or there is no pool.</summary>
    public int? DaysUntilFull { get; internal init; }

    /// <summary>The day on which that is, in UTC.</summary>
    public DateTime? FullOn { get; internal init; }
}
