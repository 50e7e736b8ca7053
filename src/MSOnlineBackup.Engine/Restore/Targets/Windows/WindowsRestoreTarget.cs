using System.Security.Cryptography;
using MSOnlineBackup.Engine.Sources.Windows;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Platform.Windows;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Microsoft.Win32.SafeHandles;

namespace MSOnlineBackup.Engine.Restore.Targets.Windows;

/// <summary>A folder of Windows to restore into.</summary>
internal sealed class WindowsRestoreTarget : IRestoreTarget
{
    private const uint FolderAccess = WindowsNative.ReadData | WindowsNative.Traverse | WindowsNative.ReadAttributes;

    // In seconds: FAT keeps no finer times.
    private const int CoarsestTime = 2;

    private readonly string _path;
    private readonly SafeFileHandle _root;
    private readonly bool _skipSecurity;

    private WindowsRestoreTarget(string path, SafeFileHandle root, bool skipSecurity)
    {
        _path = path;
        _root = root;
        _skipSecurity = skipSecurity;
    }

    /// <summary>Opens a folder that is there.</summary>
    public static WindowsRestoreTarget Open(string path, bool skipSecurity)
    {
        WindowsPrivileges.Enable();
        int error = WindowsNative.Open(
            null,
            WindowsSourceTree.ToNative(path),
            FolderAccess,
            WindowsNative.OpenExisting,
            WindowsNative.DirectoryOnly,
            out SafeFileHandle root);
        if (error == 0)
        {
            return new WindowsRestoreTarget(path, root, skipSecurity);
        }

        root.Dispose();
        throw WindowsRestoreError.OfItem(error, path);
    }

    /// <inheritdoc/>
    public ManifestEntry? Find(EntryPath path)
    {
        using SafeFileHandle? folder = OpenFolder(path.Parent, create: false);
        if (folder is null)
        {
            return null;
        }

        int error = WindowsNative.Open(
            folder, NameOf(path), WindowsNative.ReadAttributes, WindowsNative.OpenExisting, WindowsNative.ReparsePointItself, out SafeFileHandle handle);
        using (handle)
        {
            WindowsRecord record = default!;
            error = error != 0 ? error : WindowsNative.Query(handle, [], out record);
            return error == 0 ? record.ToEntry(path)
                : error is WindowsNative.NotFound or WindowsNative.PathNotFound ? null
                : throw WindowsRestoreError.OfItem(error, FullPath(path));
        }
    }

    /// <inheritdoc/>
    public int MostOpenFiles => 250;

    /// <inheritdoc/>
    public bool IgnoresCase(EntryPath folder)
    {
        using SafeFileHandle? opened = OpenFolder(folder, create: true);
        string name = NewTemporaryName();
        int error = WindowsNative.Open(
            opened!, name, WindowsNative.WriteData | WindowsNative.Delete, WindowsNative.CreateNew, WindowsNative.NoDirectory, out SafeFileHandle made);
        using (made)
        {
            if (error != 0)
            {
                return false;
            }

            error = WindowsNative.Open(
                opened!, name.ToUpperInvariant(), WindowsNative.ReadAttributes, WindowsNative.OpenExisting, WindowsNative.NoDirectory, out SafeFileHandle other);
            other.Dispose();
            _ = WindowsNative.DeleteOnClose(made);
            return error == 0;
        }
    }

    /// <inheritdoc/>
    public bool HasMetadata(ManifestEntry entry) =>
        Find(entry.Path) is { } existing && Int128.Abs((Int128)existing.Metadata.Modified.Seconds - entry.Metadata.Modified.Seconds) <= CoarsestTime;

    /// <inheritdoc/>
    public Action? OpenDirectory(EntryPath path, bool unlock)
    {
        OpenFolder(path, create: true)!.Dispose();
        return null;
    }

    /// <inheritdoc/>
    public IRestoreFile CreateFile(ManifestEntry entry)
    {
        string name = NameOf(entry.Path);
        string fullPath = FullPath(entry.Path);
        SafeFileHandle folder = OpenFolder(entry.Path.Parent, create: true)!;
        SafeFileHandle handle;
        try
        {
            handle = CreateTemporary(folder, entry, isFolder: false, fullPath);
        }
        catch
        {
            folder.Dispose();
            throw;
        }

        if ((WindowsMetadata.AttributesOf(entry) ?? WindowsRecord.SparseAttribute) is uint attributes
            && (attributes & WindowsRecord.SparseAttribute) != 0)
        {
            // Where the file system has no holes, the file is restored all the same.
            _ = WindowsNative.MakeSparse(handle);
        }

        return new WindowsRestoreFile(this, entry, folder, handle, name, _skipSecurity, fullPath);
    }

