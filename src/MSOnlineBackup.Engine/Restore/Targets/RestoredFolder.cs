using System.Text;
using MSOnlineBackup.Engine.Restore.Targets.Unix;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Platform.Unix;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Engine.Restore.Targets;

/// <summary>
/// Removes a folder that a trial restored into, with all that came back in it: names that are no text, modes that forbid listing, flags that forbid
/// changes, paths that are too long to name.
/// </summary>
public static class RestoredFolder
{
    // A folder that lies deeper is moved up first: so many handles are open at most.
    private const int DeepestHandle = 64;

    /// <summary>Removes it. No link is followed, and nothing that is mounted in it is entered.</summary>
    /// <param name="folder">Its path; that nothing is there is no error.</param>
    /// <param name="onlyOwn">Whether one that belongs to another account is left alone, which is an error: in a folder that all may write
    /// in, others can give anything this name. (Windows: nothing is asked.)</param>
    /// <exception cref="BackupException">RestoreTargetUnwritable, RestoreItemFailed: something could not be removed.</exception>
    public static void Remove(string folder, bool onlyOwn = false)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        if (OperatingSystem.IsWindows())
        {
            RemoveOnWindows(full);
            return;
        }

        int parent = UnixSystem.Current.OpenBase(-1, Encoding.UTF8.GetBytes(Path.GetDirectoryName(full)!), followLink: true);
        if (parent < 0)
        {
            throw UnixRestoreError.OfItem(parent, Encoding.UTF8.GetBytes(full));
        }

        try
        {
            new Removal(UnixSystem.Current, full, onlyOwn).RemoveFolder(parent, Encoding.UTF8.GetBytes(Path.GetFileName(full)), depth: 0);
        }
        finally
        {
            UnixSystem.Close(parent);
        }
    }

    private static void RemoveOnWindows(string folder)
    {
        if (!Directory.Exists(folder))
        {
            return;
        }

        try
        {
            // Read-only stands in the way of deletion there, and long paths of names without this prefix.
            string whole = folder.StartsWith(@"\\", StringComparison.Ordinal) ? folder : @"\\?\" + folder;
            foreach (string item in Directory.EnumerateFileSystemEntries(whole, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 }))
            {
                File.SetAttributes(item, FileAttributes.Normal);
            }

            Directory.Delete(whole, recursive: true);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new BackupException(
                BackupErrorId.RestoreTargetUnwritable,
                $"The folder '{folder}' could not be removed: {exception.Message}",
                "Remove it by hand.",
                folder,
                innerException: exception);
        }
    }

    private sealed class Removal(UnixSystem system, string root, bool onlyOwn)
    {
        private const uint OwnerMode = 0x1C0;

        private int _top = -1;
        private int _moved;

        public void RemoveFolder(int at, byte[] name, int depth)
        {
            int handle = system.OpenDirectory(at, name);
            if (handle == -Errno.AccessDenied && (depth > 0 || !onlyOwn))
            {
                _ = system.ChangeMode(at, name, OwnerMode);
                handle = system.OpenDirectory(at, name);
            }

            if (handle == -Errno.NotFound)
            {
                return;
            }

            Check(handle);
            try
            {
                if (depth == 0)
                {
                    _top = handle;
                }

                Check(system.Stat(handle, out UnixStat folder));
                Check(depth == 0 && onlyOwn && folder.UserId != Libc.EffectiveUser() ? -Errno.NotPermitted : 0);
                Free(handle);
                if ((folder.Mode & OwnerMode) != OwnerMode)
                {
                    Check(system.ChangeMode(new UnixNode(handle, -1, default), OwnerMode));
                }

                RemoveContents(handle, folder, depth);
            }
            finally
            {
                UnixSystem.Close(handle);
            }

            Check(system.UnlinkDirectory(at, name));
        }

        private void RemoveContents(int handle, in UnixStat folder, int depth)
        {
            // What lay too deep was moved up to the top: that is listed until nothing is left.
            while (ListNames(handle) is { Count: > 0 } names)
            {
                foreach (byte[] name in names)
                {
                    Check(system.Stat(handle, name, out UnixStat item));
                    if (item.Kind != EntryKind.Directory)
                    {
                        RemoveItem(handle, name, item);
                    }
                    else if (item.IsMountedOn(folder))
                    {
                        Check(-Errno.OtherDevice);
                    }
                    else if (depth < DeepestHandle)
                    {
                        RemoveFolder(handle, name, depth + 1);
                    }
                    else
                    {
                        MoveUp(handle, name);
                    }
                }
            }
        }

        private void RemoveItem(int at, byte[] name, in UnixStat item)
        {
            int result = UnixSystem.Unlink(at, name);
            if (result == -Errno.NotPermitted && item.Kind == EntryKind.File)
            {
                int handle = system.OpenFile(at, name);
                if (handle >= 0)
                {
                    Free(handle);
                    UnixSystem.Close(handle);
                    result = UnixSystem.Unlink(at, name);
                }
            }

            Check(result);
        }

        private void MoveUp(int at, byte[] name)
        {
            byte[] above;
            do
            {
                above = Encoding.ASCII.GetBytes($".deep-{_moved++}");
            }
            while (system.Stat(_top, above, out _) >= 0);

            int handle = system.OpenDirectory(at, name);
            if (handle >= 0)
            {
                Free(handle);
                UnixSystem.Close(handle);
            }

            Check(UnixSystem.Move(at, name, _top, above));
        }

        // Where there are no flags there are none that forbid anything; where they cannot be taken away, what comes next says so.
        private void Free(int handle)
        {
            if (system.Stat(handle, out UnixStat stat) >= 0 && stat.Flags != 0)
            {
                _ = system.SetFlags(handle, 0);
            }
        }

        private List<byte[]> ListNames(int handle)
        {
            // Anew: a handle goes on where it was.
            int listed = system.OpenDirectory(handle, "."u8);
            Check(listed);
            var listing = new DirectoryListing();
            int result = system.List(listed, listing);
            UnixSystem.Close(listed);
            Check(result);
            return [.. Enumerable.Range(0, listing.Count).Select(i => listing[i].ToArray())];
        }

        private void Check(int result)
        {
            if (result < 0)
            {
                throw UnixRestoreError.OfItem(result, Encoding.UTF8.GetBytes(root));
            }
        }
    }
}
