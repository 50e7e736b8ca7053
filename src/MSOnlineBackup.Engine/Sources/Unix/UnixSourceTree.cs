using MSOnlineBackup.Engine.Sources.Rules;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Platform.Unix;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Sources.Unix;

/// <summary>A folder or a single file of a POSIX system.</summary>
internal sealed class UnixSourceTree : ISourceTree
{
    private readonly UnixSystem _system;
    private readonly SourceSelection _selection;
    private readonly ExclusionRules _rules;
    private readonly OwnFolders _own;
    private readonly UnixSourceRoot _root;
    private readonly SourceView? _view;
    private readonly FolderLister _lister;
    private readonly bool _fetches;

    private UnixSourceTree(UnixSystem system, SourceSelection selection, ExclusionRules rules, OwnFolders own, UnixSourceRoot root, SourceView? view)
    {
        _view = view;
        _system = system;
        _selection = selection;
        _rules = rules;
        _own = own;
        _root = root;
        _lister = new FolderLister(system, selection, root);
        _fetches = selection.Rules.Allows(SourceKind.Placeholder);
    }

    public ReadOnlyMemory<byte> RootPath => _root.Path;

    public string? FileSystem => _root.FileSystem;

    public bool IsMountPoint => _root.IsMountPoint;

    public bool IsLeftOut => _root.IsLeftOut;

    /// <summary>The name by which the root is reached from the tree's handle.</summary>
    public ReadOnlySpan<byte> RootName => _root.Name;

