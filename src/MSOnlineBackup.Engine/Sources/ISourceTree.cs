using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Sources;

/// <summary>A tree of files to be read: a folder of the machine, or standard input as a tree of one file.</summary>
/// <remarks>Synchronous, because file systems are. One walk at a time, on one thread.</remarks>
public interface ISourceTree : IDisposable
{
    /// <summary>The absolute path of the root, raw (on Windows UTF-8).</summary>
    ReadOnlyMemory<byte> RootPath { get; }

    /// <summary>The file system's name, for example "ext4"; null where unknown.</summary>
    string? FileSystem { get; }

    /// <summary>Whether the root is a mount point.</summary>
    bool IsMountPoint { get; }

    /// <summary>How far what is read is of one moment, where the source itself tells; null where snapshots do.</summary>
    SourceConsistency? Consistency => null;

    /// <summary>What is doubtful about reading it, in a sentence or two; null for nothing.</summary>
    string? Warning => null;

    /// <summary>Whether the exclusions, or the limit of size, leave out the root itself.</summary>
    bool IsLeftOut => false;

    /// <summary>
    /// Walks the tree depth-first with sorted names (the order of <see cref="EntryPath"/>), the root first, exclusions
    /// applied. Each item costs one stat; nothing is opened. What cannot be listed or statted is yielded as an item
    /// with <see cref="SourceItem.Failure"/> set, never left out. Memory is bounded by the largest folder.
    /// </summary>
    /// <exception cref="BackupException">SourceNotFound, SourceUnreadable: the root itself cannot be read.</exception>
    IEnumerable<SourceItem> Walk(CancellationToken cancellationToken);

    /// <summary>
    /// Looks for an item that an earlier backup had and the walk did not meet: a listing may miss names while others come and go. Walks what is
    /// there, at and below the path, by the same rules; nothing where it is gone or left out.
    /// </summary>
    IEnumerable<SourceItem> LookAgain(EntryPath path, CancellationToken cancellationToken) => [];
}

/// <summary>
/// One item of a walk. Its methods may be called only until the walk moves on: they work relative to the folder the
/// walk is in, so that no path length limits them and no renamed parent misleads them.
/// </summary>
public abstract class SourceItem
{
    /// <summary>Path, kind, size and fixed metadata, as the one stat told; no attributes, link target or content.
    /// Where even the stat failed, kind is File and the metadata are empty.</summary>
    public abstract ManifestEntry Entry { get; }

    /// <summary>Why the item, or for a folder its listing, could not be read; null when it could.</summary>
    public abstract BackupException? Failure { get; }

    /// <summary>What went wrong with it that does not keep it from being taken: names of a busy folder may be missing.</summary>
    public virtual BackupException? Trouble => null;

    /// <summary>Of a folder: whether the walk goes on into it.</summary>
    public virtual bool IsEntered => true;

    /// <summary>Whether it is a folder in which another file system is mounted, which the walk enters.</summary>
    public virtual bool IsCrossedMountPoint => false;

    /// <summary>What is to be told of it that is no fault; null mostly.</summary>
    public virtual string? Note => null;

    /// <summary>Whether its times say when it was last written to. Where they do not, a file of the same times proves nothing.</summary>
    public virtual bool IsTimeTold => true;

    /// <summary>The content of a disk, which is read in place of what <see cref="Open"/> gives; null for everything else.</summary>
    public virtual GriddedContent? Gridded => null;

    /// <summary>
    /// The entry completed by what costs more calls: link target, extended attributes, ACLs, flags, streams. An attribute that cannot be
    /// read never costs the rest: it stands there as <see cref="AttributeTag.Unread"/>, and <see cref="AttributeFaults"/> says why.
    /// </summary>
    /// <exception cref="BackupException">SourceItemUnreadable, SourceItemVanished.</exception>
    public abstract ManifestEntry ReadDetails();

    /// <summary>Why attributes are missing from what <see cref="ReadDetails"/> gave last.</summary>
    public virtual IReadOnlyList<BackupException> AttributeFaults => [];

    /// <summary>The named streams that are too long to stand among the attributes of what <see cref="ReadDetails"/> gave last.</summary>
    public virtual IReadOnlyList<SourceStream> LongStreams => [];

    /// <summary>Opens one of <see cref="LongStreams"/> for reading. Its <see cref="ISourceFile.Stat"/> tells the size of the stream, and the times of the item.</summary>
    /// <exception cref="BackupException">SourceItemUnreadable, SourceItemVanished.</exception>
    public virtual ISourceFile OpenStream(SourceStream stream) => throw new NotSupportedException("This source has no streams.");

    /// <summary>Opens the file for reading; never follows a link, never changes its access time where that can be avoided.</summary>
    /// <exception cref="BackupException">SourceItemUnreadable, SourceItemVanished, SourceItemChanged (it is no regular file any more).</exception>
    public abstract ISourceFile Open();
}

/// <summary>An open file of a source.</summary>
public interface ISourceFile : IDisposable
{
    /// <summary>The next run at or after <paramref name="offset"/>: where data begin and how long they last, by SEEK_DATA where
    /// the file is sparse. Returns false when only a hole (or nothing) follows. For a plain file: one run to its end.</summary>
    bool TryGetDataRun(long offset, out long start, out long length);

    /// <summary>Reads at an offset; 0 at the end of the file.</summary>
    /// <exception cref="BackupException">SourceItemUnreadable.</exception>
    int Read(long offset, Span<byte> destination);

    /// <summary>Size and fixed metadata now, from the open handle, to be compared with those before.</summary>
    ManifestEntry Stat();
}
