namespace MSOnlineBackup.Disks.Fat;

/// <summary>The clusters of a file, of which some are kept, so that any place in it is near one that is known.</summary>
/// <param name="Count">How many clusters it has.</param>
/// <param name="Marks">Every 1,024th cluster, from the first on.</param>
internal sealed record ClusterChain(long Count, IReadOnlyList<uint> Marks)
{
    /// <summary>How far from one mark to the next.</summary>
    public const int Distance = 1024;
}
