using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Snapshots;

/// <summary>One way to make snapshots of volumes. What it does not know, it leaves alone.</summary>
internal interface ISnapshotMaker
{
    /// <summary>Its name, as recovery points have it: "Btrfs".</summary>
    string Kind { get; }

    /// <summary>What can be relied on of what is read from its snapshots, where one does not say otherwise.</summary>
    ConsistencyLevel Level { get; }

    /// <summary>Whether it keeps what lies below a file system, such as its device, so that only one that is held still meanwhile is kept in order.</summary>
    bool NeedsStillness => false;

    /// <summary>Why its snapshots cannot stay after the backup, for restores from them, in a sentence; null where they can.</summary>
    string? WhyNotStaying => $"Snapshots of the kind {Kind} do not stay after a backup.";

    /// <summary>Whether volumes of this kind are its own.</summary>
    bool IsOf(SnapshotVolume volume);

    /// <summary>Why it can make no snapshot of a volume of its own; null where it can. Changes nothing.</summary>
    Task<string?> FindObstacleAsync(SnapshotVolume volume, CancellationToken cancellationToken);

    /// <summary>What it would write down of a snapshot.</summary>
    /// <param name="volume">Of what.</param>
    /// <param name="id">32 hexadecimal digits that no other snapshot has.</param>
    /// <param name="folder">A folder for the snapshots of this backup, where they have to be mounted; it may not be there yet.</param>
    SnapshotMark Mark(SnapshotVolume volume, string id, string folder);

    /// <summary>Makes snapshots as close together as it can, each written down by now. Those that fail say so; what was begun of them is removed by whoever asked.</summary>
    /// <param name="snapshots">Which. They are told how it went.</param>
    /// <param name="cancellationToken">Stops it.</param>
    Task TakeAsync(IReadOnlyList<WantedSnapshot> snapshots, CancellationToken cancellationToken);

    /// <summary>Why a snapshot stopped showing its volume while it was read; null where it did not. What could not be read by then is skipped, and told as such.</summary>
    Task<string?> FindLossAsync(SnapshotMark mark) => Task.FromResult<string?>(null);

    /// <summary>Removes what a mark names, as far as it is there. Never anything else.</summary>
    /// <returns>Null where nothing of it is left; otherwise why it is still there, in a sentence.</returns>
    Task<string?> RemoveAsync(SnapshotMark mark);

    /// <summary>Looks for a snapshot that a mark names, and whether it is the very one that was made. Asked only where snapshots can stay; changes nothing.</summary>
    Task<FoundSnapshot> FindAsync(SnapshotMark mark, CancellationToken cancellationToken) => Task.FromResult(new FoundSnapshot(null, null, WhyNotStaying));

    /// <summary>A snapshot stays: what else its making has changed that one would see is put back.</summary>
    void Settle(SnapshotMark mark)
    {
    }
}

/// <summary>What was found of a snapshot.</summary>
/// <param name="Place">Where its tree is to be read, raw; null where it cannot be.</param>
/// <param name="Uuid">What its volume calls it.</param>
/// <param name="Obstacle">Why it cannot be read, in a sentence.</param>
internal sealed record FoundSnapshot(byte[]? Place, string? Uuid, string? Obstacle)
{
    /// <summary>Whether its volume is there, and it is not, nor will be.</summary>
    public bool IsGone { get; init; }
}

/// <summary>A snapshot that is to be made, and what became of it.</summary>
/// <param name="volume">Of what.</param>
/// <param name="mark">How it is written down.</param>
internal sealed class WantedSnapshot(SnapshotVolume volume, SnapshotMark mark)
{
    /// <summary>Of what.</summary>
    public SnapshotVolume Volume => volume;

    /// <summary>How it is written down. What is known only once it is made is added by <see cref="Remark"/>.</summary>
    public SnapshotMark Mark { get; private set; } = mark;

    /// <summary>Where the volume's tree is to be read, raw; null where there is no snapshot.</summary>
    public byte[]? Place { get; private set; }

    /// <summary>Why there is no snapshot; null where there is one, or none was tried.</summary>
    public string? Failure { get; private set; }

    /// <summary>What can be relied on of it; null: what its maker says.</summary>
    public ConsistencyLevel? Level { get; private set; }

    /// <summary>Why no more can be relied on, in a sentence or two; null where there is nothing to say.</summary>
    public string? Weakness { get; private set; }

    /// <summary>What all snapshots of the very same moment have in common; null where each has its own.</summary>
    public string? Moment { get; private set; }

    /// <summary>Writes down all marks of the backup, durably, once one is another.</summary>
    public Action? WriteDown { get; init; }

    /// <summary>It was made.</summary>
    public void Succeed(byte[] place) => (Place, Failure) = (place, null);

    /// <summary>It was made.</summary>
    /// <param name="place">Where it is to be read, raw.</param>
    /// <param name="moment">What all snapshots of the very same moment have in common.</param>
    /// <param name="level">What can be relied on of it.</param>
    /// <param name="weakness">Why no more can be; null where there is nothing to say.</param>
    public void Succeed(byte[] place, string moment, ConsistencyLevel level, string? weakness) =>
        (Place, Failure, Moment, Level, Weakness) = (place, null, moment, level, weakness);

    /// <summary>It was not made.</summary>
    public void Fail(string why) => (Place, Failure) = (null, why);

    /// <summary>It has another name than was written down. When this returns, that is durable.</summary>
    public void Remark(SnapshotMark made)
    {
        Mark = made;
        WriteDown?.Invoke();
    }
}
