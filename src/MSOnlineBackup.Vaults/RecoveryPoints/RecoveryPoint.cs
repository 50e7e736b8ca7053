using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;

namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>How a backup ended.</summary>
public enum RecoveryPointStatus
{
    /// <summary>Everything was read.</summary>
    Completed,

    /// <summary>Something was skipped or changed while it was read; the point says what.</summary>
    CompletedWithWarnings,

    /// <summary>Not a recovery point: the state of a job under way (a checkpoint).</summary>
    InProgress,

    /// <summary>In a way that only a later version knows: <see cref="RecoveryPoint.OtherStatus"/>.</summary>
    Other,
}

/// <summary>The root of one backup: what names everything else. Also the form of a checkpoint.</summary>
public sealed record RecoveryPoint
{
    /// <summary>The session that wrote it; with the machine, the point's name.</summary>
    public required SessionId SessionId { get; init; }

    /// <summary>The machine.</summary>
    public required MachineId MachineId { get; init; }

    /// <summary>The machine's name when it was written.</summary>
    public required string MachineName { get; init; }

    /// <summary>Operating system, for example "Linux 6.18 (Debian GNU/Linux 12)".</summary>
    public required string OperatingSystem { get; init; }

    /// <summary>Version of the agent that wrote it.</summary>
    public required string AgentVersion { get; init; }

    /// <summary>When the job began (the client's clock, UTC).</summary>
    public required DateTimeOffset Started { get; init; }

    /// <summary>When it was committed (the client's clock, UTC).</summary>
    public required DateTimeOffset Ended { get; init; }

    /// <summary>When the vault says that it was created (UTC), which no client can claim; null in a point that was not read from its vault.</summary>
    public DateTimeOffset? Created { get; init; }

    /// <summary>How it ended.</summary>
    public required RecoveryPointStatus Status { get; init; }

    /// <summary>The status as text where it is <see cref="RecoveryPointStatus.Other"/>.</summary>
    public string? OtherStatus { get; init; }

    /// <summary>How it ended, as the point has it.</summary>
    public string StatusText => OtherStatus ?? Status.ToString();

    /// <summary>The point that this one was compared with, if any.</summary>
    public SessionId? ParentSessionId { get; init; }

    /// <summary>Words that the user attached.</summary>
    public IReadOnlyList<string> Tags { get; init; } = [];

    /// <summary>What was backed up, in the order it was named.</summary>
    public required IReadOnlyList<RecoveryPointSource> Sources { get; init; }

    /// <summary>How its machine writes paths: all sources of a point have one form.</summary>
    public PathForm Form => Sources is [RecoveryPointSource first, ..] ? first.Form : PathForm.Posix;

    /// <summary>How far the point is of one moment: as its weakest source is; null where none says.</summary>
    public SourceConsistency? Consistency => SourceConsistency.Weakest(Sources.Select(source => source.Consistency));

    /// <summary>Bytes of content that were new to the vault, before compression.</summary>
    public long NewBytes { get; init; }

    /// <summary>Bytes that this backup added to the vault, everything included.</summary>
    public long StoredBytes { get; init; }

    /// <summary>How many items were skipped, or kept from an earlier point, or changed while they were read.</summary>
    public long SkippedCount { get; init; }

    /// <summary>Chunks (kind SkippedItems) that list them.</summary>
    public IReadOnlyList<ChunkId> SkippedItems { get; init; } = [];
}

/// <summary>How the path of a source's root is written.</summary>
public enum PathForm
{
    /// <summary>Names joined by <c>/</c>; nothing else means anything.</summary>
    Posix,

    /// <summary>As Windows writes it: a drive or a share, names joined by <c>\</c>.</summary>
    Windows,
}

/// <summary>One root of a recovery point.</summary>
public sealed record RecoveryPointSource
{
    /// <summary>The absolute path of the root, as <see cref="EntryName"/> writes it; for standard input the name that was given.</summary>
    public required string Path { get; init; }

    /// <summary>The path for people: <c>/home/a</c>, <c>C:\home\a</c>.</summary>
    public string ShownPath => SourcePath.FromStored(Form, Path);

    /// <summary>Whether a path that somebody typed is that of the root; of Windows with any separators, in capital or small letters.</summary>
    public bool IsAt(string path) =>
        SourcePath.TryRelate(this, SourcePath.Typed(Form, path), ignoreCase: Form == PathForm.Windows, out EntryPath below) && below.IsRoot;

    /// <summary>How <see cref="Path"/> is to be read.</summary>
    public PathForm Form { get; init; }

    /// <summary>Its manifest.</summary>
    public required ManifestRoot Manifest { get; init; }

    /// <summary>The file system it lay on, for example "ext4"; null where unknown.</summary>
    public string? FileSystem { get; init; }

    /// <summary>Whether the root was a mount point: if it is none next time, the volume is missing, not empty.</summary>
    public bool IsMountPoint { get; init; }

    /// <summary>How its files differ from those of the point that it was compared with; null where there was none, or what it has could not be read.</summary>
    public SourceChanges? Changes { get; init; }

    /// <summary>How far what was read is of one moment; null where the point does not say: of a stream, and in points of earlier versions.</summary>
    public SourceConsistency? Consistency { get; init; }

    /// <summary>What was doubtful about backing it up, in a sentence or two; null for nothing.</summary>
    public string? Warning { get; init; }
}

/// <summary>The top of a manifest tree and its totals.</summary>
/// <param name="Id">The top block.</param>
/// <param name="Depth">0: the block is a leaf; n: it is a node n levels above the leaves.</param>
/// <param name="Entries">Entries of every kind.</param>
/// <param name="Files">Regular files.</param>
/// <param name="Directories">Folders, the root included.</param>
/// <param name="Bytes">Sum of the sizes of files.</param>
public sealed record ManifestRoot(ChunkId Id, int Depth, long Entries, long Files, long Directories, long Bytes);

/// <summary>Something that a backup or a restore did not do as asked, and why.</summary>
/// <param name="Path">The full path for people, in the form of the machine that it is of.</param>
/// <param name="Id">What happened.</param>
/// <param name="Reason">One sentence.</param>
public sealed record SkippedItem(string Path, BackupErrorId Id, string Reason);