    /// <inheritdoc/>
    public void CreateSpecial(ManifestEntry entry, bool replace, Action<BackupException> reportMetadata)
    {
        string fullPath = FullPath(entry.Path);
        ReadOnlyMemory<byte>? kept = WindowsMetadata.Find(entry, AttributeTag.WindowsReparseData);
        string? target = WtfName.FromBytes(entry.LinkTarget.Span);
        if (kept is null && (entry.Kind != EntryKind.SymbolicLink || string.IsNullOrEmpty(target)))
        {
            throw WindowsRestoreError.NotPossible(fullPath);
        }

        bool isFolder = ((WindowsMetadata.AttributesOf(entry) ?? 0) & WindowsRecord.DirectoryAttribute) != 0;
        bool foreign = WindowsMetadata.AttributesOf(entry) is null;
        string native = foreign ? target!.Replace('/', '\\') : target ?? "";
        using SafeFileHandle folder = OpenFolder(entry.Path.Parent, create: true)!;
        using SafeFileHandle handle = CreateTemporary(folder, entry, isFolder, fullPath);
        int error = WindowsNative.SetReparse(handle, kept is ReadOnlyMemory<byte> data ? data.Span : ReparseData.ForLink(native));
        if (error == 0)
        {
            WindowsMetadata.Set(entry, handle, _skipSecurity, fullPath, reportMetadata);
            error = WindowsNative.Rename(handle, folder, NameOf(entry.Path), replace);
        }

        if (error != 0)
        {
            _ = WindowsNative.DeleteOnClose(handle);
            throw WindowsRestoreError.OfItem(error, fullPath);
        }
    }

    /// <inheritdoc/>
    public bool HoldsItems(EntryPath folder)
    {
        using SafeFileHandle? opened = OpenFolder(folder, create: false);
        var records = new List<WindowsRecord>();
        return opened is null || WindowsNative.List(opened, records) != 0 || records.Count > 0;
    }

    /// <inheritdoc/>
    public void Remove(EntryPath path)
    {
        using SafeFileHandle? folder = OpenFolder(path.Parent, create: false);
        SafeFileHandle? item = null;
        int error = folder is null
            ? WindowsNative.NotFound
            : WindowsNative.Open(
                folder, NameOf(path), WindowsNative.Delete | WindowsNative.WriteAttributes, WindowsNative.OpenExisting, WindowsNative.ReparsePointItself, out item);
        using (item)
        {
            if (error == 0)
            {
                // Read-only stands in the way.
                _ = WindowsNative.SetBasic(item!, 0, 0, WindowsNative.NormalAttribute);
                error = WindowsNative.DeleteOnClose(item!);
            }
        }

        if (error != 0)
        {
            throw WindowsRestoreError.OfItem(error, FullPath(path));
        }
    }

    /// <inheritdoc/>
    public bool TryCreateHardLink(EntryPath path, EntryPath existing, bool replace)
    {
        using SafeFileHandle? source = OpenFolder(existing.Parent, create: false);
        using SafeFileHandle folder = OpenFolder(path.Parent, create: true)!;
        SafeFileHandle? file = null;
        int error = source is null
            ? WindowsNative.NotFound
            : WindowsNative.Open(
                source, NameOf(existing), WindowsNative.WriteAttributes, WindowsNative.OpenExisting, WindowsNative.ReparsePointItself, out file);
        using (file)
        {
            error = error != 0 ? error : WindowsNative.Link(file!, folder, NameOf(path), replace);
            return error switch
            {
                0 => true,
                WindowsNative.InvalidFunction or WindowsNative.NotSameDevice or WindowsNative.NotSupported or WindowsNative.TooManyLinks => false,
                _ => throw WindowsRestoreError.OfItem(error, FullPath(path)),
            };
        }
    }

