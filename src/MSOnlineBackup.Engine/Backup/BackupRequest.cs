using System.Globalization;
using MSOnlineBackup.Engine.Scripts;
using MSOnlineBackup.Engine.Snapshots;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Engine.Sources.Rules;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Platform.Volumes;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Copies;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Backup;

/// <summary>What to back up.</summary>
public sealed record BackupRequest
{
    /// <summary>The name of this machine in the vault; machines are told apart by it, without regard to case.</summary>
    public required string MachineName { get; init; }

    /// <summary>What to read, in this order.</summary>
    public required IReadOnlyList<BackupSource> Sources { get; init; }

    /// <summary>Words to attach to the point.</summary>
    public IReadOnlyList<string> Tags { get; init; } = [];

    /// <summary>Whether everything is read again, whatever the previous point says.</summary>
    public bool ReadEverything { get; init; }

    /// <summary>Of how many sealed chunks one is opened again, where nothing else is said.</summary>
    public const int UsualVerifyOneIn = 16;

    /// <summary>How many of the sealed chunks are opened again before they are sent, and compared with what was read: 0 none, 16 (default) one in sixteen, 1 all.</summary>
    public int VerifyOneIn { get; init; } = UsualVerifyOneIn;

    /// <summary>How hard it tries to make what it stores small. What the vault has already stays as it is.</summary>
    public Compression Compression { get; init; }

    /// <summary>Paths of folders of the agent itself (its state, its scratch folder): where a source holds one it is left out, as the vault is.</summary>
    public IReadOnlyList<string> OwnFolders { get; init; } = [];

    /// <summary>
    /// Whether the backup is refused where the machine was unregistered from the vault (MachineNotRegistered). Otherwise it comes back by
    /// this backup: it has shown the passphrase.
    /// </summary>
    public bool MustBeRegistered { get; init; }

    /// <summary>
    /// Twins of the vault that the backup goes to as well: what is read and compressed once is sent to all of them. A twin holds nobody up; what it had no time for is copied from the
    /// vault once the point is there, and so are earlier points of this machine that it lacks. What comes of that is in <see cref="BackupResult.Copies"/>; it fails no backup.
    /// </summary>
    public IReadOnlyList<TwinPlace> Twins { get; init; } = [];

    /// <summary>How snapshots of the sources' volumes are taken; null: all is read in place, and nothing is said of that.</summary>
    public SnapshotOptions? Snapshots { get; init; }

    /// <summary>
    /// A file that says which scripts bring programs into order for the snapshots, in the format of <c>VMSnapshotScriptPluginConfig.json</c>: they are run before and after snapshots are
    /// taken. Null for none; and where <see cref="Snapshots"/> is null none are run.
    /// </summary>
    public string? ScriptFile { get; init; }

    /// <summary>Which sources are taken.</summary>
    public SourceRules Rules { get; init; } = SourceRules.Open;

    /// <summary>Whether there is to be no point where anything of it cannot be read: one without a disk of a machine, or with an earlier state of it, would be none of the machine.</summary>
    public bool IsWhole { get; init; }

    /// <summary>
    /// Whether a program goes on writing to the sources, and keeps a log that makes up for it: what changes or goes while it is read is as it should be. Nothing else may be
    /// missing: an item or a source that cannot be read fails the backup (WorkloadFileUnreadable), and there is no point.
    /// </summary>
    internal bool IsLive { get; init; }

    /// <summary>A point of this machine that sources are compared with where it has them; null for the newest that has each, as far back as is looked.</summary>
    internal RecoveryPoint? ComparedWith { get; init; }

    /// <summary>Called when all sources are read, before the point is made: gives further tags, or throws where there is to be no point; null for nothing.</summary>
    internal Func<CancellationToken, Task<IReadOnlyList<string>>>? Conclude { get; init; }

    /// <summary>Tells what volumes sources lie on; null: as this system does.</summary>
    internal IVolumeReader? Volumes { get; init; }

    /// <summary>What snapshots can be made of; null: what this system has.</summary>
    internal SnapshotKit? SnapshotKit { get; init; }

    /// <summary>What may be run of scripts; null: what this system says.</summary>
    internal IFileTrust? FileTrust { get; init; }

