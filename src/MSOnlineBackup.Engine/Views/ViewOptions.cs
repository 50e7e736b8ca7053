namespace MSOnlineBackup.Engine.Views;

/// <summary>How much a view may keep and fetch ahead.</summary>
public sealed record ViewOptions
{
    /// <summary>Most bytes of contents that are kept.</summary>
    public long CacheBytes { get; init; } = 40L << 20;

    /// <summary>How many bytes are fetched ahead of whoever reads one after the other.</summary>
    public long AheadBytes { get; init; } = 12L << 20;

    /// <summary>How many chunks are fetched at a time.</summary>
    public int Parallel { get; init; } = Math.Clamp(Environment.ProcessorCount, 4, 8);

    /// <summary>About how many bytes of metadata are kept decoded.</summary>
    public long MetadataBytes { get; init; } = 24L << 20;
}
