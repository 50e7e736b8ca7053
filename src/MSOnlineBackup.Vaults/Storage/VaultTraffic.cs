namespace MSOnlineBackup.Vaults.Storage;

/// <summary>What a store was asked, in the classes that clouds charge by.</summary>
/// <param name="Writes">Objects created; attempts count.</param>
/// <param name="Lists">Pages of listings.</param>
/// <param name="Reads">Ranges read.</param>
/// <param name="Others">Looks at an object's facts, deletions.</param>
/// <param name="SentBytes">Bytes of content sent.</param>
/// <param name="FetchedBytes">Bytes of content fetched.</param>
public readonly record struct VaultTraffic(long Writes, long Lists, long Reads, long Others, long SentBytes, long FetchedBytes)
{
    /// <summary>Both together.</summary>
    public static VaultTraffic operator +(VaultTraffic one, VaultTraffic other) => new(
        one.Writes + other.Writes,
        one.Lists + other.Lists,
        one.Reads + other.Reads,
        one.Others + other.Others,
        one.SentBytes + other.SentBytes,
        one.FetchedBytes + other.FetchedBytes);
}
