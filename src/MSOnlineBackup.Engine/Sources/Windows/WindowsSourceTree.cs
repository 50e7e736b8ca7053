using MSOnlineBackup.Engine.Sources.Rules;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Platform.Windows;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Microsoft.Win32.SafeHandles;

namespace MSOnlineBackup.Engine.Sources.Windows;

/// <summary>A folder or a single file of Windows. A listing tells all that an entry needs but the number of its names.</summary>
internal sealed class WindowsSourceTree : ISourceTree
{
    private readonly SourceSelection _selection;
    private readonly ExclusionRules _rules;
    private readonly OwnFolders _own;
    private readonly string _path;
    private readonly SafeFileHandle _handle;
    private readonly SourceView? _view;

    private WindowsSourceTree(SourceSelection selection, ExclusionRules rules, OwnFolders own, string path, SafeFileHandle handle, SourceView? view)
    {
        _view = view;
        _own = own;
        _selection = selection;
        _rules = rules;
        _path = path;
        _handle = handle;
        RootPath = WtfName.ToBytes(path);
    }

    public ReadOnlyMemory<byte> RootPath { get; }

    public string? FileSystem { get; private init; }

    public bool IsMountPoint { get; private init; }

    public bool IsLeftOut { get; private init; }

    /// <summary>Opens a root; a link or junction that it is, is followed.</summary>
    /// <param name="path">Full path, without a separator at its end (but for the root of a volume).</param>
    /// <param name="selection">What of it.</param>
    /// <param name="own">What is left out.</param>
    /// <param name="view">Where it is read; null: where it is.</param>
    /// <exception cref="BackupException">SourceNotFound, SourceUnreadable, PatternInvalid.</exception>
    public static WindowsSourceTree Open(string path, SourceSelection selection, OwnFolders own, SourceView? view = null)
    {
        if (own.Contains(path))
        {
            throw OwnFolders.Refusal(WtfName.ToBytes(path));
        }

        if (WindowsPath.IsDevice(path))
        {
            throw WindowsSourceError.Device(path);
        }

        WindowsPrivileges.Enable();
        ExclusionRules rules = ExclusionRules.Compile(
            selection.Exclude, WtfName.ToBytes(path.Replace('\\', '/')), windows: true, selection.ExcludeFiles);
        const uint Access = WindowsNative.ReadData | WindowsNative.ReadAttributes;
        int error = WindowsNative.Open(null, ToNative(path), Access, WindowsNative.OpenExisting, 0, out SafeFileHandle handle);
        WindowsRecord record = default!;
        if (error == 0)
        {
            error = WindowsNative.Query(handle, [], out record);
        }

        if (error != 0)
        {
            handle.Dispose();
            throw WindowsSourceError.OfRoot(error, path);
        }

        string? fileSystem = WindowsNative.FileSystemOf(handle);
        if (view is not null)
        {
            // What it is was seen where it is; from now on it is read somewhere else.
            handle.Dispose();
            error = WindowsNative.Open(null, ToNative(WtfName.FromBytes(view.Root)!), Access, WindowsNative.OpenExisting, 0, out handle);
            if (error != 0)
            {
                handle.Dispose();
                throw WindowsSourceError.OfRoot(error, path);
            }
        }

        return new WindowsSourceTree(selection, rules, own, path, handle, view)
        {
            FileSystem = fileSystem,
            IsMountPoint = record.IsDirectory && IsRootOfVolume(path, record),
            IsLeftOut = rules.MatchRoot(WtfName.ToBytes(path.Replace('\\', '/'))).HasFlag(record.IsDirectory ? Exclusion.Folder : Exclusion.File)
                || (!record.IsDirectory && record.Size > selection.ExcludeLargerThan),
        };
    }

    /// <summary>A Win32 path as the kernel names it.</summary>
    public static string ToNative(string path) =>
        path.StartsWith(@"\\?\", StringComparison.Ordinal) ? @"\??\" + path[4..]
        : path.StartsWith(@"\\", StringComparison.Ordinal) ? @"\??\UNC" + path[1..]
        : @"\??\" + path;

    public IEnumerable<SourceItem> Walk(CancellationToken cancellationToken)
    {
        var folders = new Stack<Folder>();
        try
        {
            Check(WindowsNative.Query(_handle, [], out WindowsRecord root));
            if (root.IsDirectory)
            {
                // A handle of its own for each walk: a listing goes on where the handle's last one ended.
                Check(Enter(_handle, "", 0, EntryPath.Root, out Folder? folder));
                folders.Push(folder!);
            }

            yield return new WindowsSourceItem(_handle, "", root, EntryPath.Root, _path, null);
            while (folders.TryPeek(out Folder? current))
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (current.Next == current.Records.Count)
                {
                    folders.Pop().Handle.Dispose();
                }
                else if (Visit(current, current.Records[current.Next++], folders) is SourceItem item)
                {
                    yield return item;
                }
            }
        }
        finally
        {
            foreach (Folder folder in folders)
            {
                folder.Handle.Dispose();
            }
        }
    }

    public void Dispose() => _handle.Dispose();

    private static bool IsRootOfVolume(string path, WindowsRecord record)
    {
        string? parent = Path.GetDirectoryName(path);
        if (parent is null)
        {
            return true;
        }

        int error = WindowsNative.Open(
            null, ToNative(parent), WindowsNative.ReadAttributes, WindowsNative.OpenExisting, 0, out SafeFileHandle handle);
        using (handle)
        {
            return error == 0 && WindowsNative.Query(handle, [], out WindowsRecord above) == 0 && above.Volume != record.Volume;
        }
    }

