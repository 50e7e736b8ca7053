namespace MSOnlineBackup.Vaults.Index;

/// <summary>When an index moves from memory into a file. In records, of 56 bytes each.</summary>
internal sealed record IndexCacheBounds
{
    /// <summary>A store with fewer is read as quickly from the vault.</summary>
    public int Smallest { get; init; } = 100_000;

    /// <summary>While segments are read, more are sorted into a temporary file: 14 MiB, or a segment.</summary>
    public int MostInMemory { get; init; } = 1 << 18;

    /// <summary>A cache is written anew where more than this share of its records is not in it, or does not count any more.</summary>
    public double MostStale { get; init; } = 1.0 / 16;
}
