using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Platform.Unix;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Sources.Unix;

/// <summary>A folder or a single file of a POSIX system.</summary>
internal sealed class UnixSourceTree : ISourceTree
{
    // The kernel's own limit for chains of links.
    private const int MaxLinks = 40;

    private const int MaxListings = 5;

    private readonly UnixSystem _system;
    private readonly SourceSelection _selection;
    private readonly ExclusionRules _rules;
    private readonly OwnFolders _own;
    private readonly byte[] _rootPath;
    private readonly byte[] _rootName;
    private readonly bool _isFolder;
    private readonly DirectoryListing _earlier = new();

    // The root itself where it is a folder, otherwise the folder that holds it.
    private int _handle;

    private UnixSourceTree(
        UnixSystem system, SourceSelection selection, ExclusionRules rules, OwnFolders own, byte[] rootPath, byte[] rootName, int handle, bool isFolder)
    {
        _own = own;
        _system = system;
        _selection = selection;
        _rules = rules;
        _rootPath = rootPath;
        _rootName = rootName;
        _handle = handle;
        _isFolder = isFolder;
    }

    public ReadOnlyMemory<byte> RootPath => _rootPath;

    public string? FileSystem { get; private init; }

    public bool IsMountPoint { get; private init; }

    public bool IsLeftOut { get; private init; }

    /// <summary>The name by which the root is reached from the tree's handle.</summary>
    public ReadOnlySpan<byte> RootName => _rootName;

    /// <summary>Opens a root. A link that leads to it is followed: what is meant is what it names.</summary>
    /// <param name="system">The calls.</param>
    /// <param name="path">Absolute path, raw, without a '/' at its end (but for the root of all).</param>
    /// <param name="selection">What of it.</param>
    /// <param name="own">What is left out of it.</param>
    /// <exception cref="BackupException">SourceNotFound, SourceUnreadable, PatternInvalid.</exception>
    public static UnixSourceTree Open(UnixSystem system, byte[] path, SourceSelection selection, OwnFolders? own = null)
    {
        ExclusionRules rules = ExclusionRules.Compile(selection.Exclude, path, filePatterns: selection.ExcludeFiles);
        byte[] place = path;
        for (int links = 0; links <= MaxLinks; links++)
        {
            int slash = Array.LastIndexOf(place, (byte)'/');
            byte[] name = slash + 1 == place.Length ? "."u8.ToArray() : place[(slash + 1)..];
            int parent = UnixRootPath.OpenFolder(system, place.AsSpan(0, slash + 1));
            if (parent < 0)
            {
                throw Unopened(system, parent, path);
            }

            try
            {
                int result = system.Stat(parent, name, out UnixStat stat);
                if (result >= 0 && stat.Kind == EntryKind.SymbolicLink)
                {
                    place = UnixRootPath.Follow(parent, name, place.AsSpan(0, slash + 1), path);
                    continue;
                }

                int handle = result < 0 ? result
                    : stat.Kind == EntryKind.Directory ? system.OpenDirectory(parent, name)
                    : parent;
                if (handle < 0)
                {
                    throw Unopened(system, handle, path);
                }

                if (own is not null && IsOwn(system, own, handle, stat))
                {
                    if (handle != parent)
                    {
                        UnixSystem.Close(handle);
                    }

                    throw OwnFolders.Refusal(path);
                }

                var tree = Create(system, selection, rules, own ?? OwnFolders.None, path, name, parent, handle, stat);
                parent = handle == parent ? -1 : parent;
                return tree;
            }
            finally
            {
                if (parent >= 0)
                {
                    UnixSystem.Close(parent);
                }
            }
        }

        throw UnixSourceError.OfRoot(-Errno.Loop, path);
    }

    // What lies below a locked folder has no name until that is unlocked.
    private static BackupException Unopened(UnixSystem system, int result, byte[] path)
    {
        int folder = result;
        int end = path.Length;
        while (folder == -Errno.NotFound && (end = path.AsSpan(0, end).LastIndexOf((byte)'/')) > 0)
        {
            folder = UnixRootPath.OpenFolder(system, path.AsSpan(0, end));
        }

        if (folder < 0)
        {
            return UnixSourceError.OfRoot(result, path);
        }

        // The handle only names the folder: another one lists it.
        int listed = system.OpenDirectory(folder, "."u8);
        UnixSystem.Close(folder);
        if (listed < 0)
        {
            return UnixSourceError.OfRoot(result, path);
        }

        try
        {
            var listing = new DirectoryListing();
            bool isLocked = system.Stat(listed, out UnixStat stat) >= 0 && stat.IsEncrypted && system.List(listed, listing) >= 0 && system.IsLocked(listed, listing);
            return isLocked ? UnixSourceError.Locked(path.AsSpan(0, end), isRoot: true) : UnixSourceError.OfRoot(result, path);
        }
        finally
        {
            UnixSystem.Close(listed);
        }
    }

