using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Platform.Unix;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Restore.Targets.Unix;

/// <summary>Metadata of items that have their names: compared, and set.</summary>
internal sealed class ItemMetadata(UnixSystem system, TargetFolders folders, UnixMetadata metadata)
{
    /// <summary>Whether an item has all the metadata that a restore would give it. Flags that forbid changes may be missing.</summary>
    public bool IsSet(ManifestEntry entry)
    {
        using TargetFolders.Lease? folder = folders.AcquireParent(entry.Path, create: false);
        if (folder is null)
        {
            return false;
        }

        int at = folder.Value.Handle;
        int result = Open(at, entry);
        int handle = Math.Max(result, -1);
        try
        {
            result = handle >= 0 ? system.Stat(handle, out UnixStat stat) : system.Stat(at, TargetFolders.NameOf(entry.Path), out stat);
            return result >= 0 && stat.Kind == entry.Kind && metadata.IsSet(entry, new UnixNode(handle, at, TargetFolders.NameOf(entry.Path)), stat);
        }
        finally
        {
            Close(handle);
        }
    }

    /// <summary>Sets the metadata of an item that is there, and takes away what its entry does not have.</summary>
    public void Set(ManifestEntry entry, bool freeze, Action<BackupException> reportMetadata)
    {
        ReadOnlySpan<byte> fullPath = folders.FullPath(entry.Path);
        bool isFolder = entry.Kind == EntryKind.Directory;
        using TargetFolders.Lease? folder = isFolder ? folders.AcquireFolder(entry.Path, create: false) : folders.AcquireParent(entry.Path, create: false);
        int result = folder is null ? -Errno.NotFound : 0;
        int handle = result < 0 ? result
            : isFolder ? system.OpenDirectory(folder!.Value.Handle, "."u8)
            : Open(folder!.Value.Handle, entry);
        if (folder is null || (isFolder && handle < 0))
        {
            reportMetadata(UnixRestoreError.OfMetadata(
                handle, "The metadata", "Set them by hand, or remove the folder and restore it again.", fullPath));
            return;
        }

        try
        {
            var node = new UnixNode(Math.Max(handle, -1), folder.Value.Handle, TargetFolders.NameOf(entry.Path));
            result = node.IsOpen ? system.Stat(node.Handle, out UnixStat stat) : system.Stat(node.At, node.Name, out stat);
            if (result < 0)
            {
                throw UnixRestoreError.OfItem(result, fullPath);
            }

            if (node.IsOpen && stat.Flags != 0 && !OperatingSystem.IsMacOS())
            {
                // What forbids changes must go first. Where it cannot, the changes say so.
                _ = system.SetFlags(node.Handle, 0);
            }

            metadata.Set(entry, node, stat, Surplus.Anything, fullPath, reportMetadata);
            if (node.IsOpen)
            {
                uint flags = metadata.FlagsOf(entry);
                metadata.SetFlags(freeze ? flags : flags & ~system.FreezingFlags(flags), node.Handle, fullPath, reportMetadata);
            }
        }
        finally
        {
            Close(handle);
        }
    }

    /// <summary>Sets the flags of a file after which it cannot be changed or get further names.</summary>
    public void Freeze(ManifestEntry entry, Action<BackupException> reportMetadata)
    {
        if (system.FreezingFlags(metadata.FlagsOf(entry)) == 0)
        {
            return;
        }

        using TargetFolders.Lease? folder = folders.AcquireParent(entry.Path, create: false);
        if (folder is not null)
        {
            Freeze(folder.Value, entry, reportMetadata);
        }
    }

    /// <summary>Sets the flags of a file that forbid changes, and all others it has.</summary>
    public void Freeze(TargetFolders.Lease folder, ManifestEntry entry, Action<BackupException> reportMetadata)
    {
        int handle = system.OpenFile(folder.Handle, entry.Path.Name);
        if (handle < 0)
        {
            reportMetadata(UnixRestoreError.OfMetadata(handle, "Flags", "If they matter, run the restore as root.", folders.FullPath(entry.Path)));
            return;
        }

        metadata.SetFlags(metadata.FlagsOf(entry), handle, folders.FullPath(entry.Path), reportMetadata);
        UnixSystem.Close(handle);
    }

    // Only files and folders have flags, and what has none need not be opened. A device would begin to work.
    private int Open(int at, ManifestEntry entry) => entry.Kind switch
    {
        EntryKind.File => system.OpenFile(at, TargetFolders.NameOf(entry.Path)),
        EntryKind.Directory => system.OpenDirectory(at, TargetFolders.NameOf(entry.Path)),
        _ => -Errno.NoSuchDevice,
    };

    private static void Close(int handle)
    {
        if (handle >= 0)
        {
            UnixSystem.Close(handle);
        }
    }
}
