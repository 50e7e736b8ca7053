namespace MSOnlineBackup;

/// <summary>What a vault was asked, in the classes that clouds charge by. Attempts that failed count.</summary>
public sealed class OBVaultTraffic
{
    /// <summary>Objects created.</summary>
    public long Writes { get; internal init; }

    /// <summary>Pages of listings.</summary>
    public long Lists { get; internal init; }

    /// <summary>Ranges read.</summary>
    public long Reads { get; internal init; }

    /// <summary>Everything else.</summary>
    public long Others { get; internal init; }

    /// <summary>Bytes sent.</summary>
    public long SentBytes { get; internal init; }

    /// <summary>Bytes fetched.</summary>
    public long FetchedBytes { get; internal init; }

    /// <summary>As in "12 writes, 3 lists, 40 reads, 5 others".</summary>
    public override string ToString() => $"{Writes} writes, {Lists} lists, {Reads} reads, {Others} others";
}
