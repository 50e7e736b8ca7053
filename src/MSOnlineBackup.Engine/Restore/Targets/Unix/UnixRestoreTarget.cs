using System.Security.Cryptography;
using System.Text;
using MSOnlineBackup.Engine.Sources.Unix;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Platform.Unix;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Microsoft.Win32.SafeHandles;

namespace MSOnlineBackup.Engine.Restore.Targets.Unix;

/// <summary>A folder of a POSIX system to restore into.</summary>
internal sealed class UnixRestoreTarget : IRestoreTarget
{
    // rwxrwxrwx less the umask: what a folder keeps that will not get a mode of its own.
    private const uint DefaultFolderMode = 0x1FF;
    private const uint OwnerMode = 0x1C0;
    private const int TemporaryRandomLength = 16;

    private readonly TargetFolders _folders;

    // Not asked for again once a file system had none. Another one mounted below has a temporary name instead.
    private volatile bool _hasNameless = true;

    private UnixRestoreTarget(UnixSystem system, byte[] path, int handle, bool skipSecurity, UnixStat? vault)
    {
        // Each file has a handle and holds one of its folder; the vault's files and the runtime have theirs.
        const int Reserve = 64;
        long budget = Math.Max(0, UnixSystem.MostOpenFiles - Reserve);
        MostOpenFiles = (int)Math.Clamp(budget / 4, 4, 250);
        System = system;
        _folders = new TargetFolders(
            system, path, handle, skipSecurity ? DefaultFolderMode : IRestoreTarget.UnfinishedMode, (int)Math.Clamp(budget / 4, 4, 128), vault);
        Metadata = new UnixMetadata(system, skipSecurity);
    }

    /// <summary>The calls.</summary>
    public UnixSystem System { get; }

    /// <summary>What sets metadata.</summary>
    public UnixMetadata Metadata { get; }

    /// <inheritdoc/>
    public int MostOpenFiles { get; }

    /// <summary>Opens a folder that is there.</summary>
    /// <param name="system">The calls.</param>
    /// <param name="path">Its absolute path, raw.</param>
    /// <param name="skipSecurity">Whether owner, permissions and access lists are left as new items have them.</param>
    /// <param name="vault">The folder that nothing may be restored into; null for none.</param>
    public static UnixRestoreTarget Open(UnixSystem system, byte[] path, bool skipSecurity, UnixStat? vault = null)
    {
        int handle = system.OpenBase(-1, path, followLink: true);
        if (handle >= 0 && vault is { } forbidden && IsWithin(system, handle, forbidden))
        {
            UnixSystem.Close(handle);
            throw UnixRestoreError.IsVault(path);
        }

        return handle >= 0 ? new UnixRestoreTarget(system, path, handle, skipSecurity, vault) : throw UnixRestoreError.OfItem(handle, path);
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
        if (result < 0)
        {
            return result == -Errno.NotFound ? null : throw UnixRestoreError.OfItem(result, FullPath(path));
        }

        ManifestEntry found = stat.ToEntry(path);
        return found.Kind == EntryKind.SymbolicLink ? found with { LinkTarget = ReadLink(folder!.Value.Handle, path) } : found;
    }

    /// <inheritdoc/>
    public bool IgnoresCase(EntryPath folder)
    {
        Check(folder);
        using TargetFolders.Lease? opened = _folders.Acquire(folder.Bytes, create: true);
        int at = opened!.Value.Handle;
        bool isKnown = System.Stat(at, out UnixStat before) >= 0;
        (byte[] name, int handle) = MakeTemporary(name => System.CreateFile(at, name, 0));
        if (handle < 0)
        {
            return false;
        }

        Close(handle);
        bool ignoresCase = System.Stat(at, Encoding.ASCII.GetBytes(Encoding.ASCII.GetString(name).ToUpperInvariant()), out _) >= 0;
        _ = UnixSystem.Unlink(at, name);
        if (isKnown)
        {
            // A folder that keeps what it has keeps its time too.
            _ = System.SetModified(new UnixNode(-1, at, "."u8), before.Modified);
        }

        return ignoresCase;
    }

