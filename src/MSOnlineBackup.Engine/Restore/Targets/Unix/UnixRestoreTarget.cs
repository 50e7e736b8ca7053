using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;
using MSOnlineBackup.Engine.Errors;
using MSOnlineBackup.Engine.RecoveryPoints;
using MSOnlineBackup.Engine.Sources.Unix;

namespace MSOnlineBackup.Engine.Restore.Targets.Unix;

/// <summary>A folder of a POSIX system to restore into.</summary>
internal sealed class UnixRestoreTarget : IRestoreTarget
{
    /// <summary>rwx------: until a folder has its own mode, its owner can write in it and nobody else can look.</summary>
    public const uint FolderModeWhileRestoring = 0x1C0;

    // rwxrwxrwx less the umask: what a folder keeps that will not get a mode of its own.
    private const uint DefaultFolderMode = 0x1FF;

    private readonly TargetFolders _folders;

    private UnixRestoreTarget(UnixSystem system, byte[] path, int handle, bool skipSecurity)
    {
        System = system;
        _folders = new TargetFolders(system, path, handle, skipSecurity ? DefaultFolderMode : FolderModeWhileRestoring);
        Metadata = new UnixMetadata(system, skipSecurity);
    }

    /// <summary>The calls.</summary>
    public UnixSystem System { get; }

    /// <summary>What sets metadata.</summary>
    public UnixMetadata Metadata { get; }

    /// <summary>Opens a folder that is there.</summary>
    /// <param name="system">The calls.</param>
    /// <param name="path">Its absolute path, raw.</param>
    /// <param name="skipSecurity">Whether owner, permissions and access lists are left as new items have them.</param>
    public static UnixRestoreTarget Open(UnixSystem system, byte[] path, bool skipSecurity)
    {
        int handle = system.OpenBase(-1, path, followLink: true);
        return handle >= 0 ? new UnixRestoreTarget(system, path, handle, skipSecurity) : throw UnixRestoreError.OfItem(handle, path);
    }

    /// <inheritdoc/>
    public ManifestEntry? Find(EntryPath path)
    {
        Check(path);
        TargetFolders.Lease? parent;
        try
        {
            parent = _folders.Acquire(ParentOf(path), create: false);
        }
        catch (BackupException exception) when (exception.Id == BackupErrorId.RestoreItemExists)
        {
            // A file stands where a folder should: there is nothing below it.
            return null;
        }

        using TargetFolders.Lease? folder = parent;
        UnixStat stat = default;
        int result = folder is null ? -Errno.NotFound : System.Stat(folder.Value.Handle, NameOf(path), out stat);
        return result >= 0 ? stat.ToEntry(path)
            : result == -Errno.NotFound ? null
            : throw UnixRestoreError.OfItem(result, FullPath(path));
    }

    /// <inheritdoc/>
    public void CreateDirectory(EntryPath path)
    {
        Check(path);
        using TargetFolders.Lease? folder = _folders.Acquire(path.Bytes, create: true);
        int handle = folder!.Value.Handle;

        // A folder that an earlier restore finished may lack what its owner needs to write in it. Where it is another's,
        // the first write tells.
        if (System.Stat(handle, out UnixStat stat) >= 0 && (stat.Mode & FolderModeWhileRestoring) != FolderModeWhileRestoring)
        {
            _ = System.ChangeMode(handle, "."u8, (stat.Mode & 0xFFF) | FolderModeWhileRestoring);
        }
    }

    /// <inheritdoc/>
    public IRestoreFile CreateFile(ManifestEntry entry)
    {
        Check(entry.Path);
        TargetFolders.Lease folder = _folders.Acquire(ParentOf(entry.Path), create: true)!.Value;
        byte[] temporary = TemporaryName(entry.Path.Name);
        uint mode = Metadata.CreationMode(entry);
        int handle = System.CreateFile(folder.Handle, temporary, mode);
        if (handle == -Errno.Exists && UnixSystem.Unlink(folder.Handle, temporary) >= 0)
        {
            // Left behind by a restore that was killed.
            handle = System.CreateFile(folder.Handle, temporary, mode);
        }

        if (handle < 0)
        {
            folder.Dispose();
            throw UnixRestoreError.OfItem(handle, FullPath(entry.Path));
        }

        return new UnixRestoreFile(this, entry, folder, temporary, handle);
    }

