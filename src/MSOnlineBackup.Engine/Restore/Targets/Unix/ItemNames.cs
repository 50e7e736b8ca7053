using System.Security.Cryptography;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Platform.Unix;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Restore.Targets.Unix;

/// <summary>Gives items their names at the target, over nothing that is not to be replaced, and takes names away.</summary>
internal sealed class ItemNames(UnixSystem system, TargetFolders folders)
{
    private const int TemporaryRandomLength = 16;

    /// <summary>Makes something under a name that nobody can have meant: whatever has it by chance is left alone, and another is tried.</summary>
    public static (byte[] Name, int Result) MakeTemporary(Func<ReadOnlySpan<byte>, int> make)
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
            throw UnixRestoreError.OfItem(result, folders.FullPath(path));
        }
    }

    /// <summary>Gives a file that has no name its own.</summary>
    /// <returns>A temporary name that is to be replaced by its own; empty where that is done.</returns>
    /// <exception cref="BackupException">RestoreItemExists, RestoreItemFailed and the like.</exception>
    public byte[] GiveName(TargetFolders.Lease folder, int handle, EntryPath path, bool replace)
    {
        int at = folder.Handle;
        byte[] temporary = [];
        int result = system.GiveName(handle, at, path.Name);
        if (result == -Errno.Exists)
        {
            if (!replace)
            {
                throw Exists(at, path);
            }

            (temporary, result) = MakeTemporary(name => system.GiveName(handle, at, name));
        }

        return result >= 0 ? temporary : throw UnixRestoreError.OfItem(result, folders.FullPath(path));
    }

    /// <summary>Gives something that is there a further name.</summary>
    /// <returns>False where the target can give it none.</returns>
    public bool TryCreateHardLink(EntryPath path, EntryPath existing, bool replace)
    {
        using TargetFolders.Lease? source = folders.AcquireParent(existing, create: false);
        using TargetFolders.Lease? folder = folders.AcquireParent(path, create: true);
        if (source is null)
        {
            throw UnixRestoreError.OfItem(-Errno.NotFound, folders.FullPath(existing));
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
                ? throw UnixRestoreError.OfItem(result, folders.FullPath(path))
                : false);
    }

    /// <summary>Takes away what is at a path: no folder that holds anything.</summary>
    public void Remove(EntryPath path)
    {
        using TargetFolders.Lease? folder = folders.AcquireParent(path, create: false);
        int at = folder?.Handle ?? -1;
        int result = folder is null ? -Errno.NotFound : UnixSystem.Unlink(at, path.Name);
        if (result == -Errno.NotPermitted && Unlock(at, path.Name))
        {
            result = UnixSystem.Unlink(at, path.Name);
        }

        // Linux says that it is a folder; others, that this is not permitted.
        if ((result == -Errno.IsDirectory || result == -Errno.NotPermitted) && system.Stat(at, path.Name, out UnixStat stat) >= 0
            && stat.Kind == EntryKind.Directory)
        {
            result = system.UnlinkDirectory(at, path.Name);
        }

        if (result < 0)
        {
            throw result == -Errno.NotEmpty ? Exists(at, path) : UnixRestoreError.OfItem(result, folders.FullPath(path));
        }
    }

    // Takes away what forbids to replace a file; false where nothing does.
    private bool Unlock(int at, ReadOnlySpan<byte> name)
    {
        int handle = system.Stat(at, name, out UnixStat stat) >= 0 && stat.Kind == EntryKind.File && stat.Flags != 0 ? system.OpenFile(at, name) : -1;
        if (handle < 0)
        {
            return false;
        }

        int result = system.SetFlags(handle, 0);
        UnixSystem.Close(handle);
        return result >= 0;
    }

    private BackupException Exists(int at, EntryPath path)
    {
        bool isFolder = system.Stat(at, path.Name, out UnixStat stat) >= 0 && stat.Kind == EntryKind.Directory;
        return UnixRestoreError.Exists(folders.FullPath(path), isFolder);
    }

    private int RenameNew(int at, ReadOnlySpan<byte> temporary, ReadOnlySpan<byte> name)
    {
        int result = system.RenameNew(at, temporary, name);
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
                result = system.Stat(at, name, out _) >= 0 ? -Errno.Exists : UnixSystem.Rename(at, temporary, name);
            }
        }

        return result;
    }
}