    /// <inheritdoc/>
    public bool HasMetadata(ManifestEntry entry)
    {
        Check(entry.Path);
        using TargetFolders.Lease? folder = _folders.Acquire(ParentOf(entry.Path), create: false);
        if (folder is null)
        {
            return false;
        }

        int at = folder.Value.Handle;
        int result = Open(at, entry);
        int handle = Math.Max(result, -1);
        try
        {
            result = handle >= 0 ? System.Stat(handle, out UnixStat stat) : System.Stat(at, NameOf(entry.Path), out stat);
            return result >= 0 && stat.Kind == entry.Kind && Metadata.IsSet(entry, new UnixNode(handle, at, NameOf(entry.Path)), stat);
        }
        finally
        {
            Close(handle);
        }
    }

    /// <inheritdoc/>
    public Action? OpenDirectory(EntryPath path, bool unlock)
    {
        Check(path);
        using TargetFolders.Lease? folder = _folders.Acquire(path.Bytes, create: true);
        int handle = folder!.Value.Handle;
        if (System.Stat(handle, out UnixStat stat) < 0)
        {
            return null;
        }

        // A folder that an earlier restore finished may lack what its owner needs to write in it; root needs nothing. Where it is another's,
        // the first write tells.
        bool isLocked = unlock && stat.Flags != 0 && SetFlags(handle, ~stat.Flags, 0) >= 0;
        bool isClosed = (stat.Mode & OwnerMode) != OwnerMode && !System.MayWriteIn(handle) && System.ChangeMode(handle, "."u8, (stat.Mode & 0xFFF) | OwnerMode) >= 0;
        return isLocked || isClosed ? GiveBack : null;

        void GiveBack()
        {
            using TargetFolders.Lease? again = _folders.Acquire(path.Bytes, create: false);
            int result = again is null ? -Errno.NotFound : 0;
            if (isClosed && result >= 0)
            {
                result = System.ChangeMode(again!.Value.Handle, "."u8, stat.Mode & 0xFFF);
            }

            if (isLocked && result >= 0)
            {
                result = SetFlags(again!.Value.Handle, uint.MaxValue, stat.Flags);
            }

            if (result < 0)
            {
                throw UnixRestoreError.OfMetadata(result, "The permissions or flags", "Give the folder back what it had, by hand.", FullPath(path));
            }
        }
    }

