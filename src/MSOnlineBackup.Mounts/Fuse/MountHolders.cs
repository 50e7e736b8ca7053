using System.Globalization;

namespace MSOnlineBackup.Mounts.Fuse;

/// <summary>Who keeps a mount from being taken off: the processes of Linux that work in it, or have a file of it open. Of others' processes only root sees it.</summary>
internal static class MountHolders
{
    private const int Most = 5;
    private static readonly string[] _places = ["cwd", "root", "exe"];

    /// <summary>Finds some of them.</summary>
    /// <param name="folder">Where it is mounted, by its full path without symbolic links.</param>
    /// <returns>Names with process numbers, as in <c>bash (1234)</c>; at most five. Empty where none is seen.</returns>
    public static IReadOnlyList<string> Find(string folder) =>
    [
        .. Directory.EnumerateDirectories("/proc")
            .Where(static process => int.TryParse(Path.GetFileName(process), NumberStyles.None, CultureInfo.InvariantCulture, out _))
            .Where(process => Links(process).Any(link => IsWithin(folder, link)))
            .Select(static process => $"{NameOf(process)} ({Path.GetFileName(process)})")
            .Take(Most),
    ];

    private static bool IsWithin(string folder, string? target) =>
        target is not null && target.StartsWith(folder, StringComparison.Ordinal) && (target.Length == folder.Length || target[folder.Length] == '/');

    private static IEnumerable<string?> Links(string process) => _places
        .Select(name => Target(Path.Combine(process, name)))
        .Concat(Entries(Path.Combine(process, "fd")).Concat(Entries(Path.Combine(process, "map_files"))).Select(Target));

    // A process may end meanwhile, or be another user's: then nothing is said of it.
    private static string[] Entries(string folder)
    {
        try
        {
            return Directory.GetFileSystemEntries(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static string? Target(string link)
    {
        try
        {
            return new FileInfo(link).LinkTarget;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static string NameOf(string process)
    {
        try
        {
            return File.ReadAllText(Path.Combine(process, "comm")).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "process";
        }
    }
}