    /// <summary>Opens a root. A link that leads to it is followed: what is meant is what it names.</summary>
    /// <param name="system">The calls.</param>
    /// <param name="path">Absolute path, raw, without a '/' at its end (but for the root of all).</param>
    /// <param name="selection">What of it.</param>
    /// <param name="own">What is left out of it.</param>
    /// <param name="view">Where it is read; null: where it is.</param>
    /// <exception cref="BackupException">SourceNotFound, SourceUnreadable, PatternInvalid.</exception>
    public static UnixSourceTree Open(UnixSystem system, byte[] path, SourceSelection selection, OwnFolders? own = null, SourceView? view = null)
    {
        ExclusionRules rules = ExclusionRules.Compile(selection.Exclude, path, filePatterns: selection.ExcludeFiles);
        own ??= OwnFolders.None;
        return new UnixSourceTree(system, selection, rules, own, UnixSourceRoot.Open(system, path, selection, rules, own, view), view);
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

    /// <summary>What a stat would tell of an item where nobody looks at snapshots.</summary>
    public UnixStat Live(in UnixStat stat) => _view is null ? stat : stat with { Device = _view.LiveDevice(stat.Device) };

    // A folder below the root, reached step by step: never through a link.
    private int OpenBelow(ReadOnlySpan<byte> path)
    {
        int at = _system.OpenDirectory(_root.Handle, "."u8);
        for (int start = 0; at >= 0 && start < path.Length;)
        {
            int slash = path[start..].IndexOf((byte)'/');
            int end = slash < 0 ? path.Length : start + slash;
            int next = _view?.Find(new EntryPath(path[..end].ToArray())) is { } place
                ? place.IsEntered ? _system.OpenDirectory(-1, place.Path) : -Errno.NotFound
                : _system.OpenDirectory(at, path[start..end]);
            UnixSystem.Close(at);
            at = next;
            start = end + 1;
        }

        return at;
    }

    public IEnumerable<SourceItem> LookAgain(EntryPath path, CancellationToken cancellationToken)
    {
        if (!_root.IsFolder || path.IsRoot)
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

    public void Dispose() => _root.Dispose();

    /// <summary>The full path of an item, for messages.</summary>
    public ReadOnlySpan<byte> FullPath(EntryPath path) => _root.FullPath(path);

    private void BeginAtRoot(UnixSourceItem item, FolderStack folders)
    {
        int result = _system.Stat(_root.Handle, _root.Name, out UnixStat stat);
        int folder = -1;
        BackupException? failure = null;
        if (result >= 0 && _root.IsFolder)
        {
            folder = result = _system.OpenDirectory(_root.Handle, "."u8);
            if (folder >= 0)
            {
                result = _lister.List(ref folder, stat, folders.NextListing, default, out failure);
                folders.Enter(folder, stat, default);
            }
        }

        if (result < 0 || failure is { Id: BackupErrorId.SourceUnreadable or BackupErrorId.SourceLocked })
        {
            throw failure ?? UnixSourceError.OfRoot(result, _root.Path);
        }

        item.MoveTo(EntryPath.Root, stat, _root.Handle, folder, null);
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
            item.MoveTo(new EntryPath(path.ToArray()), UnixSourceError.Vanished(_root.FullPath(path)));
            return true;
        }

        int result = _system.Stat(at, name, out UnixStat stat);
        if (result == -Errno.NotConnected && !_selection.CrossMountPoints)
        {
            // The mount of a program that is gone: not entered, as it would not be while that runs.
            string text = EntryName.Escape(_root.FullPath(path));
            stat = new UnixStat { Mode = 0x41ed, UserId = folders.Stat.UserId, GroupId = folders.Stat.GroupId, LinkCount = 1, Modified = folders.Stat.Modified };
            item.MoveTo(new EntryPath(path.ToArray()), stat, -1, -1, null, $"'{text}' is a mount whose program no longer answers. Mounts are not entered.");
            return true;
        }

        if (result < 0)
        {
            item.MoveTo(new EntryPath(path.ToArray()), UnixSourceError.OfItem(result, _root.FullPath(path)));
            return true;
        }

        if (_fetches)
        {
            stat.TakeForPresent();
        }

        if (stat.Kind != EntryKind.Directory)
        {
            if (exclusion.HasFlag(Exclusion.File) || (stat.Kind == EntryKind.File && stat.Size > _selection.ExcludeLargerThan))
            {
                return false;
            }

            BackupException? failure = stat.IsPlaceholder ? SourcePlaceholder.Failure(_root.FullPath(path)) : null;
            item.MoveTo(new EntryPath(path.ToArray()), stat, at, -1, failure);
            return true;
        }

        if (exclusion.HasFlag(Exclusion.Folder) || _selection.NonRecursive || OwnFolders.IsSnapshot(name, stat))
        {
            return false;
        }

        EnterFolder(name, path, stat, item, folders);
        return true;
    }

    private void EnterFolder(ReadOnlySpan<byte> name, ReadOnlySpan<byte> path, in UnixStat found, UnixSourceItem item, FolderStack folders)
    {
        int at = folders.Handle;
        var entryPath = new EntryPath(path.ToArray());
        UnixStat stat = found;
        SourcePlace? place = _view?.Find(entryPath);
        if (place is { IsEntered: false })
        {
            item.MoveTo(entryPath, stat, at, -1, null);
            return;
        }

        bool isMountPoint = place?.IsMountPoint ?? stat.IsMountedOn(folders.Stat);
        if (isMountPoint && !_selection.CrossMountPoints)
        {
            item.MoveTo(entryPath, stat, at, -1, null, _own.Contains(Live(stat)) ? OwnFolders.Note(_root.FullPath(path)) : NoteOfContainer(path, stat));
            return;
        }

        int folder = -1;
        if (place is not null)
        {
            folder = _system.OpenDirectory(-1, place.Path);
            int told = folder < 0 ? folder : _system.Stat(folder, out stat);
            if (told < 0)
            {
                Refuse(told, item, entryPath, found, at, folder);
                return;
            }

            if (_fetches)
            {
                stat.TakeForPresent();
            }
        }

        if (_own.Contains(Live(stat)))
        {
            Close(folder);
            item.MoveTo(entryPath, stat, at, -1, null, OwnFolders.Note(_root.FullPath(path)));
            return;
        }

        if (stat.IsPlaceholder)
        {
            Close(folder);
            item.MoveTo(entryPath, stat, at, -1, SourcePlaceholder.Failure(_root.FullPath(path)));
            return;
        }

        folder = place is null ? _system.OpenDirectory(at, name) : folder;
        if (folder < 0)
        {
            Refuse(folder, item, entryPath, stat, at, folder);
            return;
        }

        string? mounted = isMountPoint ? _system.FileSystemOf(folder, stat) : null;
        string? why = _selection.Rules.WhyNotEntered(mounted);
        if (why is not null || _system.IsPseudoFileSystem(mounted))
        {
            UnixSystem.Close(folder);
            item.MoveTo(entryPath, stat, at, -1, null, why is null ? null : NoteOfMount(path, why));
            return;
        }

        int result = _lister.List(ref folder, stat, folders.NextListing, path, out BackupException? trouble);
        BackupException? failure = result < 0 ? UnixSourceError.OfItem(result, _root.FullPath(path))
            : trouble is { Id: BackupErrorId.SourceItemLocked } ? trouble
            : path.Length + 1 + folders.NextListing.LongestName > EntryPath.MaxLength ? UnixSourceError.TooDeep(_root.FullPath(path))
            : null;
        if (failure is not null)
        {
            UnixSystem.Close(folder);
            item.MoveTo(entryPath, stat, at, -1, failure);
            return;
        }

        item.MoveTo(entryPath, stat, at, folder, null, isCrossed: isMountPoint);
        item.Tell(trouble);
        folders.Enter(folder, stat, path, place?.Path);
    }

    // What containers have mounted comes and goes under names that say nothing: it is told that it is left out.
    private string? NoteOfContainer(ReadOnlySpan<byte> path, in UnixStat stat) =>
        _system.FileSystemOf(-1, stat) is { } name && FileSystemKinds.Of(name).Contains(SourceKind.Container)
            ? NoteOfMount(path, $"is a container's own layer ({name}) and is not entered")
            : null;

    private string NoteOfMount(ReadOnlySpan<byte> path, string why) => $"'{PathText.Show(PathText.Local, _root.FullPath(path))}' {why}.";

    private void Refuse(int result, UnixSourceItem item, EntryPath path, in UnixStat stat, int at, int folder)
    {
        Close(folder);
        item.MoveTo(path, stat, at, -1, UnixSourceError.OfItem(result, _root.FullPath(path)));
    }

    private static void Close(int folder)
    {
        if (folder >= 0)
        {
            UnixSystem.Close(folder);
        }
    }
}