    /// <inheritdoc/>
    public void SetMetadata(ManifestEntry entry, bool freeze, Action<BackupException> reportMetadata)
    {
        string fullPath = FullPath(entry.Path);
        bool isFolder = entry.Kind == EntryKind.Directory;
        using SafeFileHandle? folder = OpenFolder(isFolder ? entry.Path : entry.Path.Parent, create: false);
        SafeFileHandle? handle = null;
        int error = folder is null
            ? WindowsNative.NotFound
            : Reopen(
                folder,
                isFolder ? "" : NameOf(entry.Path),
                WindowsMetadata.Access,
                isFolder ? WindowsNative.DirectoryOnly : WindowsNative.ReparsePointItself,
                WindowsNative.OpenExisting,
                out handle);
        using (handle)
        {
            if (error == 0)
            {
                if (isFolder)
                {
                    using SafeFileHandle? parent = OpenFolder(entry.Path.Parent, create: false);
                    WindowsMetadata.SetStreams(entry, parent ?? folder!, parent is null ? "" : NameOf(entry.Path), fullPath, reportMetadata);
                }

                WindowsMetadata.Set(entry, handle!, _skipSecurity, fullPath, reportMetadata);
            }
            else
            {
                reportMetadata(WindowsRestoreError.OfMetadata(error, "The metadata", fullPath));
            }
        }
    }

    /// <inheritdoc/>
    public bool CanHaveStream(ReadOnlySpan<byte> name) => WindowsRestoreStream.NameOf(name) is not null;

    /// <inheritdoc/>
    public IRestoreStream CreateStream(EntryPath folder, ReadOnlyMemory<byte> name, long length)
    {
        using SafeFileHandle parent = OpenFolder(folder.Parent, create: true)!;
        return WindowsRestoreStream.Create(parent, NameOf(folder), name.Span, length, FullPath(folder));
    }

    /// <inheritdoc/>
    public Stream? OpenStream(EntryPath path, ReadOnlyMemory<byte> name)
    {
        using SafeFileHandle? folder = OpenFolder(path.Parent, create: false);
        string? stream = WindowsRestoreStream.NameOf(name.Span);
        if (folder is null || stream is null)
        {
            return null;
        }

        int error = WindowsNative.Open(
            folder,
            $"{NameOf(path)}:{stream}",
            WindowsNative.ReadData | WindowsNative.ReadAttributes,
            WindowsNative.OpenExisting,
            WindowsNative.NoDirectory | WindowsNative.ReparsePointItself,
            out SafeFileHandle handle);
        if (error == 0)
        {
            return new FileStream(handle, FileAccess.Read, bufferSize: 0);
        }

        handle.Dispose();
        return error is WindowsNative.NotFound or WindowsNative.PathNotFound or WindowsNative.InvalidName
            ? null
            : throw WindowsRestoreError.OfItem(error, FullPath(path));
    }

    /// <inheritdoc/>
    public void Freeze(ManifestEntry entry, Action<BackupException> reportMetadata)
    {
        // Attributes do not forbid further names.
    }

    /// <inheritdoc/>
    public int Read(ManifestEntry existing, long offset, Span<byte> destination)
    {
        using Stream file = OpenRead(existing.Path);
        file.Position = offset;
        return file.ReadAtLeast(destination, destination.Length, throwOnEndOfStream: false);
    }

    /// <inheritdoc/>
    public bool IsZero(ManifestEntry existing, long offset, long length)
    {
        using Stream file = OpenRead(existing.Path);
        file.Position = offset;
        byte[] buffer = new byte[64 << 10];
        for (int read; length > 0; length -= read)
        {
            read = file.Read(buffer, 0, (int)Math.Min(length, buffer.Length));
            if (read == 0 || buffer.AsSpan(0, read).ContainsAnyExcept((byte)0))
            {
                return false;
            }
        }

        return true;
    }

    /// <inheritdoc/>
    public void Synchronize()
    {
        // Only an administrator may flush a volume, and to flush each file would take longer than to write them.
    }