    public IEnumerable<SourceItem> Walk(CancellationToken cancellationToken)
    {
        var item = new UnixSourceItem(_system, this);
        using var folders = new FolderStack(_system);
        try
        {
            BeginAtRoot(item, folders);
            yield return item;
            foreach (SourceItem next in Walk(item, folders, cancellationToken))
            {
                yield return next;
            }
        }
        finally
        {
            item.Release();
        }
    }

    private IEnumerable<SourceItem> Walk(UnixSourceItem item, FolderStack folders, CancellationToken cancellationToken)
    {
        while (folders.Depth > 0)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!folders.TryNext(out ReadOnlySpan<byte> name))
            {
                item.Release();
                folders.Leave();
            }
            else if (TryMoveTo(name, item, folders))
            {
                yield return item;
            }
        }
    }

    // A folder below the root, reached step by step: never through a link.
    private int OpenBelow(ReadOnlySpan<byte> path)
    {
        int at = _system.OpenDirectory(_handle, "."u8);
        while (at >= 0 && !path.IsEmpty)
        {
            int slash = path.IndexOf((byte)'/');
            int next = _system.OpenDirectory(at, slash < 0 ? path : path[..slash]);
            UnixSystem.Close(at);
            at = next;
            path = slash < 0 ? default : path[(slash + 1)..];
        }

        return at;
    }

    public IEnumerable<SourceItem> LookAgain(EntryPath path, CancellationToken cancellationToken)
    {
        if (!_isFolder || path.IsRoot)
        {
            yield break;
        }

        EntryPath parent = path.Parent;
        int handle = OpenBelow(parent.Bytes);
        if (handle < 0)
        {
            yield break;
        }

        var item = new UnixSourceItem(_system, this);
        using var folders = new FolderStack(_system);
        try
        {
            folders.NextListing.Clear();
            folders.NextListing.TryAdd(path.Name);
            folders.Begin(parent.Bytes);
            bool isTold = _system.Stat(handle, out UnixStat stat) >= 0;
            folders.Enter(handle, stat, parent.Bytes);
            if (!isTold
                || _system.Stat(handle, path.Name, out _) is var result && result == -Errno.NotFound
                || (_selection.ExcludeCaches && !path.Name.SequenceEqual(CacheTag.Name) && UnixCacheTag.IsIn(_system, handle)))
            {
                yield break;
            }

            foreach (SourceItem next in Walk(item, folders, cancellationToken))
            {
                yield return next;
            }
        }
        finally
        {
            item.Release();
        }
    }

    public void Dispose()
    {
        if (_handle >= 0)
        {
            UnixSystem.Close(_handle);
            _handle = -1;
        }
    }

    /// <summary>The full path of an item, for messages.</summary>
    public ReadOnlySpan<byte> FullPath(EntryPath path) => FullPath(path.Bytes);

    private ReadOnlySpan<byte> FullPath(ReadOnlySpan<byte> path) =>
        path.IsEmpty ? _rootPath
        : _rootPath.Length == 1 ? [.. _rootPath, .. path]
        : [.. _rootPath, (byte)'/', .. path];

    // Whether a root is a folder of the backup itself, or lies in the vault. The handle is the root's, or that of the folder that holds it.
    private static bool IsOwn(UnixSystem system, OwnFolders own, int handle, in UnixStat root)
    {
        if (own.Contains(root))
        {
            return true;
        }

        bool found = false;
        UnixStat last = default;
        int at = system.OpenBase(handle, "."u8);
        while (at >= 0 && !found && system.Stat(at, out UnixStat stat) >= 0 && !stat.IsSameInode(last))
        {
            found = own.IsVault(stat);
            last = stat;
            int above = system.OpenBase(at, ".."u8);
            UnixSystem.Close(at);
            at = above;
        }

        if (at >= 0)
        {
            UnixSystem.Close(at);
        }

        return found;
    }

    private static UnixSourceTree Create(
        UnixSystem system,
        SourceSelection selection,
        ExclusionRules rules,
        OwnFolders own,
        byte[] path,
        byte[] name,
        int parent,
        int handle,
        in UnixStat stat)
    {
        bool isFolder = handle != parent;
        string? fileSystem = system.FileSystemOf(handle, stat);
        if (system.IsPseudoFileSystem(fileSystem))
        {
            if (isFolder)
            {
                UnixSystem.Close(handle);
            }

            string text = EntryName.Escape(path);
            throw new BackupException(
                BackupErrorId.SourceUnreadable,
                $"The source '{text}' is on a pseudo file system ({fileSystem}): what it shows is made up by the kernel when it is read.",
                "Name a folder that holds files.",
                text);
        }

        bool isMountPoint = system.Stat(parent, out UnixStat parentStat) >= 0
            && (stat.IsMountedOn(parentStat) || (isFolder && stat.IsSameInode(parentStat)));
        return new UnixSourceTree(system, selection, rules, own, path, isFolder ? "."u8.ToArray() : name, handle, isFolder)
        {
            FileSystem = fileSystem,
            IsMountPoint = isMountPoint,
            IsLeftOut = rules.MatchRoot(path).HasFlag(isFolder ? Exclusion.Folder : Exclusion.File)
                || (stat.Kind == EntryKind.File && stat.Size > selection.ExcludeLargerThan),
        };
    }

    private void BeginAtRoot(UnixSourceItem item, FolderStack folders)
    {
        int result = _system.Stat(_handle, _rootName, out UnixStat stat);
        int folder = -1;
        BackupException? failure = null;
        if (result >= 0 && _isFolder)
        {
            folder = result = _system.OpenDirectory(_handle, "."u8);
            if (folder >= 0)
            {
                result = List(ref folder, stat, folders.NextListing, default, out failure);
                folders.Enter(folder, stat, default);
            }
        }

        if (result < 0 || failure is { Id: BackupErrorId.SourceUnreadable })
        {
            throw failure ?? UnixSourceError.OfRoot(result, _rootPath);
        }

        item.MoveTo(EntryPath.Root, stat, _handle, folder, null);
        item.Tell(failure);
    }

    /// <summary>Moves to a name of the deepest folder; enters it where it is a folder. False where it is left out.</summary>
    private bool TryMoveTo(ReadOnlySpan<byte> name, UnixSourceItem item, FolderStack folders)
    {
        ReadOnlySpan<byte> path = folders.PathOf(name);
        Exclusion exclusion = _rules.Match(path);
        if (exclusion == Exclusion.Item)
        {
            return false;
        }

        int at = folders.Handle;
        if (at < 0)
        {
            item.MoveTo(new EntryPath(path.ToArray()), UnixSourceError.Vanished(FullPath(path)));
            return true;
        }

        int result = _system.Stat(at, name, out UnixStat stat);
        if (result == -Errno.NotConnected && !_selection.CrossMountPoints)
        {
            // The mount of a program that is gone: not entered, as it would not be while that runs.
            string text = EntryName.Escape(FullPath(path));
            stat = new UnixStat { Mode = 0x41ed, UserId = folders.Stat.UserId, GroupId = folders.Stat.GroupId, LinkCount = 1, Modified = folders.Stat.Modified };
            item.MoveTo(new EntryPath(path.ToArray()), stat, -1, -1, null, $"'{text}' is a mount whose program does not answer any more; mounts are not entered.");
            return true;
        }

        if (result < 0)
        {
            item.MoveTo(new EntryPath(path.ToArray()), UnixSourceError.OfItem(result, FullPath(path)));
            return true;
        }

        if (stat.Kind != EntryKind.Directory)
        {
            if (exclusion.HasFlag(Exclusion.File) || (stat.Kind == EntryKind.File && stat.Size > _selection.ExcludeLargerThan))
            {
                return false;
            }

            BackupException? failure = stat.IsPlaceholder ? SourcePlaceholder.Failure(FullPath(path)) : null;
            item.MoveTo(new EntryPath(path.ToArray()), stat, at, -1, failure);
            return true;
        }

        if (exclusion.HasFlag(Exclusion.Folder) || _selection.NonRecursive)
        {
            return false;
        }

        EnterFolder(name, path, stat, item, folders);
        return true;
    }

    private void EnterFolder(ReadOnlySpan<byte> name, ReadOnlySpan<byte> path, in UnixStat stat, UnixSourceItem item, FolderStack folders)
    {
        int at = folders.Handle;
        var entryPath = new EntryPath(path.ToArray());
        if (_own.Contains(stat))
        {
            item.MoveTo(entryPath, stat, at, -1, null, OwnFolders.Note(FullPath(path)));
            return;
        }

        bool isMountPoint = stat.IsMountedOn(folders.Stat);
        if (isMountPoint && !_selection.CrossMountPoints)
        {
            item.MoveTo(entryPath, stat, at, -1, null);
            return;
        }

        if (stat.IsPlaceholder)
        {
            item.MoveTo(entryPath, stat, at, -1, SourcePlaceholder.Failure(FullPath(path)));
            return;
        }

        int folder = _system.OpenDirectory(at, name);
        if (folder < 0)
        {
            item.MoveTo(entryPath, stat, at, -1, UnixSourceError.OfItem(folder, FullPath(path)));
            return;
        }

        if (isMountPoint && _system.IsPseudoFileSystem(_system.FileSystemOf(folder, stat)))
        {
            UnixSystem.Close(folder);
            item.MoveTo(entryPath, stat, at, -1, null);
            return;
        }

        int result = List(ref folder, stat, folders.NextListing, path, out BackupException? trouble);
        BackupException? failure = result < 0 ? UnixSourceError.OfItem(result, FullPath(path))
            : trouble is { Id: BackupErrorId.SourceItemLocked } ? trouble
            : path.Length + 1 + folders.NextListing.LongestName > EntryPath.MaxLength ? UnixSourceError.TooDeep(FullPath(path))
            : null;
        if (failure is not null)
        {
            UnixSystem.Close(folder);
            item.MoveTo(entryPath, stat, at, -1, failure);
            return;
        }

        item.MoveTo(entryPath, stat, at, folder, null, isCrossed: isMountPoint);
        item.Tell(trouble);
        folders.Enter(folder, stat, path);
    }

    // Lists a folder until it holds still, a few times at most; what was there before and is there still is kept. Says what is wrong with the result.
    private int List(ref int folder, in UnixStat stat, DirectoryListing listing, ReadOnlySpan<byte> path, out BackupException? failure)
    {
        failure = null;
        UnixStat before = stat;
        for (int tries = 1; ; tries++)
        {
            int result = _system.List(folder, listing);
            if (result < 0)
            {
                return result;
            }

            if (stat.IsEncrypted && _system.IsLocked(folder, listing))
            {
                failure = UnixSourceError.Locked(FullPath(path), path.IsEmpty);
                return 0;
            }

            if (tries > 1)
            {
                KeepWhatIsThere(folder, _earlier, listing);
            }

            if (_system.Stat(folder, out UnixStat after) < 0 || (after.Modified == before.Modified && after.Changed == before.Changed))
            {
                break;
            }

            // A listing that was begun anew by the same handle would, on some file systems, end where the first one ended.
            int again = tries < MaxListings ? _system.OpenDirectory(folder, "."u8) : -1;
            if (again < 0)
            {
                failure = UnixSourceError.Restless(FullPath(path));
                break;
            }

            UnixSystem.Close(folder);
            folder = again;
            before = after;
            _earlier.Clear();
            for (int i = 0; i < listing.Count; i++)
            {
                _earlier.TryAdd(listing[i]);
            }

            _earlier.Sort();
        }

        if (_selection.ExcludeCaches && listing.Contains(CacheTag.Name) && UnixCacheTag.IsIn(_system, folder))
        {
            listing.KeepOnly(CacheTag.Name);
        }

        return 0;
    }

    private void KeepWhatIsThere(int folder, DirectoryListing earlier, DirectoryListing listing)
    {
        int listed = listing.Count;
        for (int i = 0; i < earlier.Count; i++)
        {
            if (!listing.Contains(earlier[i], listed) && _system.Stat(folder, earlier[i], out _) >= 0)
            {
                listing.TryAdd(earlier[i]);
            }
        }

        listing.Sort();
    }
}
