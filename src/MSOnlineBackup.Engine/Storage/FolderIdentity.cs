namespace MSOnlineBackup.Engine.Storage;

/// <summary>Which folder is at a path: tells a mounted disk from the mount point beneath it. On Windows, where an
/// unmounted volume leaves no folder behind, only whether there is one.</summary>
/// <param name="Device">The device it is on.</param>
/// <param name="FileId">Its inode.</param>
internal readonly record struct FolderIdentity(ulong Device, ulong FileId)
{
    /// <summary>The folder at a path, links followed; null where there is none.</summary>
    /// <exception cref="IOException">It cannot be told.</exception>
    public static FolderIdentity? Find(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            return Directory.Exists(path) ? default(FolderIdentity) : null;
        }

        return FolderNative.FindDirectory(path);
    }
}
