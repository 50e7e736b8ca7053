using System.Text;
using MSOnlineBackup.Engine.Errors;
using MSOnlineBackup.Engine.Restore.Targets.Unix;
using MSOnlineBackup.Engine.Restore.Targets.Windows;
using MSOnlineBackup.Engine.Sources.Unix;

namespace MSOnlineBackup.Engine.Restore.Targets;

/// <summary>Opens folders to restore into with what the platform offers.</summary>
internal static class RestoreTargets
{
    /// <summary>Opens a folder, which is created where it is missing.</summary>
    /// <param name="folder">Its path, resolved against the current folder; a link that leads to it is followed.</param>
    /// <param name="skipSecurity">Whether owner, permissions and access lists are left as new items have them.</param>
    /// <exception cref="BackupException">RestoreTargetInvalid where it is a file, RestoreTargetUnwritable where it cannot be created or opened.</exception>
    public static IRestoreTarget Open(string folder, bool skipSecurity = false)
    {
        if (string.IsNullOrEmpty(folder))
        {
            throw new BackupException(
                BackupErrorId.RestoreTargetInvalid, "No folder to restore into was named.", "Name a folder.");
        }

        string full = Path.GetFullPath(folder);
        if (File.Exists(full))
        {
            throw new BackupException(
                BackupErrorId.RestoreTargetInvalid,
                $"'{full}' is a file: nothing can be restored into it.",
                "Name a folder; it is created if it does not exist.",
                full);
        }

        try
        {
            Directory.CreateDirectory(full);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new BackupException(
                BackupErrorId.RestoreTargetUnwritable,
                $"The folder '{full}' to restore into could not be created: {exception.Message}",
                "Name a folder that this account may write, or run the restore as another account.",
                full,
                innerException: exception);
        }

        return OperatingSystem.IsWindows()
            ? WindowsRestoreTarget.Open(full, skipSecurity)
            : UnixRestoreTarget.Open(UnixSystem.Current, Encoding.UTF8.GetBytes(full), skipSecurity);
    }
}
