using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Restore;

/// <summary>What to do where an item exists at the target.</summary>
public enum RestoreConflict
{
    /// <summary>Leave what is there, and report it; what is the same in content and metadata counts as done.</summary>
    Skip,

    /// <summary>Make it what the point says: contents are compared, byte for byte, and only what differs is fetched and written; metadata are set.</summary>
    Overwrite,

    /// <summary>Restore beside it, under a name as <see cref="CopyNames"/> says; what is the same in content and metadata counts as done.</summary>
    Copy,
}

/// <summary>Where below the target items are restored to.</summary>
public enum RestoreLayout
{
    /// <summary>By their full path: <c>/home/a</c> becomes <c>TARGET/home/a</c>.</summary>
    FullPath,

    /// <summary>Each selected item directly below the target, by its own name: <c>/home/a</c> becomes <c>TARGET/a</c>. The whole of
    /// a source that is a volume (<c>/</c>) has no name: what is in it goes below the target. Where two have one name, all go by their full path.</summary>
    ItemName,
}

/// <summary>How what is restored beside something is called.</summary>
public enum CopyNames
{
    /// <summary><c>name (restored).txt</c>, <c>name (restored 2).txt</c>, …</summary>
    Restored,

    /// <summary><c>2026-11-21 07-41 Copy of name.txt</c>, <c>2026-11-21 07-41 Copy (2) of name.txt</c>, …: when the restore began, in
    /// local time.</summary>
    Dated,
}

/// <summary>What to restore, and where to.</summary>
public sealed record RestoreRequest
{
    /// <summary>The recovery point.</summary>
    public required RecoveryPoint Point { get; init; }

    /// <summary>Full paths (as in a listing) of the files and folders wanted; empty for everything.</summary>
    public IReadOnlyList<string> Paths { get; init; } = [];

    /// <summary>The folder to restore into.</summary>
    public required string TargetFolder { get; init; }

    /// <summary>Where below it items go.</summary>
    public RestoreLayout Layout { get; init; }

    /// <summary>What to do with items that exist.</summary>
    public RestoreConflict Conflict { get; init; } = RestoreConflict.Skip;

    /// <summary>How copies beside them are called.</summary>
    public CopyNames CopyNames { get; init; }

    /// <summary>Whether owner, permissions, access lists and other attributes that decide who may do what are left as new files and
    /// folders have them. Content, times and the user's own attributes are restored all the same.</summary>
    public bool SkipSecurity { get; init; }

    /// <summary>Whether names that Windows does not have are restored as names that it has (<c>a:b</c> as <c>a：b</c>), by a mapping that can be turned back; on any
    /// system. Without it, what has a name that the target cannot have is left out, and reported.</summary>
    public bool MapNames { get; init; }

    /// <summary>Whether every restored file is read again and compared with the point, those that were there already too.</summary>
    public bool Verify { get; init; }

    /// <summary>Whether the restore ends when everything written is on the medium, and fails where that cannot be.</summary>
    public bool Synchronize { get; init; } = true;

    /// <summary>Whether long streams that the target cannot have are passed over in silence.</summary>
    internal bool ToleratesMissingStreams { get; init; }
}

/// <summary>What a restore would do, before it does anything.</summary>
/// <param name="Request">What was asked.</param>
/// <param name="Files">Files to write.</param>
/// <param name="Directories">Folders to create or keep.</param>
/// <param name="Others">Links, pipes and nodes to create.</param>
/// <param name="Bytes">Bytes of content to write.</param>
/// <param name="PackBytes">Bytes to fetch from the vault.</param>
/// <param name="Packs">Packs to fetch from.</param>
/// <param name="Conflicts">Items that exist at the target and are not the same.</param>
/// <param name="Unrestorable">Items that the point lists without content.</param>
public sealed record RestorePlan(
    RestoreRequest Request,
    long Files,
    long Directories,
    long Others,
    long Bytes,
    long PackBytes,
    int Packs,
    long Conflicts,
    long Unrestorable);

/// <summary>What a restore did.</summary>
/// <param name="Files">Files written.</param>
/// <param name="Directories">Folders created or kept.</param>
/// <param name="Others">Links, pipes and nodes created or kept.</param>
/// <param name="Bytes">Bytes of content written.</param>
/// <param name="FetchedBytes">Bytes fetched from the vault.</param>
/// <param name="AlreadyThere">Files not written because their content was there already.</param>
/// <param name="Skipped">Items not restored, or not wholly, each reported to the monitor.</param>
/// <param name="Verified">Files read again and found the same; 0 unless asked for.</param>
/// <param name="KeptFromEarlier">Files, of those restored or there, that are the version of an earlier point: they could not be read when this one was made.</param>
/// <param name="Layout">Where below the target items went.</param>
/// <param name="Renamed">Items that have another name than the point's: the target cannot have it, or takes it for another's.</param>
public sealed record RestoreResult(
    long Files,
    long Directories,
    long Others,
    long Bytes,
    long FetchedBytes,
    long AlreadyThere,
    long Skipped,
    long Verified,
    long KeptFromEarlier,
    RestoreLayout Layout,
    long Renamed)
{
    /// <summary>Whether the vault did not give all that was asked of it.</summary>
    internal bool LacksData { get; init; }

    /// <summary>Chunks that were read from another copy, for the first is damaged. Nothing was left out; a repair is due.</summary>
    public long ChunksFromCopies { get; init; }

    /// <summary>Chunks that no pack gives any more, and that were reconstructed from parity. Nothing was left out; a repair is due.</summary>
    public long ChunksFromParity { get; init; }
}
