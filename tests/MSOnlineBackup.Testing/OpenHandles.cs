namespace MSOnlineBackup.Testing;

/// <summary>The handles that this process holds; Linux only.</summary>
public static class OpenHandles
{
    /// <summary>How many lead to a folder or below it: those of other tests, which run at the same time, do not count.</summary>
    public static int Below(string folder) => Directory.GetFileSystemEntries("/proc/self/fd")
        .Count(handle => new FileInfo(handle).LinkTarget?.StartsWith(folder, StringComparison.Ordinal) == true);
}
