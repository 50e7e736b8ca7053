using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Restore;

/// <summary>
/// The folder that a restore writes into. Nothing is ever written outside it: paths are resolved component by
/// component from an open handle of the folder, and a link in the way is an error, not a way.
/// </summary>
/// <remarks>May be called from several threads at once for different paths.</remarks>
public interface IRestoreTarget : IDisposable
{
    /// <summary>The mode of a folder that a restore is at work in: what no folder has otherwise (its owner's alone, and sticky). One that has it was
    /// made by a restore that did not come to its end.</summary>
    const uint UnfinishedMode = 0x3C0;

    /// <summary>How many large files may be under way at once.</summary>
    int MostOpenFiles { get; }

    /// <summary>Whether the target can have an item of a name. What is not known to be impossible is tried.</summary>
    bool CanHave(ReadOnlySpan<byte> name) => !OperatingSystem.IsWindows() || MappedName.IsPossible(name);

    /// <summary>Whether a folder takes names for one that differ only by the case of letters. It is tried, and leaves nothing behind.</summary>
    /// <returns>False also where it cannot be tried.</returns>
    bool IgnoresCase(EntryPath folder);

    /// <summary>What is at a path now (not following a link), with the target of a link; null where nothing is.</summary>
    ManifestEntry? Find(EntryPath path);

    /// <summary>Whether what is at an entry's path has all the metadata that a restore would give it. Flags that forbid changes may be missing.</summary>
    bool HasMetadata(ManifestEntry entry);

    /// <summary>Creates a folder and its missing parents, with <see cref="UnfinishedMode"/> until their metadata are set. A folder that exists is kept, and
    /// opened up as far as this account needs it.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="unlock">Whether flags that forbid changes of a folder that exists are taken away too.</param>
    /// <returns>What gives the folder back what opening it up took; null where nothing was taken.</returns>
    Action? OpenDirectory(EntryPath path, bool unlock);

    /// <summary>Whether a folder has anything in it; true also where it cannot be told.</summary>
    bool HoldsItems(EntryPath folder);

    /// <summary>Takes away what is at a path: no folder that holds anything.</summary>
    /// <exception cref="BackupException">RestoreItemExists, RestoreItemFailed, RestoreTargetUnwritable.</exception>
    void Remove(EntryPath path);

    /// <summary>Begins a file: without its name, sparse.</summary>
    IRestoreFile CreateFile(ManifestEntry entry);

    /// <summary>Creates a symbolic link, pipe, socket or device node, and sets its metadata.</summary>
    /// <param name="entry">What to create.</param>
    /// <param name="replace">Whether an existing non-folder gives way; otherwise it is RestoreItemExists.</param>
    /// <param name="reportMetadata">Told of metadata that could not be set.</param>
    void CreateSpecial(ManifestEntry entry, bool replace, Action<BackupException> reportMetadata);

    /// <summary>Gives <paramref name="existing"/>, which this restore wrote or kept, a further name.</summary>
    /// <returns>False where the target can give it none: too many names, another file system, none that has links.</returns>
    bool TryCreateHardLink(EntryPath path, EntryPath existing, bool replace);

    /// <summary>Sets the metadata of an item that is there, and takes away what its entry does not have; of a folder when nothing below it will be written
    /// any more.</summary>
    /// <param name="entry">What to set.</param>
    /// <param name="freeze">Whether flags that forbid changes are set; else <see cref="Freeze"/> is to come.</param>
    /// <param name="reportMetadata">Told of metadata that could not be set.</param>
    void SetMetadata(ManifestEntry entry, bool freeze, Action<BackupException> reportMetadata);

    /// <summary>Sets the flags of a file after which it cannot be changed or get further names.</summary>
    void Freeze(ManifestEntry entry, Action<BackupException> reportMetadata);

    /// <summary>Reads of a file that <see cref="Find"/> told of.</summary>
    /// <returns>How many bytes: fewer than asked for at its end only.</returns>
    /// <exception cref="BackupException">RestoreItemFailed also where it was changed since.</exception>
    int Read(ManifestEntry existing, long offset, Span<byte> destination);

    /// <summary>Whether a range of a file that <see cref="Find"/> told of is zeros, or a hole.</summary>
    bool IsZero(ManifestEntry existing, long offset, long length);

    /// <summary>Opens a restored file to read it again (verification).</summary>
    Stream OpenRead(EntryPath path);

    /// <summary>Whether the target can have a named stream of a name.</summary>
    bool CanHaveStream(ReadOnlySpan<byte> name) => false;

    /// <summary>Begins a long named stream of a folder that is there, in place of what it has of that name.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="name">The stream's raw name, one that <see cref="CanHaveStream"/>.</param>
    /// <param name="length">Its length in bytes.</param>
    /// <returns>Null where nothing is written: in a rehearsal.</returns>
    /// <exception cref="BackupException">RestoreItemFailed, RestoreTargetFull, RestoreTargetUnwritable.</exception>
    IRestoreStream? CreateStream(EntryPath folder, ReadOnlyMemory<byte> name, long length) => null;

    /// <summary>Opens a named stream of a file or folder to read it, from any position; null where there is none.</summary>
    Stream? OpenStream(EntryPath path, ReadOnlyMemory<byte> name) => null;

    /// <summary>Waits until everything written is on the medium.</summary>
    /// <exception cref="BackupException">RestoreTargetFull, RestoreTargetUnwritable: not all of it could be written.</exception>
    void Synchronize();
}

/// <summary>A file being restored. Disposed without <see cref="Complete"/>, it leaves nothing behind.</summary>
public interface IRestoreFile : IDisposable
{
    /// <summary>Writes at an offset; may be called from several threads at once.</summary>
    /// <exception cref="BackupException">RestoreTargetFull, RestoreTargetUnwritable.</exception>
    void Write(long offset, ReadOnlySpan<byte> content);

    /// <summary>Takes a range over from a file that <see cref="IRestoreTarget.Find"/> told of, at the same offset.</summary>
    /// <exception cref="BackupException">RestoreItemFailed also where that file was changed since.</exception>
    void CopyFrom(ManifestEntry existing, long offset, long length);

    /// <summary>Begins a long named stream of the file; see <see cref="IRestoreTarget.CreateStream"/>.</summary>
    IRestoreStream? CreateStream(ReadOnlyMemory<byte> name, long length) => null;

    /// <summary>Sets length and metadata and gives the file its name.</summary>
    /// <param name="replace">Whether an existing non-folder gives way; otherwise it is RestoreItemExists.</param>
    /// <param name="freeze">Whether flags that forbid changes are set; else <see cref="IRestoreTarget.Freeze"/> is to come.</param>
    /// <param name="reportMetadata">Told of metadata that could not be set; the file is restored all the same.</param>
    void Complete(bool replace, bool freeze, Action<BackupException> reportMetadata);
}

/// <summary>A long named stream being restored. Disposed without <see cref="Complete"/>, it leaves nothing behind. For one thread.</summary>
public interface IRestoreStream : IDisposable
{
    /// <summary>Writes at an offset. What is never written is zeros, a hole where the target has holes in streams.</summary>
    /// <exception cref="BackupException">RestoreItemFailed, RestoreTargetFull, RestoreTargetUnwritable.</exception>
    void Write(long offset, ReadOnlySpan<byte> content);

    /// <summary>Gives the stream its length; it stays then.</summary>
    /// <exception cref="BackupException">RestoreItemFailed, RestoreTargetFull, RestoreTargetUnwritable.</exception>
    void Complete();
}
