namespace MSOnlineBackup.Engine.Snapshots;

/// <summary>Whether a backup reads snapshots of its sources' volumes.</summary>
public enum SnapshotMode
{
    /// <summary>Where a volume can; others are read in place, and the recovery point says so.</summary>
    Auto,

    /// <summary>Of every volume, or there is no backup.</summary>
    Require,

    /// <summary>Of none: all is read in place.</summary>
    Never,
}

/// <summary>How a backup takes snapshots.</summary>
/// <param name="Mode">Whether it does.</param>
/// <param name="Records">
/// The folder, of this machine and this account alone, in which a snapshot is written down before it is made, so that the next backup removes what a killed one left. It comes into
/// being with the first snapshot.
/// </param>
public sealed record SnapshotOptions(SnapshotMode Mode, string Records)
{
    /// <summary>The most points of one series that may stay.</summary>
    public const int MostKept = 64;

    /// <summary>
    /// Of how many backups the snapshots stay, so that they can be restored from without the vault, 0 to <see cref="MostKept"/>; null: none of this one, and those of earlier ones are
    /// left as they are.
    /// </summary>
    public int? Keep { get; init; }

    /// <summary>Among which backups of the machine it is counted: each series is by itself.</summary>
    public string Series { get; init; } = "";

    /// <summary>Whether file systems are held still while snapshots are made that do not see to that by themselves.</summary>
    internal bool HoldsFileSystemsStill { get; init; }
}
