namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>What can be relied on of files that were read while the machine was at work; the weakest first.</summary>
public enum ConsistencyLevel
{
    /// <summary>Each file was read in its own moment.</summary>
    None,

    /// <summary>All is of one moment, as after a loss of power: what was not yet synced to the disk may be missing.</summary>
    Crash,

    /// <summary>All is of one moment, with everything that had been written to files by then.</summary>
    FileSystem,

    /// <summary>So it is, and programs had brought their files into order for that moment.</summary>
    Application,
}

/// <summary>How far what was read of a source is of one moment.</summary>
/// <param name="Level">What can be relied on.</param>
/// <param name="Snapshot">What kind of snapshot was read, as "Btrfs"; null where the source was read in place.</param>
/// <param name="Reason">Why it is so, in a sentence or two; null where there is nothing to say.</param>
public sealed record SourceConsistency(ConsistencyLevel Level, string? Snapshot = null, string? Reason = null)
{
    /// <summary>The one that promises least, the first of those that promise the same; null where none says.</summary>
    public static SourceConsistency? Weakest(IEnumerable<SourceConsistency?> parts) => parts.OfType<SourceConsistency>().MinBy(part => part.Level);
}
