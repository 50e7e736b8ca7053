using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Platform.Unix;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Sources.Unix;

/// <summary>The root of a source, found and opened.</summary>
internal sealed class UnixSourceRoot : IDisposable
{
    // The kernel's own limit for chains of links.
    private const int MaxLinks = 40;

    private UnixSourceRoot(
        UnixSystem system, SourceSelection selection, ExclusionRules rules, byte[] path, byte[] name, int parent, int handle, in UnixStat stat)
    {
        IsFolder = handle != parent;
        FileSystem = system.FileSystemOf(handle, stat);
        if (system.IsPseudoFileSystem(FileSystem))
        {
            if (IsFolder)
            {
                UnixSystem.Close(handle);
            }

            string text = EntryName.Escape(path);
            throw new BackupException(
                BackupErrorId.SourceUnreadable,
                $"The source '{text}' is on a pseudo file system ({FileSystem}): the kernel makes up its contents as they are read.",
                "Name a folder that holds files.",
                text);
        }

        Path = path;
        Name = IsFolder ? "."u8.ToArray() : name;
        Handle = handle;
        IsMountPoint = system.Stat(parent, out UnixStat parentStat) >= 0
            && (stat.IsMountedOn(parentStat) || (IsFolder && stat.IsSameInode(parentStat)));
        IsLeftOut = rules.MatchRoot(path).HasFlag(IsFolder ? Exclusion.Folder : Exclusion.File)
            || (stat.Kind == EntryKind.File && stat.Size > selection.ExcludeLargerThan);
    }

    /// <summary>Its path as it was given, raw.</summary>
    public byte[] Path { get; }

    /// <summary>The name by which it is reached from <see cref="Handle"/>.</summary>
    public byte[] Name { get; private set; }

    /// <summary>The root itself where it is a folder, otherwise the folder that holds it; below 0 when it is closed.</summary>
    public int Handle { get; private set; }

    /// <summary>Whether it is a folder.</summary>
    public bool IsFolder { get; }

    /// <inheritdoc cref="ISourceTree.FileSystem"/>
    public string? FileSystem { get; }

    /// <inheritdoc cref="ISourceTree.IsMountPoint"/>
    public bool IsMountPoint { get; }

    /// <inheritdoc cref="ISourceTree.IsLeftOut"/>
    public bool IsLeftOut { get; }

    /// <summary>Opens a root. A link that leads to it is followed: what is meant is what it names.</summary>
    /// <param name="system">The calls.</param>
    /// <param name="path">Absolute path, raw, without a '/' at its end (but for the root of all).</param>
    /// <param name="selection">What of it.</param>
    /// <param name="rules">What is left out of it.</param>
    /// <param name="own">The folders of the backup itself.</param>
    /// <param name="view">Where it is read; null: where it is.</param>
    /// <exception cref="BackupException">SourceNotFound, SourceUnreadable.</exception>
    public static UnixSourceRoot Open(UnixSystem system, byte[] path, SourceSelection selection, ExclusionRules rules, OwnFolders own, SourceView? view = null)
    {
        byte[] place = view is { StandsAlone: true } ? view.Root : path;
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

                if (IsOwn(system, own, handle, stat))
                {
                    if (handle != parent)
                    {
                        UnixSystem.Close(handle);
                    }

                    throw OwnFolders.Refusal(path);
                }

                var root = new UnixSourceRoot(system, selection, rules, path, name, parent, handle, stat);
                parent = handle == parent ? -1 : parent;
                if (view is { StandsAlone: false })
                {
                    root.MoveTo(system, view);
                }

                return root;
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

    /// <summary>The full path of an item, for messages.</summary>
    public ReadOnlySpan<byte> FullPath(EntryPath path) => FullPath(path.Bytes);

    /// <summary>The full path of something below it, raw.</summary>
    public ReadOnlySpan<byte> FullPath(ReadOnlySpan<byte> path) =>
        path.IsEmpty ? Path
        : Path.Length == 1 ? [.. Path, .. path]
        : [.. Path, (byte)'/', .. path];

    /// <inheritdoc/>
    public void Dispose()
    {
        if (Handle >= 0)
        {
            UnixSystem.Close(Handle);
            Handle = -1;
        }
    }

    // What it is was seen where it is; from now on it is read somewhere else.
    private void MoveTo(UnixSystem system, SourceView view)
    {
        Dispose();
        int slash = Array.LastIndexOf(view.Root, (byte)'/');
        Handle = IsFolder ? system.OpenDirectory(-1, view.Root) : UnixRootPath.OpenFolder(system, view.Root.AsSpan(0, slash + 1));
        Name = IsFolder ? Name : view.Root[(slash + 1)..];
        if (Handle < 0)
        {
            throw UnixSourceError.OfRoot(Handle, Path);
        }
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
}
