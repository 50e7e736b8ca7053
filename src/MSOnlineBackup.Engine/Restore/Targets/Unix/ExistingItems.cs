using MSOnlineBackup.Engine.Sources.Unix;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Platform.Unix;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Microsoft.Win32.SafeHandles;

namespace MSOnlineBackup.Engine.Restore.Targets.Unix;

/// <summary>What is at the target already: looked at and read, never through a link.</summary>
internal sealed class ExistingItems(UnixSystem system, TargetFolders folders)
{
    /// <summary>What is at a path, with the target of a link; null where nothing is.</summary>
    public ManifestEntry? Find(EntryPath path)
    {
        TargetFolders.Lease? parent;
        try
        {
            parent = folders.AcquireParent(path, create: false);
        }
        catch (BackupException exception) when (exception.Id == BackupErrorId.RestoreItemExists)
        {
            // A file stands where a folder should: there is nothing below it.
            return null;
        }

        using TargetFolders.Lease? folder = parent;
        UnixStat stat = default;
        int result = folder is null ? -Errno.NotFound : system.Stat(folder.Value.Handle, TargetFolders.NameOf(path), out stat);
        if (result < 0)
        {
            return result == -Errno.NotFound ? null : throw UnixRestoreError.OfItem(result, folders.FullPath(path));
        }

        ManifestEntry found = stat.ToEntry(path);
        return found.Kind == EntryKind.SymbolicLink ? found with { LinkTarget = ReadLink(folder!.Value.Handle, path) } : found;
    }

    /// <summary>Whether a folder has anything in it; true also where it cannot be told.</summary>
    public bool HoldsItems(EntryPath folder)
    {
        using TargetFolders.Lease? opened = folders.AcquireParent(folder, create: false);
        int handle = opened is null ? -Errno.NotFound : system.OpenDirectory(opened.Value.Handle, folder.Name);
        if (handle < 0)
        {
            return true;
        }

        var listing = new DirectoryListing();
        int result = system.List(handle, listing);
        UnixSystem.Close(handle);
        return result < 0 || listing.Count > 0;
    }

    /// <summary>Reads of a file that <see cref="Find"/> told of.</summary>
    public int Read(ManifestEntry existing, long offset, Span<byte> destination)
    {
        int handle = Open(existing);
        try
        {
            int done = 0;
            while (done < destination.Length)
            {
                int read = UnixSystem.Read(handle, offset + done, destination[done..]);
                if (read < 0)
                {
                    throw UnixRestoreError.OfItem(read, folders.FullPath(existing.Path));
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

    /// <summary>Whether a range of a file that <see cref="Find"/> told of is zeros, or a hole.</summary>
    public bool IsZero(ManifestEntry existing, long offset, long length)
    {
        int handle = Open(existing);
        try
        {
            Span<byte> buffer = stackalloc byte[4096];
            long end = offset + length;
            while (offset < end)
            {
                // Where holes cannot be found, all is read; behind the last data is none.
                long data = system.SeekData(handle, offset);
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

    /// <summary>Opens a restored file to read it again.</summary>
    public Stream OpenRead(EntryPath path)
    {
        using TargetFolders.Lease? folder = folders.AcquireParent(path, create: false);
        int handle = folder is null ? -Errno.NotFound : system.OpenFile(folder.Value.Handle, TargetFolders.NameOf(path));
        if (handle < 0)
        {
            throw UnixRestoreError.OfItem(handle, folders.FullPath(path));
        }

        return new FileStream(new SafeFileHandle(handle, ownsHandle: true), FileAccess.Read, bufferSize: 0);
    }

    /// <summary>Opens a stream of a file; null where it has none of the name.</summary>
    public Stream? OpenStream(EntryPath path, ReadOnlyMemory<byte> name)
    {
        using TargetFolders.Lease? folder = folders.AcquireParent(path, create: false);
        int handle = folder is null ? -Errno.NotFound : system.OpenFile(folder.Value.Handle, TargetFolders.NameOf(path));
        int length = handle < 0 ? handle : system.GetAttribute(new UnixNode(handle, -1, default), name.Span, []);
        if (length >= 0)
        {
            return new ExistingStream(system, handle, name, length, folders.FullPath(path).ToArray());
        }

        if (handle >= 0)
        {
            UnixSystem.Close(handle);
        }

        return length == -Errno.NotFound || length == -Errno.NoAttribute ? null : throw UnixRestoreError.OfItem(length, folders.FullPath(path));
    }

    /// <summary>Opens a file that <see cref="Find"/> told of.</summary>
    /// <exception cref="BackupException">RestoreItemFailed: it is another, or was changed.</exception>
    public int Open(ManifestEntry existing)
    {
        using TargetFolders.Lease? folder = folders.AcquireParent(existing.Path, create: false);
        int handle = folder is null ? -Errno.NotFound : system.OpenFile(folder.Value.Handle, TargetFolders.NameOf(existing.Path));
        if (handle < 0)
        {
            throw UnixRestoreError.OfItem(handle, folders.FullPath(existing.Path));
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
        if (system.Stat(handle, out UnixStat stat) < 0
            || stat.Kind != existing.Kind
            || stat.Inode != existing.Metadata.FileId
            || stat.Size != existing.Size
            || stat.Modified != existing.Metadata.Modified
            || (existing.Metadata.LinkCount == 1 && stat.Changed != existing.Metadata.Changed))
        {
            throw UnixRestoreError.Changed(folders.FullPath(existing.Path));
        }
    }

    private byte[] ReadLink(int at, EntryPath path)
    {
        // 4,095 bytes on Linux, 1,023 on macOS.
        Span<byte> target = stackalloc byte[4096];
        int length = UnixSystem.ReadLink(at, path.Name, target);
        return length >= 0 ? target[..length].ToArray() : throw UnixRestoreError.OfItem(length, folders.FullPath(path));
    }
}
