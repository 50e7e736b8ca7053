namespace MSOnlineBackup.Vaults.Proofs;

/// <summary>
/// Which packs a verification of a part of a store reads: always those first that were not read for the longest time. Of the first three one is given.
/// </summary>
public sealed record ShareRequest
{
    /// <summary>As many as it takes that all are read within so many days, from 1, if it is run regularly.</summary>
    public int? Days { get; init; }

    /// <summary>A share of the bytes, above 0 and up to 1.</summary>
    public double? Share { get; init; }

    /// <summary>Those that were not read for this long.</summary>
    public TimeSpan? OlderThan { get; init; }

    /// <summary>At most so many bytes, but always one pack; null for no limit.</summary>
    public long? MaxBytes { get; init; }

    /// <summary>After this time no further pack is begun; null for no limit.</summary>
    public TimeSpan? MaxDuration { get; init; }
}