    /// <inheritdoc/>
    public void CreateSpecial(ManifestEntry entry, bool replace, Action<BackupException> reportMetadata)
    {
        Check(entry.Path);
        ReadOnlySpan<byte> fullPath = FullPath(entry.Path);
        using TargetFolders.Lease? parent = _folders.Acquire(ParentOf(entry.Path), create: true);
        TargetFolders.Lease folder = parent!.Value;
        byte[] temporary = TemporaryName(entry.Path.Name);
        int result = Make(entry, folder.Handle, temporary);
        if (result == -Errno.Exists && UnixSystem.Unlink(folder.Handle, temporary) >= 0)
        {
            result = Make(entry, folder.Handle, temporary);
        }

        if (result < 0)
        {
            throw UnixRestoreError.OfItem(result, fullPath);
        }

        bool placed = false;
        try
        {
            result = System.Stat(folder.Handle, temporary, out UnixStat stat);
            if (result < 0)
            {
                throw UnixRestoreError.OfItem(result, fullPath);
            }

            Metadata.Set(entry, new UnixNode(-1, folder.Handle, temporary), stat, folder.HandsOnAccessList(Metadata), fullPath, reportMetadata);
            Place(folder, temporary, entry.Path, replace);
            placed = true;
        }
        finally
        {
            if (!placed)
            {
                _ = UnixSystem.Unlink(folder.Handle, temporary);
            }
        }
    }

    /// <inheritdoc/>
    public void CreateHardLink(EntryPath path, EntryPath existing, bool replace)
    {
        Check(path);
        Check(existing);
        using TargetFolders.Lease? source = _folders.Acquire(ParentOf(existing), create: false);
        using TargetFolders.Lease? folder = _folders.Acquire(ParentOf(path), create: true);
        if (source is null)
        {
            throw UnixRestoreError.OfItem(-Errno.NotFound, FullPath(existing));
        }

        int at = folder!.Value.Handle;
        int result = UnixSystem.MakeHardLink(source.Value.Handle, existing.Name, at, path.Name);
        if (result == -Errno.Exists && replace)
        {
            byte[] temporary = TemporaryName(path.Name);
            _ = UnixSystem.Unlink(at, temporary);
            result = UnixSystem.MakeHardLink(source.Value.Handle, existing.Name, at, temporary);
            if (result >= 0)
            {
                try
                {
                    Place(folder.Value, temporary, path, replace);
                }
                finally
                {
                    // Renaming over another link to the same file succeeds and does nothing.
                    _ = UnixSystem.Unlink(at, temporary);
                }
            }
        }

        if (result < 0)
        {
            throw result == -Errno.Exists ? Exists(at, path) : UnixRestoreError.OfItem(result, FullPath(path));
        }
    }

    /// <inheritdoc/>
    public void SetDirectoryMetadata(ManifestEntry entry, Action<BackupException> reportMetadata)
    {
        Check(entry.Path);
        ReadOnlySpan<byte> fullPath = FullPath(entry.Path);
        using TargetFolders.Lease? folder = _folders.Acquire(entry.Path.Bytes, create: false);
        int handle = folder is null ? -Errno.NotFound : System.OpenDirectory(folder.Value.Handle, "."u8);
        if (handle < 0)
        {
            reportMetadata(UnixRestoreError.OfMetadata(
                handle, "The metadata", "Set them by hand, or remove the folder and restore it again.", fullPath));
            return;
        }

        try
        {
            int result = System.Stat(handle, out UnixStat stat);
            if (result < 0)
            {
                throw UnixRestoreError.OfItem(result, fullPath);
            }

            Metadata.Set(entry, new UnixNode(handle, -1, default), stat, inherited: true, fullPath, reportMetadata);
            Metadata.AddFlags(handle, Metadata.FlagsOf(entry), fullPath, reportMetadata);
        }
        finally
        {
            UnixSystem.Close(handle);
        }
    }