    /// <inheritdoc/>
    public IRestoreFile CreateFile(ManifestEntry entry)
    {
        Check(entry.Path);
        TargetFolders.Lease folder = _folders.Acquire(ParentOf(entry.Path), create: true)!.Value;
        uint mode = Metadata.CreationMode(entry);
        byte[]? temporary = null;
        int handle = _hasNameless ? System.CreateNameless(folder.Handle, mode) : -Errno.NotSupported;
        if (handle == -Errno.NotSupported || handle == -Errno.Invalid || handle == -Errno.IsDirectory || handle == -Errno.NotFound)
        {
            _hasNameless = false;
            (temporary, handle) = MakeTemporary(name => System.CreateFile(folder.Handle, name, mode));
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
        (byte[] temporary, int result) = MakeTemporary(name => Make(entry, folder.Handle, name));
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

            Surplus surplus = folder.HandsOnAccessList(Metadata) ? Surplus.AccessLists : Surplus.Nothing;
            Metadata.Set(entry, new UnixNode(-1, folder.Handle, temporary), stat, surplus, fullPath, reportMetadata);
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
    public bool HoldsItems(EntryPath folder)
    {
        Check(folder);
        using TargetFolders.Lease? opened = _folders.Acquire(ParentOf(folder), create: false);
        int handle = opened is null ? -Errno.NotFound : System.OpenDirectory(opened.Value.Handle, folder.Name);
        if (handle < 0)
        {
            return true;
        }

        var listing = new DirectoryListing();
        int result = System.List(handle, listing);
        Close(handle);
        return result < 0 || listing.Count > 0;
    }

    /// <inheritdoc/>
    public void Remove(EntryPath path)
    {
        Check(path);
        using TargetFolders.Lease? folder = _folders.Acquire(ParentOf(path), create: false);
        int at = folder?.Handle ?? -1;
        int result = folder is null ? -Errno.NotFound : UnixSystem.Unlink(at, path.Name);
        if (result == -Errno.NotPermitted && Unlock(at, path.Name))
        {
            result = UnixSystem.Unlink(at, path.Name);
        }

        // Linux says that it is a folder; others, that this is not permitted.
        if ((result == -Errno.IsDirectory || result == -Errno.NotPermitted) && System.Stat(at, path.Name, out UnixStat stat) >= 0 && stat.Kind == EntryKind.Directory)
        {
            result = System.UnlinkDirectory(at, path.Name);
        }

        if (result < 0)
        {
            throw result == -Errno.NotEmpty ? Exists(at, path) : UnixRestoreError.OfItem(result, FullPath(path));
        }
    }

    /// <inheritdoc/>
    public bool TryCreateHardLink(EntryPath path, EntryPath existing, bool replace)
    {
        Check(path);
        Check(existing);
        using TargetFolders.Lease? source = _folders.Acquire(ParentOf(existing), create: false);
        using TargetFolders.Lease? folder = _folders.Acquire(ParentOf(path), create: true);
        if (source is null)
        {
            throw UnixRestoreError.OfItem(-Errno.NotFound, FullPath(existing));
        }

        int from = source.Value.Handle;
        int at = folder!.Value.Handle;
        int result = UnixSystem.MakeHardLink(from, existing.Name, at, path.Name);
        if (result == -Errno.Exists && replace)
        {
            (byte[] temporary, result) = MakeTemporary(name => UnixSystem.MakeHardLink(from, existing.Name, at, name));
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

        if (result == -Errno.Exists)
        {
            throw Exists(at, path);
        }

        // NotPermitted is what file systems without links say, and what is said of files that must not be changed or are another's.
        return result >= 0
            || (result != -Errno.TooManyLinks && result != -Errno.OtherDevice && result != -Errno.NotPermitted
                && result != -Errno.NotSupported && result != -Errno.NotImplemented
                ? throw UnixRestoreError.OfItem(result, FullPath(path))
                : false);
    }

    /// <inheritdoc/>
    public void SetMetadata(ManifestEntry entry, bool freeze, Action<BackupException> reportMetadata)
    {
        Check(entry.Path);
        ReadOnlySpan<byte> fullPath = FullPath(entry.Path);
        bool isFolder = entry.Kind == EntryKind.Directory;
        using TargetFolders.Lease? folder = _folders.Acquire(isFolder ? entry.Path.Bytes : ParentOf(entry.Path), create: false);
        int result = folder is null ? -Errno.NotFound : 0;
        int handle = result < 0 ? result
            : isFolder ? System.OpenDirectory(folder!.Value.Handle, "."u8)
            : Open(folder!.Value.Handle, entry);
        if (folder is null || (isFolder && handle < 0))
        {
            reportMetadata(UnixRestoreError.OfMetadata(
                handle, "The metadata", "Set them by hand, or remove the folder and restore it again.", fullPath));
            return;
        }

        try
        {
            var node = new UnixNode(Math.Max(handle, -1), folder.Value.Handle, NameOf(entry.Path));
            result = node.IsOpen ? System.Stat(node.Handle, out UnixStat stat) : System.Stat(node.At, node.Name, out stat);
            if (result < 0)
            {
                throw UnixRestoreError.OfItem(result, fullPath);
            }

            if (node.IsOpen && stat.Flags != 0 && !OperatingSystem.IsMacOS())
            {
                // What forbids changes must go first. Where it cannot, the changes say so.
                _ = System.SetFlags(node.Handle, 0);
            }

            Metadata.Set(entry, node, stat, Surplus.Anything, fullPath, reportMetadata);
            if (node.IsOpen)
            {
                uint flags = Metadata.FlagsOf(entry);
                Metadata.SetFlags(freeze ? flags : flags & ~System.FreezingFlags(flags), node.Handle, fullPath, reportMetadata);
            }
        }
        finally
        {
            Close(handle);
        }
    }

    /// <inheritdoc/>
    public void Freeze(ManifestEntry entry, Action<BackupException> reportMetadata)
    {
        Check(entry.Path);
        if (System.FreezingFlags(Metadata.FlagsOf(entry)) == 0)
        {
            return;
        }

        using TargetFolders.Lease? folder = _folders.Acquire(ParentOf(entry.Path), create: false);
        if (folder is not null)
        {
            Freeze(folder.Value, entry, reportMetadata);
        }
    }

    /// <inheritdoc/>
    public int Read(ManifestEntry existing, long offset, Span<byte> destination)
    {
        int handle = OpenExisting(existing);
        try
        {
            int done = 0;
            while (done < destination.Length)
            {
                int read = UnixSystem.Read(handle, offset + done, destination[done..]);
                if (read < 0)
                {
                    throw UnixRestoreError.OfItem(read, FullPath(existing.Path));
                }

                if (read == 0)
                {
                    break;
                }

                done += read;
            }

            return done;
        }
        finally
        {
            UnixSystem.Close(handle);
        }
    }

    /// <inheritdoc/>
    public bool IsZero(ManifestEntry existing, long offset, long length)
    {
        int handle = OpenExisting(existing);
        try
        {
            Span<byte> buffer = stackalloc byte[4096];
            long end = offset + length;
            while (offset < end)
            {
                // Where holes cannot be found, all is read; behind the last data is none.
                long data = System.SeekData(handle, offset);
                offset = data >= 0 ? data : data == -Errno.NoSuchDevice ? end : offset;
                if (offset >= end)
                {
                    break;
                }

                int read = UnixSystem.Read(handle, offset, buffer[..(int)Math.Min(buffer.Length, end - offset)]);
                if (read <= 0 || buffer[..read].ContainsAnyExcept((byte)0))
                {
                    return false;
                }

                offset += read;
            }

            return true;
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
    public void Synchronize()
    {
        foreach ((byte[] path, int handle) in _folders.OnePerMedium())
        {
            int result = handle < 0 ? handle : System.Synchronize(handle);
            if (result < 0)
            {
                throw UnixRestoreError.OfMedium(result, _folders.FullPath(path));
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _folders.Dispose();

    /// <summary>The full path of an item, for messages.</summary>
    public ReadOnlySpan<byte> FullPath(EntryPath path) => _folders.FullPath(path.Bytes);

    /// <summary>Opens a file that <see cref="Find"/> told of.</summary>
    /// <exception cref="BackupException">RestoreItemFailed: it is another, or was changed.</exception>
    public int OpenExisting(ManifestEntry existing)
    {
        Check(existing.Path);
        using TargetFolders.Lease? folder = _folders.Acquire(ParentOf(existing.Path), create: false);
        int handle = folder is null ? -Errno.NotFound : System.OpenFile(folder.Value.Handle, NameOf(existing.Path));
        if (handle < 0)
        {
            throw UnixRestoreError.OfItem(handle, FullPath(existing.Path));
        }

        try
        {
            CheckUnchanged(existing, handle);
            return handle;
        }
        catch
        {
            UnixSystem.Close(handle);
            throw;
        }
    }

    /// <summary>Throws where an open file is not, or not any more, what <see cref="Find"/> told of it.</summary>
    /// <exception cref="BackupException">RestoreItemFailed.</exception>
    public void CheckUnchanged(ManifestEntry existing, int handle)
    {
        // Whoever takes another name of the file away changes its change time too.
        if (System.Stat(handle, out UnixStat stat) < 0
            || stat.Kind != existing.Kind
            || stat.Inode != existing.Metadata.FileId
            || stat.Size != existing.Size
            || stat.Modified != existing.Metadata.Modified
            || (existing.Metadata.LinkCount == 1 && stat.Changed != existing.Metadata.Changed))
        {
            throw UnixRestoreError.Changed(FullPath(existing.Path));
        }
    }

    /// <summary>Gives what has a temporary name its own.</summary>
    /// <exception cref="BackupException">RestoreItemExists, RestoreItemFailed and the like.</exception>
    public void Place(TargetFolders.Lease folder, ReadOnlySpan<byte> temporary, EntryPath path, bool replace)
    {
        int at = folder.Handle;
        ReadOnlySpan<byte> name = path.Name;
        int result = replace ? UnixSystem.Rename(at, temporary, name) : RenameNew(at, temporary, name);
        if (result == -Errno.NotPermitted && replace && Unlock(at, name))
        {
            result = UnixSystem.Rename(at, temporary, name);
        }

        if (result == -Errno.Exists || result == -Errno.IsDirectory || result == -Errno.NotEmpty)
        {
            throw Exists(at, path);
        }

        if (result < 0)
        {
            throw UnixRestoreError.OfItem(result, FullPath(path));
        }
    }

    /// <summary>Gives a file that has no name its own.</summary>
    /// <returns>A temporary name that is to be replaced by its own; empty where that is done.</returns>
    /// <exception cref="BackupException">RestoreItemExists, RestoreItemFailed and the like.</exception>
    public byte[] GiveName(TargetFolders.Lease folder, int handle, EntryPath path, bool replace)
    {
        int at = folder.Handle;
        byte[] temporary = [];
        int result = System.GiveName(handle, at, path.Name);
        if (result == -Errno.Exists)
        {
            if (!replace)
            {
                throw Exists(at, path);
            }

            (temporary, result) = MakeTemporary(name => System.GiveName(handle, at, name));
        }

        return result >= 0 ? temporary : throw UnixRestoreError.OfItem(result, FullPath(path));
    }

    /// <summary>Sets the flags of a file that forbid changes, and all others it has.</summary>
    public void Freeze(TargetFolders.Lease folder, ManifestEntry entry, Action<BackupException> reportMetadata)
    {
        int handle = System.OpenFile(folder.Handle, entry.Path.Name);
        if (handle < 0)
        {
            reportMetadata(UnixRestoreError.OfMetadata(handle, "Flags", "Run the restore as root where they matter.", FullPath(entry.Path)));
            return;
        }

        Metadata.SetFlags(Metadata.FlagsOf(entry), handle, FullPath(entry.Path), reportMetadata);
        UnixSystem.Close(handle);
    }

    // Whether a folder is another, or below it: whatever path led to it.
    private static bool IsWithin(UnixSystem system, int folder, in UnixStat other)
    {
        int handle = folder;
        bool found = false;
        for (UnixStat last = default; !found && handle >= 0 && system.Stat(handle, out UnixStat stat) >= 0 && !stat.IsSameInode(last); last = stat)
        {
            found = stat.IsSameInode(other);
            int parent = found ? -1 : system.OpenBase(handle, ".."u8);
            if (handle != folder)
            {
                UnixSystem.Close(handle);
            }

            handle = parent;
        }

        if (handle != folder)
        {
            Close(handle);
        }

        return found;
    }

    private static ReadOnlySpan<byte> ParentOf(EntryPath path)
    {
        int slash = path.Bytes.LastIndexOf((byte)'/');
        return slash < 0 ? default : path.Bytes[..slash];
    }

    private static ReadOnlySpan<byte> NameOf(EntryPath path) => path.IsRoot ? "."u8 : path.Name;

    // A name that nobody can have meant: whatever has it by chance is left alone, and another is tried.
    private static (byte[] Name, int Result) MakeTemporary(Func<ReadOnlySpan<byte>, int> make)
    {
        byte[] name = new byte[5 + (2 * TemporaryRandomLength)];
        ".obr-"u8.CopyTo(name);
        Span<byte> random = stackalloc byte[TemporaryRandomLength];
        int result;
        do
        {
            RandomNumberGenerator.Fill(random);
            Convert.TryToHexStringLower(random, name.AsSpan(5), out _);
            result = make(name);
        }
        while (result == -Errno.Exists);

        return (name, result);
    }

    private static void Close(int handle)
    {
        if (handle >= 0)
        {
            UnixSystem.Close(handle);
        }
    }

    // Only files and folders have flags, and what has none need not be opened. A device would begin to work.
    private int Open(int at, ManifestEntry entry) => entry.Kind switch
    {
        EntryKind.File => System.OpenFile(at, NameOf(entry.Path)),
        EntryKind.Directory => System.OpenDirectory(at, NameOf(entry.Path)),
        _ => -Errno.NoSuchDevice,
    };

    // Takes away what forbids to replace a file; false where nothing does.
    private bool Unlock(int at, ReadOnlySpan<byte> name)
    {
        int handle = System.Stat(at, name, out UnixStat stat) >= 0 && stat.Kind == EntryKind.File && stat.Flags != 0 ? System.OpenFile(at, name) : -1;
        if (handle < 0)
        {
            return false;
        }

        int result = System.SetFlags(handle, 0);
        UnixSystem.Close(handle);
        return result >= 0;
    }

    private int SetFlags(int folder, uint kept, uint added)
    {
        int handle = System.OpenDirectory(folder, "."u8);
        if (handle < 0)
        {
            return handle;
        }

        int result = System.Stat(handle, out UnixStat stat);
        result = result < 0 ? result : System.GetFlags(handle, stat, out uint flags) is var got && got < 0 ? got : System.SetFlags(handle, (flags & kept) | added);
        UnixSystem.Close(handle);
        return result;
    }

    private byte[] ReadLink(int at, EntryPath path)
    {
        // 4,095 bytes on Linux, 1,023 on macOS.
        Span<byte> target = stackalloc byte[4096];
        int length = UnixSystem.ReadLink(at, path.Name, target);
        return length >= 0 ? target[..length].ToArray() : throw UnixRestoreError.OfItem(length, FullPath(path));
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
