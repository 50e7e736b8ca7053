using MSOnlineBackup.Engine.Sources.Unix;
using MSOnlineBackup.Engine.Sources.Windows;
using MSOnlineBackup.Platform.Unix;
using MSOnlineBackup.Platform.Windows;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Sources;

/// <summary>Opens sources with what the platform offers.</summary>
public static class SourceTrees
{
    /// <summary>Opens a folder, a single file, or on Linux a block device, whose image is the file.</summary>
    /// <param name="path">Its path, resolved against the current folder; a link is followed. A name that is no text may be written
    /// as <see cref="EntryName.Escape"/> does, if nothing is there by that very name.</param>
    /// <param name="selection">What of it.</param>
    /// <exception cref="BackupException">SourceMissing, SourceNotFound, SourceUnreadable, PatternInvalid.</exception>
    public static ISourceTree Open(string path, SourceSelection selection) => Open(path, selection, OwnFolders.None);

    /// <summary>Opens a folder or a single file, and leaves out the folders of the backup itself.</summary>
    public static ISourceTree Open(string path, SourceSelection selection, OwnFolders own) => Open(path, selection, own, null);

    /// <summary>Opens a folder or a single file, to be read where a view says.</summary>
    internal static ISourceTree Open(string path, SourceSelection selection, OwnFolders own, SourceView? view)
    {
        ArgumentNullException.ThrowIfNull(own);
        if (string.IsNullOrEmpty(path))
        {
            throw new BackupException(
                BackupErrorId.SourceMissing, "A source without a name was given.", "Name the folder or file to back up.");
        }

        if (OperatingSystem.IsWindows())
        {
            return WindowsSourceTree.Open(WindowsPath.Normalize(path), selection, own, view);
        }

        byte[] root = UnixPath.Resolve(path);
        return view is null && BlockDeviceSource.IsAt(root)
            ? BlockDeviceSource.Open(root, selection, MountTable.Read())
            : UnixSourceTree.Open(UnixSystem.Current, root, selection, own, view);
    }

    /// <summary>Whether a source is a disk, and not files: nothing is asked of the volume that its path lies on.</summary>
    internal static bool IsDisk(string path) => OperatingSystem.IsLinux() && !string.IsNullOrEmpty(path) && BlockDeviceSource.IsAt(UnixPath.Resolve(path));

    /// <summary>The path of a source's root as a recovery point has it. The disk is looked at only where the path has a '..' or is relative.</summary>
    internal static string RootPathOf(string path) => OperatingSystem.IsWindows()
        ? EntryName.Escape(WtfName.ToBytes(WindowsPath.Normalize(path)))
        : EntryName.Escape(UnixPath.Resolve(path));

    /// <summary>
    /// Which of several sources lie in another one and are read with it: each is named with the one that covers it. The same folder twice counts as well.
    /// </summary>
    /// <param name="sources">Paths and what is selected of each.</param>
    internal static IReadOnlyDictionary<int, int> FindCovered(IReadOnlyList<(string Path, SourceSelection Selection)> sources)
    {
        var covered = new Dictionary<int, int>();
        if (sources.Count < 2 || OperatingSystem.IsWindows())
        {
            return covered;
        }

        byte[][] roots = [.. sources.Select(source => string.IsNullOrEmpty(source.Path) ? [] : UnixPath.Resolve(source.Path))];
        for (int inner = 0; inner < roots.Length; inner++)
        {
            for (int outer = 0; outer < roots.Length && !covered.ContainsKey(inner); outer++)
            {
                bool isCovered = inner != outer && !covered.ContainsKey(outer) && roots[outer].Length > 0
                    && (roots[inner].AsSpan().SequenceEqual(roots[outer])
                        ? outer < inner && sources[outer].Selection == sources[inner].Selection
                        : UnixSourceNesting.Takes(UnixSystem.Current, roots[outer], sources[outer].Selection, roots[inner]));
                if (isCovered)
                {
                    covered.Add(inner, outer);
                }
            }
        }

        return covered;
    }
}
