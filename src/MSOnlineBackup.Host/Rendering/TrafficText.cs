using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Host.Rendering;

/// <summary>What a vault was asked, for people.</summary>
internal static class TrafficText
{
    /// <summary>A line of its own under a summary, its label as wide as the others' there; nothing where nobody counted.</summary>
    public static string Line(VaultTraffic? traffic, int labelWidth) => traffic is { } asked
        ? $"\n{"asked".PadRight(labelWidth)}{Quantity.Count(asked.Writes, "write")}, {Quantity.Count(asked.Lists, "listing")}, "
            + $"{Quantity.Count(asked.Reads, "read")}, "
            + $"{Quantity.Count(asked.Others, "other")}; {Quantity.Size(asked.SentBytes)} sent, {Quantity.Size(asked.FetchedBytes)} fetched"
        : "";
}