    /// <inheritdoc/>
    public Stream OpenRead(EntryPath path)
    {
        Check(path);
        using TargetFolders.Lease? folder = _folders.Acquire(ParentOf(path), create: false);
        int handle = folder is null ? -Errno.NotFound : System.OpenFile(folder.Value.Handle, NameOf(path));
        if (handle < 0)
        {
            throw UnixRestoreError.OfItem(handle, FullPath(path));
        }

        return new FileStream(new SafeFileHandle(handle, ownsHandle: true), FileAccess.Read, bufferSize: 0);
    }

    /// <inheritdoc/>
    public void Dispose() => _folders.Dispose();

    /// <summary>The full path of an item, for messages.</summary>
    public ReadOnlySpan<byte> FullPath(EntryPath path) => _folders.FullPath(path.Bytes);

    /// <summary>Gives what has a temporary name its own.</summary>
    /// <exception cref="BackupException">RestoreItemExists, RestoreItemFailed and the like.</exception>
    public void Place(TargetFolders.Lease folder, ReadOnlySpan<byte> temporary, EntryPath path, bool replace)
    {
        int at = folder.Handle;
        ReadOnlySpan<byte> name = path.Name;
        int result = replace ? UnixSystem.Rename(at, temporary, name) : RenameNew(at, temporary, name);
        if (result == -Errno.Exists || result == -Errno.IsDirectory || result == -Errno.NotEmpty)
        {
            throw Exists(at, path);
        }

        if (result < 0)
        {
            throw UnixRestoreError.OfItem(result, FullPath(path));
        }
    }

    private static ReadOnlySpan<byte> ParentOf(EntryPath path)
    {
        int slash = path.Bytes.LastIndexOf((byte)'/');
        return slash < 0 ? default : path.Bytes[..slash];
    }

    private static ReadOnlySpan<byte> NameOf(EntryPath path) => path.IsRoot ? "."u8 : path.Name;

    // One name of a folder has one temporary name: what a killed restore left is found and removed by the next.
    private static byte[] TemporaryName(ReadOnlySpan<byte> name)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(name, hash);
        byte[] temporary = new byte[5 + 32];
        ".obr-"u8.CopyTo(temporary);
        Convert.TryToHexStringLower(hash[..16], temporary.AsSpan(5), out _);
        return temporary;
    }

    private int Make(ManifestEntry entry, int at, ReadOnlySpan<byte> name) =>
        entry.Kind != EntryKind.SymbolicLink
            ? System.MakeNode(
                at, name, UnixStat.TypeOf(entry.Kind) | Metadata.CreationMode(entry), entry.Metadata.DeviceNumber)
            : entry.LinkTarget.Span.Contains((byte)0) ? -Errno.Invalid
            : UnixSystem.MakeSymbolicLink(entry.LinkTarget.Span, at, name);

    // A recovery point could be forged: whatever its paths say, nothing is written outside.
    private void Check(EntryPath path)
    {
        if (!EntryPath.IsValid(path.Bytes))
        {
            throw UnixRestoreError.OfItem(-Errno.Invalid, FullPath(path));
        }
    }

    private BackupException Exists(int at, EntryPath path)
    {
        bool isFolder = System.Stat(at, path.Name, out UnixStat stat) >= 0 && stat.Kind == EntryKind.Directory;
        return UnixRestoreError.Exists(FullPath(path), isFolder);
    }

    private int RenameNew(int at, ReadOnlySpan<byte> temporary, ReadOnlySpan<byte> name)
    {
        int result = System.RenameNew(at, temporary, name);
        if (result == -Errno.Invalid || result == -Errno.NotImplemented || result == -Errno.NotSupported)
        {
            // Not over anything in one step is something that a link can do as well.
            result = UnixSystem.MakeHardLink(at, temporary, at, name);
            if (result >= 0)
            {
                return UnixSystem.Unlink(at, temporary);
            }

            if (result != -Errno.Exists)
            {
                // Neither is to be had on this file system.
                result = System.Stat(at, name, out _) >= 0 ? -Errno.Exists : UnixSystem.Rename(at, temporary, name);
            }
        }

        return result;
    }
}
