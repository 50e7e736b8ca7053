namespace MSOnlineBackup.Platform.Windows;

/// <summary>The Projected File System of Windows (ProjFS), by which a folder shows what a program has. Each method is one call, but for those about the folder itself.</summary>
internal interface IProjectionService
{
    /// <summary>Why this Windows has none, in a sentence; null where it has.</summary>
    string? FindObstacle();

    /// <summary>Which of two names comes first in a folder; 0 where they are one: PrjFileNameCompare.</summary>
    int Compare(string name, string other);

    /// <summary>Whether a name is meant by a pattern: PrjFileNameMatch.</summary>
    bool IsMatch(string name, string pattern);

    /// <summary>Whether a text is a pattern for several names: PrjDoesNameContainWildCards.</summary>
    bool IsPattern(string text);

    /// <summary>Makes a folder that shows what a program has: PrjMarkDirectoryAsPlaceholder.</summary>
    /// <param name="root">An empty folder, by its full path.</param>
    /// <param name="instance">What it is known by.</param>
    /// <returns>An HRESULT.</returns>
    int Mark(string root, Guid instance);

    /// <summary>Begins to show: PrjStartVirtualizing.</summary>
    /// <param name="root">A folder that was marked.</param>
    /// <param name="provider">Is asked for what there is, by several threads, also before this returns.</param>
    /// <param name="projection">What is shown; null where that failed. Disposing it ends it.</param>
    /// <returns>An HRESULT.</returns>
    int Start(string root, IProjectionProvider provider, out IProjection? projection);

    /// <summary>What lies on the disk for an item: PrjGetOnDiskFileState.</summary>
    /// <param name="path">The full path.</param>
    /// <param name="state">What it is.</param>
    /// <returns>An HRESULT.</returns>
    int StateOf(string path, out ProjectedState state);

    /// <summary>Makes a folder where there is none, for this account, the system and administrators alone, or as the folder above has it.</summary>
    /// <exception cref="IOException">It cannot be made.</exception>
    void MakeFolder(string path, bool isForAll);

    /// <summary>Makes an ordinary folder of an empty one that was marked, with the access list that it had.</summary>
    /// <exception cref="IOException">It is not empty, or in use.</exception>
    void Renew(string root);
}

/// <summary>A folder that shows what a program has.</summary>
internal interface IProjection : IDisposable
{
    /// <summary>What the folder was marked with.</summary>
    Guid Instance { get; }

    /// <summary>Of what offsets and lengths of contents are to be multiples, but at a file's end; from 1.</summary>
    int Alignment { get; }

    /// <summary>Gives what an item is: PrjWritePlaceholderInfo.</summary>
    /// <param name="path">Its path below the root, as the program has it.</param>
    /// <param name="info">What it is.</param>
    /// <returns>An HRESULT.</returns>
    int WriteInfo(string path, in ProjectedInfo info);

    /// <summary>Gives a part of a file: PrjWriteFileData.</summary>
    /// <param name="stream">By what Windows has asked for it.</param>
    /// <param name="content">The bytes.</param>
    /// <param name="offset">Where they are in the file.</param>
    /// <returns>An HRESULT.</returns>
    int WriteData(Guid stream, ReadOnlySpan<byte> content, long offset);

    /// <summary>Removes from the disk what lies there for an item, unless somebody has written to it: PrjDeleteFile.</summary>
    /// <param name="path">Its path below the root.</param>
    /// <returns>An HRESULT.</returns>
    int Delete(string path);
}

/// <summary>What takes the items of a folder: a buffer of Windows.</summary>
internal interface IProjectedEntries
{
    /// <summary>Adds one: PrjFillDirEntryBuffer.</summary>
    /// <returns>An HRESULT; <see cref="ProjectionResult.InsufficientBuffer"/> where it has no room left.</returns>
    int Add(string name, in ProjectedInfo info);
}

/// <summary>Whoever has what a folder shows. Paths are below the root, with backslashes; empty for the root. All answer an HRESULT, from any thread.</summary>
internal interface IProjectionProvider
{
    /// <summary>Somebody begins to list a folder.</summary>
    int StartListing(string path, Guid session);

    /// <summary>The next items of a listing, in the order of names.</summary>
    /// <param name="session">The listing.</param>
    /// <param name="search">What is looked for: a name, a pattern; null for all. Holds from when it begins, or begins again.</param>
    /// <param name="isRestarted">Whether it begins again.</param>
    /// <param name="entries">Takes them.</param>
    int List(Guid session, string? search, bool isRestarted, IProjectedEntries entries);

    /// <summary>A listing ends.</summary>
    int EndListing(Guid session);

    /// <summary>What an item is; written by <see cref="IProjection.WriteInfo"/>.</summary>
    int GetInfo(string path, IProjection projection);

    /// <summary>Whether there is an item.</summary>
    int Find(string path);

    /// <summary>A part of a file, which is written by <see cref="IProjection.WriteData"/>: at least what was asked for.</summary>
    int GetData(string path, Guid stream, long offset, long length, IProjection projection);

    /// <summary>Somebody is about to change something, or has.</summary>
    /// <param name="path">What; empty for what comes from elsewhere.</param>
    /// <param name="notice">What happens to it.</param>
    int Notify(string path, ProjectionNotice notice);
}

/// <summary>What an item is.</summary>
/// <param name="IsFolder">Whether it holds others.</param>
/// <param name="Size">In bytes; 0 for a folder.</param>
/// <param name="Created">When it was made, in units of 100 ns since 1601.</param>
/// <param name="Written">When it was changed last, likewise.</param>
/// <param name="Attributes">FILE_ATTRIBUTE_….</param>
internal readonly record struct ProjectedInfo(bool IsFolder, long Size, long Created, long Written, FileAttributes Attributes);

/// <summary>PRJ_FILE_STATE: what lies on the disk for an item.</summary>
[Flags]
internal enum ProjectedState
{
    None = 0,

    /// <summary>What it is, and no content.</summary>
    Placeholder = 1,

    /// <summary>Its content, too, as it was given.</summary>
    Hydrated = 2,

    /// <summary>Somebody has changed its times or attributes.</summary>
    Dirty = 4,

    /// <summary>Somebody has made it, or written to it.</summary>
    Full = 8,

    /// <summary>A note that somebody has removed it.</summary>
    Tombstone = 16,
}

/// <summary>PRJ_NOTIFICATION, and as bits PRJ_NOTIFY_TYPES: what happens to an item. What is about to happen can be refused.</summary>
internal enum ProjectionNotice
{
    NewFileCreated = 0x4,
    PreDelete = 0x10,
    PreRename = 0x20,
    PreSetHardLink = 0x40,
    PreConvertToFull = 0x1000,
}