    // The item, or null where it is left out. Where it is a folder that can be listed, it is entered.
    private WindowsSourceItem? Visit(Folder parent, WindowsRecord record, Stack<Folder> folders)
    {
        EntryPath path = parent.Path.Append(record.Name);
        Exclusion exclusion = _rules.Match(path.Bytes);
        bool isFolder = record.Kind == EntryKind.Directory;
        if (exclusion.HasFlag(isFolder ? Exclusion.Folder : Exclusion.File)
            || (isFolder && _selection.NonRecursive)
            || (record.Kind == EntryKind.File && record.Size > _selection.ExcludeLargerThan))
        {
            return null;
        }

        string name = WtfName.FromBytes(record.Name)!;
        string fullPath = Path.Join(_path, WtfName.FromBytes(path.Bytes)!.Replace('/', '\\'));
        BackupException? failure = null;
        if (isFolder && _own.Contains(fullPath))
        {
            return new WindowsSourceItem(parent.Handle, name, record, path, fullPath, null, OwnFolders.Note(WtfName.ToBytes(fullPath)));
        }

        if (record.IsPlaceholder && !_selection.Rules.Allows(SourceKind.Placeholder))
        {
            failure = SourcePlaceholder.Failure(WtfName.ToBytes(fullPath));
        }
        else if (path.Bytes.Length + 1024 > EntryPath.MaxLength && isFolder)
        {
            failure = WindowsSourceError.OfItem(WindowsNative.InvalidName, fullPath);
        }
        else if (IsVolume(parent.Handle, name, record))
        {
            // Not a link but a mount point: a folder, empty unless it is crossed.
            record = record with { Attributes = record.Attributes & ~WindowsRecord.ReparseAttribute };
            failure = _selection.CrossMountPoints ? EnterVolume(parent.Handle, name, path, fullPath, folders) : null;
        }
        else if (isFolder && !record.IsSurrogate)
        {
            // A junction that took the place of a plain folder is not followed.
            bool plain = (record.Attributes & WindowsRecord.ReparseAttribute) == 0;
            uint options = plain ? WindowsNative.ReparsePointItself : 0;
            failure = EnterOrFail(parent.Handle, name, options, path, fullPath, folders);
        }

        return new WindowsSourceItem(parent.Handle, name, record, path, fullPath, failure);
    }

    // A mount point in a shadow copy leads to the volume as it is now, and never to that one's shadow copy.
    private BackupException? EnterVolume(SafeFileHandle parent, string name, EntryPath path, string fullPath, Stack<Folder> folders) =>
        _view is null ? EnterOrFail(parent, name, 0, path, fullPath, folders)
        : _view.Find(path) is { } place ? EnterOrFail(null, ToNative(WtfName.FromBytes(place.Path)!), 0, path, fullPath, folders)
        : WindowsSourceError.MountedMeanwhile(fullPath);

    private BackupException? EnterOrFail(
        SafeFileHandle? parent, string name, uint options, EntryPath path, string fullPath, Stack<Folder> folders)
    {
        int error = Enter(parent, name, options, path, out Folder? folder);
        if (error != 0)
        {
            return WindowsSourceError.OfItem(error, fullPath);
        }

        folders.Push(folder!);
        return null;
    }

    private int Enter(SafeFileHandle? parent, string name, uint options, EntryPath path, out Folder? folder)
    {
        folder = null;
        const uint Access = WindowsNative.ReadData | WindowsNative.Traverse | WindowsNative.ReadAttributes;
        int error = WindowsNative.Open(parent, name, Access, WindowsNative.OpenExisting, options | WindowsNative.DirectoryOnly, out SafeFileHandle handle);
        if (error != 0)
        {
            return error;
        }

        var records = new List<WindowsRecord>();
        error = WindowsNative.List(handle, records);
        if (error != 0)
        {
            handle.Dispose();
            return error;
        }

        for (int i = records.Count - 1; i > 0; i--)
        {
            if (records[i].Name.AsSpan().SequenceEqual(records[i - 1].Name))
            {
                records.RemoveAt(i);
            }
        }

        if (_selection.ExcludeCaches && IsCache(handle))
        {
            records.RemoveAll(record => !record.Name.AsSpan().SequenceEqual(CacheTag.Name));
        }

        folder = new Folder(handle, path, records);
        return 0;
    }

    private static bool IsCache(SafeFileHandle folder)
    {
        int error = WindowsNative.Open(
            folder, "CACHEDIR.TAG", WindowsNative.ReadData, WindowsNative.OpenExisting, WindowsNative.NoDirectory, out SafeFileHandle tag);
        using (tag)
        {
            Span<byte> content = stackalloc byte[CacheTag.Signature.Length];
            return error == 0 && RandomAccess.Read(tag, content, 0) == content.Length && content.SequenceEqual(CacheTag.Signature);
        }
    }

    private static bool IsVolume(SafeFileHandle parent, string name, WindowsRecord record)
    {
        if (!record.IsLink || record.ReparseTag != WindowsRecord.MountPointTag)
        {
            return false;
        }

        int error = WindowsNative.Open(
            parent, name, WindowsNative.ReadAttributes, WindowsNative.OpenExisting, WindowsNative.ReparsePointItself, out SafeFileHandle handle);
        using (handle)
        {
            return error == 0
                && WindowsNative.GetReparse(handle, out byte[] data) == 0
                && ReparseData.TargetOf(data) is string target
                && ReparseData.IsVolume(target);
        }
    }

    private void Check(int error)
    {
        if (error != 0)
        {
            throw WindowsSourceError.OfRoot(error, _path);
        }
    }

    private sealed class Folder(SafeFileHandle handle, EntryPath path, List<WindowsRecord> records)
    {
        public SafeFileHandle Handle { get; } = handle;

        public EntryPath Path { get; } = path;

        public List<WindowsRecord> Records { get; } = records;

        public int Next { get; set; }
    }
}
