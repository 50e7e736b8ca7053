using MSOnlineBackup.Engine.Errors;
using MSOnlineBackup.Engine.RecoveryPoints;

namespace MSOnlineBackup.Engine.Restore;

/// <summary>
/// The folder that a restore writes into. Nothing is ever written outside it: paths are resolved component by
/// component from an open handle of the folder, and a link in the way is an error, not a way.
/// </summary>
/// <remarks>May be called from several threads at once for different paths.</remarks>
public interface IRestoreTarget : IDisposable
{
    /// <summary>What is at a path now (not following a link); null where nothing is.</summary>
    ManifestEntry? Find(EntryPath path);

    /// <summary>Creates a folder and its missing parents, writable by its owner until its metadata are set. A folder that exists is kept.</summary>
    void CreateDirectory(EntryPath path);

    /// <summary>Begins a file: a temporary name beside its place, sparse.</summary>
    IRestoreFile CreateFile(ManifestEntry entry);

    /// <summary>Creates a symbolic link, pipe, socket or device node, and sets its metadata.</summary>
    /// <param name="entry">What to create.</param>
    /// <param name="replace">Whether an existing non-folder gives way; otherwise it is RestoreItemExists.</param>
    /// <param name="reportMetadata">Told of metadata that could not be set.</param>
    void CreateSpecial(ManifestEntry entry, bool replace, Action<BackupException> reportMetadata);

    /// <summary>Creates <paramref name="path"/> as a hard link to <paramref name="existing"/>, which this restore wrote.</summary>
    void CreateHardLink(EntryPath path, EntryPath existing, bool replace);

    /// <summary>Sets the metadata of a folder; called when nothing below it will be written any more.</summary>
    void SetDirectoryMetadata(ManifestEntry entry, Action<BackupException> reportMetadata);

    /// <summary>Opens a restored file to read it again (verification).</summary>
    Stream OpenRead(EntryPath path);
}

/// <summary>A file being restored. Disposed without <see cref="Complete"/>, it leaves nothing behind.</summary>
public interface IRestoreFile : IDisposable
{
    /// <summary>Writes at an offset; may be called from several threads at once.</summary>
    /// <exception cref="BackupException">RestoreTargetFull, RestoreTargetUnwritable.</exception>
    void Write(long offset, ReadOnlySpan<byte> content);

    /// <summary>Sets length and metadata and gives the file its name.</summary>
    /// <param name="replace">Whether an existing non-folder gives way; otherwise it is RestoreItemExists.</param>
    /// <param name="reportMetadata">Told of metadata that could not be set; the file is restored all the same.</param>
    void Complete(bool replace, Action<BackupException> reportMetadata);
}