    /// <inheritdoc/>
    public Stream OpenRead(EntryPath path)
    {
        using SafeFileHandle? folder = OpenFolder(path.Parent, create: false);
        SafeFileHandle? handle = null;
        int error = folder is null
            ? WindowsNative.NotFound
            : WindowsNative.Open(
                folder,
                NameOf(path),
                WindowsNative.ReadData | WindowsNative.ReadAttributes,
                WindowsNative.OpenExisting,
                WindowsNative.NoDirectory | WindowsNative.ReparsePointItself,
                out handle);
        if (error == 0)
        {
            return new FileStream(handle!, FileAccess.Read, bufferSize: 0);
        }

        handle?.Dispose();
        throw WindowsRestoreError.OfItem(error, FullPath(path));
    }

    /// <inheritdoc/>
    public void Dispose() => _root.Dispose();

    // The right to set an owner is asked for, and done without where it is refused.
    private static int Reopen(SafeFileHandle folder, string name, uint access, uint options, uint disposition, out SafeFileHandle handle)
    {
        int error = WindowsNative.Open(folder, name, access | WindowsNative.WriteOwner, disposition, options, out handle);
        if (error == WindowsNative.AccessDenied)
        {
            handle.Dispose();
            error = WindowsNative.Open(folder, name, access, disposition, options, out handle);
        }

        return error;
    }

    private static SafeFileHandle CreateTemporary(SafeFileHandle folder, ManifestEntry entry, bool isFolder, string fullPath)
    {
        const uint Access = WindowsMetadata.Access | WindowsNative.ReadData | WindowsNative.WriteData | WindowsNative.Delete;
        string temporary = NewTemporaryName();
        int error = Reopen(
            folder,
            temporary,
            Access,
            isFolder ? WindowsNative.DirectoryOnly | WindowsNative.ReparsePointItself : WindowsNative.NoDirectory | WindowsNative.ReparsePointItself,
            WindowsNative.CreateNew,
            out SafeFileHandle handle);
        if (error == 0)
        {
            return handle;
        }

        handle.Dispose();
        throw WindowsRestoreError.OfItem(error, fullPath);
    }

    // A name that nobody can have meant, and never over what has it.
    private static string NewTemporaryName() => ".obr-" + RandomNumberGenerator.GetHexString(32, lowercase: true);

    // Opened component by component: a link in the way is found by opening it as itself.
    private SafeFileHandle? OpenFolder(EntryPath path, bool create)
    {
        Check(path);
        int error = WindowsNative.Open(
            _root, "", FolderAccess, WindowsNative.OpenExisting, WindowsNative.DirectoryOnly, out SafeFileHandle current);
        int start = 0;
        while (error == 0 && start < path.Bytes.Length)
        {
            int length = path.Bytes[start..].IndexOf((byte)'/');
            int end = length < 0 ? path.Bytes.Length : start + length;
            string name = ToName(path.Bytes[start..end], path);
            SafeFileHandle parent = current;
            error = WindowsNative.Open(
                parent,
                name,
                FolderAccess,
                create ? WindowsNative.OpenOrCreate : WindowsNative.OpenExisting,
                WindowsNative.DirectoryOnly | WindowsNative.ReparsePointItself,
                out current);
            parent.Dispose();
            if (error == 0 && WindowsNative.Query(current, [], out WindowsRecord record) == 0 && record.IsSurrogate)
            {
                current.Dispose();
                throw WindowsRestoreError.LinkInTheWay(FullPath(new EntryPath(path.Bytes[..end].ToArray())));
            }

            start = end + 1;
        }

        if (error == 0)
        {
            return current;
        }

        current.Dispose();
        return !create && error is WindowsNative.NotFound or WindowsNative.PathNotFound or WindowsNative.NotDirectory
            ? null
            : throw WindowsRestoreError.OfItem(error == WindowsNative.NotDirectory ? WindowsNative.AlreadyExists : error, FullPath(path));
    }

    private string FullPath(EntryPath path) => System.IO.Path.Join(_path, PathText.Show(PathForm.Windows, path.Bytes));

    private string NameOf(EntryPath path) => path.IsRoot ? "" : ToName(path.Name, path);

    private string ToName(ReadOnlySpan<byte> name, EntryPath path)
    {
        // A backslash would be a way into another folder, a colon into a stream of another file.
        return MappedName.IsPossible(name) && WtfName.FromBytes(name) is { } text ? text : throw RestoreFault.NameImpossible(FullPath(path));
    }

    private void Check(EntryPath path)
    {
        if (!EntryPath.IsValid(path.Bytes))
        {
            throw RestoreFault.NameImpossible(FullPath(path));
        }
    }
}
