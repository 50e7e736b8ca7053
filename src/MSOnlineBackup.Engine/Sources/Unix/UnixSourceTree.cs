using MSOnlineBackup.Engine.Errors;
using MSOnlineBackup.Engine.RecoveryPoints;

namespace MSOnlineBackup.Engine.Sources.Unix;

/// <summary>A folder or a single file of a POSIX system.</summary>
internal sealed class UnixSourceTree : ISourceTree
{
    // The kernel's own limit for chains of links.
    private const int MaxLinks = 40;

    // Longer paths are opened in steps; the system takes 4,095 bytes (macOS: 1,023) at once.
    private const int MaxStep = 1000;

    private readonly UnixSystem _system;
    private readonly SourceSelection _selection;
    private readonly ExclusionRules _rules;
    private readonly byte[] _rootPath;
    private readonly byte[] _rootName;
    private readonly bool _isFolder;

    // The root itself where it is a folder, otherwise the folder that holds it.
    private int _handle;

    private UnixSourceTree(
        UnixSystem system, SourceSelection selection, ExclusionRules rules, byte[] rootPath, byte[] rootName, int handle, bool isFolder)
    {
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

    /// <summary>The name by which the root is reached from the tree's handle.</summary>
    public ReadOnlySpan<byte> RootName => _rootName;

    /// <summary>Opens a root. A link that leads to it is followed: what is meant is what it names.</summary>
    /// <param name="system">The calls.</param>
    /// <param name="path">Absolute path, raw, without a '/' at its end (but for the root of all).</param>
    /// <param name="selection">What of it.</param>
    /// <exception cref="BackupException">SourceNotFound, SourceUnreadable, PatternInvalid.</exception>
    public static UnixSourceTree Open(UnixSystem system, byte[] path, SourceSelection selection)
    {
        ExclusionRules rules = ExclusionRules.Compile(selection.Exclude, path, filePatterns: selection.ExcludeFiles);
        byte[] place = path;
        for (int links = 0; links <= MaxLinks; links++)
        {
            int slash = Array.LastIndexOf(place, (byte)'/');
            byte[] name = slash + 1 == place.Length ? "."u8.ToArray() : place[(slash + 1)..];
            int parent = OpenBase(system, place.AsSpan(0, slash + 1));
            if (parent < 0)
            {
                throw UnixSourceError.OfRoot(parent, path);
            }

            try
            {
                int result = system.Stat(parent, name, out UnixStat stat);
                if (result >= 0 && stat.Kind == EntryKind.SymbolicLink)
                {
                    place = Follow(parent, name, place.AsSpan(0, slash + 1), path);
                    continue;
                }

                int handle = result < 0 ? result
                    : stat.Kind == EntryKind.Directory ? system.OpenDirectory(parent, name)
                    : parent;
                if (handle < 0)
                {
                    throw UnixSourceError.OfRoot(handle, path);
                }

                var tree = Create(system, selection, rules, path, name, parent, handle, stat);
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

    public IEnumerable<SourceItem> Walk(CancellationToken cancellationToken)
    {
        var item = new UnixSourceItem(_system, this);
        using var folders = new FolderStack(_system);
        try
        {
            BeginAtRoot(item, folders);
            yield return item;
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

    private static int OpenBase(UnixSystem system, ReadOnlySpan<byte> path)
    {
        int at = system.OpenBase(-1, "/"u8, followLink: true);
        path = path[1..];
        while (at >= 0 && !path.IsEmpty)
        {
            // A component longer than a step is longer than any name: the system says so.
            int end = path.Length <= MaxStep ? path.Length : path[..MaxStep].LastIndexOf((byte)'/') + 1;
            int next = system.OpenBase(at, end == 0 ? path : path[..end], followLink: true);
            UnixSystem.Close(at);
            at = next;
            path = end == 0 ? default : path[end..];
        }

        return at;
    }

    private static byte[] Follow(int parent, ReadOnlySpan<byte> name, ReadOnlySpan<byte> folder, byte[] root)
    {
        Span<byte> buffer = stackalloc byte[4096];
        int length = UnixSystem.ReadLink(parent, name, buffer);
        if (length <= 0)
        {
            throw UnixSourceError.OfRoot(length == 0 ? -Errno.NotFound : length, root);
        }

        ReadOnlySpan<byte> target = buffer[..length];
        if (target.Length > 1)
        {
            target = target.TrimEnd((byte)'/');
        }

        return target.IsEmpty ? "/"u8.ToArray() : target[0] == (byte)'/' ? target.ToArray() : [.. folder, .. target];
    }

    private static UnixSourceTree Create(
        UnixSystem system,
        SourceSelection selection,
        ExclusionRules rules,
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
        return new UnixSourceTree(system, selection, rules, path, isFolder ? "."u8.ToArray() : name, handle, isFolder)
        {
            FileSystem = fileSystem,
            IsMountPoint = isMountPoint,
        };
    }

    private void BeginAtRoot(UnixSourceItem item, FolderStack folders)
    {
        int result = _system.Stat(_handle, _rootName, out UnixStat stat);
        int folder = -1;
        if (result >= 0 && _isFolder)
        {
            folder = result = _system.OpenDirectory(_handle, "."u8);
            if (folder >= 0)
            {
                result = List(folder, folders.NextListing);
                folders.Enter(folder, stat, default);
            }
        }

        if (result < 0)
        {
            throw UnixSourceError.OfRoot(result, _rootPath);
        }

        item.MoveTo(EntryPath.Root, stat, _handle, folder, null);
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

        int result = List(folder, folders.NextListing);
        BackupException? failure = result < 0 ? UnixSourceError.OfItem(result, FullPath(path))
            : path.Length + 1 + folders.NextListing.LongestName > EntryPath.MaxLength ? UnixSourceError.TooDeep(FullPath(path))
            : null;
        if (failure is not null)
        {
            UnixSystem.Close(folder);
            item.MoveTo(entryPath, stat, at, -1, failure);
            return;
        }

        item.MoveTo(entryPath, stat, at, folder, null);
        folders.Enter(folder, stat, path);
    }

    private int List(int folder, DirectoryListing listing)
    {
        int result = _system.List(folder, listing);
        if (result >= 0 && _selection.ExcludeCaches && listing.Contains(CacheTag.Name) && IsCache(folder))
        {
            listing.KeepOnly(CacheTag.Name);
        }

        return result;
    }

    private bool IsCache(int folder)
    {
        int tag = _system.OpenFile(folder, CacheTag.Name);
        if (tag < 0)
        {
            return false;
        }

        Span<byte> content = stackalloc byte[CacheTag.Signature.Length];
        bool isTag = _system.Stat(tag, out UnixStat stat) >= 0
            && stat.Kind == EntryKind.File
            && UnixSystem.Read(tag, 0, content) == content.Length
            && content.SequenceEqual(CacheTag.Signature);
        UnixSystem.Close(tag);
        return isTag;
    }
}
