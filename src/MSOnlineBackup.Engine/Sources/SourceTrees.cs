using System.Text;
using MSOnlineBackup.Engine.Errors;
using MSOnlineBackup.Engine.RecoveryPoints;
using MSOnlineBackup.Engine.Sources.Unix;
using MSOnlineBackup.Engine.Sources.Windows;

namespace MSOnlineBackup.Engine.Sources;

/// <summary>Opens sources with what the platform offers.</summary>
public static class SourceTrees
{
    /// <summary>Opens a folder or a single file.</summary>
    /// <param name="path">Its path, resolved against the current folder; a link is followed. A name that is no text may be written
    /// as <see cref="EntryName.Escape"/> does, if nothing is there by that very name.</param>
    /// <param name="selection">What of it.</param>
    /// <exception cref="BackupException">SourceMissing, SourceNotFound, SourceUnreadable, PatternInvalid.</exception>
    public static ISourceTree Open(string path, SourceSelection selection)
    {
        if (string.IsNullOrEmpty(path))
        {
            throw new BackupException(
                BackupErrorId.SourceMissing, "A source without a name was given.", "Name the folder or file to back up.");
        }

        if (OperatingSystem.IsWindows())
        {
            return WindowsSourceTree.Open(WindowsPath.Normalize(path), selection);
        }

        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));

        if (full.Contains(@"\x", StringComparison.Ordinal) && !Path.Exists(full))
        {
            return UnixSourceTree.Open(UnixSystem.Current, EntryName.Unescape(full), selection);
        }

        return UnixSourceTree.Open(UnixSystem.Current, Encoding.UTF8.GetBytes(full), selection);
    }
}
