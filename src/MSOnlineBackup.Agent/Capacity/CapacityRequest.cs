namespace MSOnlineBackup.Agent.Capacity;

/// <summary>What somebody says of backups, to learn how much room they take. What is null is taken from a vault's own measurements, or assumed as the members say.</summary>
public sealed record CapacityRequest
{
    /// <summary>Bytes of the files that are protected, as they are now; null for what the vault's newest points hold.</summary>
    public long? ProtectedBytes { get; init; }

    /// <summary>The share of them that is another one after a day: from 0 to 1; null for what the vault's points brought.</summary>
    public double? DailyChange { get; init; }

    /// <summary>For how many days each day's point is kept.</summary>
    public long RetentionDays { get; init; }

    /// <summary>For how many weeks one of each week is kept; 0 for none.</summary>
    public long RetentionWeeks { get; init; }

    /// <summary>For how many months one of each month is kept; 0 for none.</summary>
    public long RetentionMonths { get; init; }

    /// <summary>For how many years one of each year is kept; 0 for none.</summary>
    public long RetentionYears { get; init; }

    /// <summary>Bytes read for one that is stored: 2 where deduplication and compression halve them; null for what the vault's points took, and 1 without a vault.</summary>
    public double? ReductionRatio { get; init; }

    /// <summary>By what share the protected bytes grow in a year: 0.2 is a fifth.</summary>
    public double GrowthPerYear { get; init; }

    /// <summary>After how many years the room must still do.</summary>
    public int Years { get; init; }

    /// <summary>Bytes of the pool, to say when it is full; null for what the vault takes and what its disk has free, where that is known.</summary>
    public long? PoolBytes { get; init; }
}