    /// <summary>A checkpoint is written when this long has passed since the last.</summary>
    internal TimeSpan CheckpointInterval { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>… or when this many bytes were stored since the last, or an eighth of all stored so far if that is more.</summary>
    internal long CheckpointBytes { get; init; } = 256L << 20;

    /// <summary>How sources are opened; null: as the platform does.</summary>
    internal Func<BackupSource, ISourceTree>? OpenSource { get; init; }

    /// <summary>Whether a recovery point can hold what is asked for (docs/vault-format.md, section 10). The engine asks before it begins; who made the request may ask before that.</summary>
    /// <exception cref="BackupException">ArgumentInvalid: more than 65,536 sources or 1,024 tags; a tag, or the machine's name, of more than 1,024 characters;
    /// a composed source with a name that is none, two files at one place, or a disk that is longer than its grid allows.</exception>
    public void Check()
    {
        if (Sources.Count > RecoveryPointCodec.MaxSources)
        {
            throw TooMany(Sources.Count, "sources", RecoveryPointCodec.MaxSources, "Name folders that hold several of them, or make more than one backup.");
        }

        if (Tags.Count > RecoveryPointCodec.MaxTags)
        {
            throw TooMany(Tags.Count, "tags", RecoveryPointCodec.MaxTags, "Use fewer tags.");
        }

        foreach (BackupSource.Composed composed in Sources.OfType<BackupSource.Composed>())
        {
            ComposedSource.Check(composed.Name, composed.Files);
        }

        foreach (string text in Tags.Prepend(MachineName).Where(text => text.Length > RecoveryPointCodec.MaxTextLength))
        {
            throw new BackupException(
                BackupErrorId.ArgumentInvalid,
                string.Create(CultureInfo.InvariantCulture, $"The {(text == MachineName ? "machine's name" : "tag")} '{text[..40]}…' has {text.Length:n0} characters; the limit is {RecoveryPointCodec.MaxTextLength:n0}."),
                "Make it shorter.",
                text);
        }
    }

    private static BackupException TooMany(int count, string what, int most, string action) => new(
        BackupErrorId.ArgumentInvalid,
        string.Create(CultureInfo.InvariantCulture, $"The backup was given {count:n0} {what}; a recovery point can have at most {most:n0}."),
        action);
}

/// <summary>One thing to back up.</summary>
public abstract record BackupSource
{
    private BackupSource()
    {
    }

    /// <summary>A folder, a single file, or on Linux a block device: the file is the image of the disk then.</summary>
    /// <param name="Path">Its path; relative ones are resolved against the current folder.</param>
    /// <param name="Selection">What of it.</param>
    public sealed record Tree(string Path, SourceSelection Selection) : BackupSource
    {
        /// <summary>
        /// Absolute paths under which earlier points may have it: it was found there before. It is compared with the newest point that has it under any of its paths, and what is
        /// the same as there is not read again.
        /// </summary>
        public IReadOnlyList<string> EarlierPaths { get; init; } = [];
    }

    /// <summary>A stream, kept as one file.</summary>
    /// <param name="Name">The name of the file in the recovery point: no path.</param>
    /// <param name="Content">Read to its end, then <paramref name="Finish"/> is awaited.</param>
    /// <param name="Finish">Throws where the producer failed; then there will be no point.</param>
    public sealed record Input(string Name, Stream Content, Func<CancellationToken, Task>? Finish = null) : BackupSource
    {
        /// <summary>Awaited before the first byte is read, when all sources before it are through; null for nothing.</summary>
        internal Func<CancellationToken, Task>? Begin { get; init; }
    }

    /// <summary>A small tree that the caller has put together, for example of a machine: its description, and its disks.</summary>
    /// <param name="Name">Takes the place of the root's path in the recovery point, as a stream's name does: no path. Earlier points have it under the same name.</param>
    /// <param name="Files">Its files, at different paths. Folders are made for them.</param>
    public sealed record Composed(string Name, IReadOnlyList<ComposedFile> Files) : BackupSource
    {
        /// <summary>How far its files are of one moment, as the recovery point is to say; null for nothing.</summary>
        public SourceConsistency? Consistency { get; init; }

        /// <summary>What is doubtful about them, in a sentence or two, as the recovery point is to say; null for nothing.</summary>
        public string? Warning { get; init; }
    }
}

/// <summary>What a backup did.</summary>
/// <param name="Point">The recovery point, committed.</param>
/// <param name="UnchangedFiles">Files taken over from the previous point or a checkpoint without reading them.</param>
/// <param name="NewFiles">Files that were not in the previous point.</param>
/// <param name="ChangedFiles">Files that were read because they changed.</param>
/// <param name="ReadBytes">Bytes read from the sources.</param>
/// <param name="ResumedFromSession">The interrupted session whose checkpoint was continued, if any.</param>
/// <param name="LostSources">Sources that could not be read at all, and why: the point is without them.</param>
public sealed record BackupResult(
    RecoveryPoint Point,
    long UnchangedFiles,
    long NewFiles,
    long ChangedFiles,
    long ReadBytes,
    SessionId? ResumedFromSession,
    IReadOnlyList<LostSource> LostSources)
{
    /// <summary>What came of each twin, in the order of the request.</summary>
    public IReadOnlyList<BackupCopy> Copies { get; init; } = [];
}

/// <summary>What a twin has of a backup that went to it as well.</summary>
/// <param name="Location">The twin's folder or URL.</param>
/// <param name="AlongBytes">Bytes that it took while the backup ran, as they are stored.</param>
/// <param name="Report">What was copied once the point was there; null where that failed.</param>
/// <param name="Failure">CopyIncomplete: why the point is not there; null where it is.</param>
public sealed record BackupCopy(string Location, long AlongBytes, VaultCopyReport? Report, BackupException? Failure);

/// <summary>One line of a preview: what a backup would do with an item.</summary>
/// <param name="Path">Full path as text.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Size">Size in bytes of a file.</param>
/// <param name="Change">New, changed or unchanged against the previous point.</param>
/// <param name="Failure">Why it cannot be read, where that is known already.</param>
/// <param name="IsLostSource">Whether it is a source that as a whole cannot be read.</param>
public sealed record BackupPreviewItem(
    string Path, EntryKind Kind, long Size, PreviewChange Change, BackupException? Failure = null, bool IsLostSource = false);

/// <summary>What a preview says of an item.</summary>
public enum PreviewChange
{
    /// <summary>Taken over without being read.</summary>
    Unchanged,

    /// <summary>Not in the previous point.</summary>
    New,

    /// <summary>To be read again.</summary>
    Changed,

    /// <summary>Cannot be read.</summary>
    Unreadable,
}
