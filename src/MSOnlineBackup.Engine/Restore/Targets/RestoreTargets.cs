using System.Text;
using MSOnlineBackup.Engine.Restore.Targets.Unix;
using MSOnlineBackup.Engine.Restore.Targets.Windows;
using MSOnlineBackup.Platform.Unix;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Engine.Restore.Targets;

/// <summary>Opens folders to restore into with what the platform offers.</summary>
internal static class RestoreTargets
{
    /// <summary>Opens a folder, which is created where it is missing.</summary>
    /// <param name="folder">Its path, resolved against the current folder; a link that leads to it is followed.</param>
    /// <param name="skipSecurity">Whether owner, permissions and access lists are left as new items have them.</param>
    /// <param name="vault">The folder of the vault, which nothing is restored into; null, or what is no folder, for none.</param>
    /// <exception cref="BackupException">RestoreTargetInvalid where it is a file or in the vault, RestoreTargetUnwritable where it cannot be created or
    /// opened.</exception>
    public static IRestoreTarget Open(string folder, bool skipSecurity = false, string? vault = null)
    {
        (string full, string? vaultFolder) = Check(folder, vault);
        try
        {
            Directory.CreateDirectory(full);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new BackupException(
                BackupErrorId.RestoreTargetUnwritable,
                $"The target folder '{full}' could not be created: {exception.Message}",
                "Name a folder that this account may write, or run the restore as another account.",
                full,
                innerException: exception);
        }

        return OperatingSystem.IsWindows()
            ? WindowsRestoreTarget.Open(full, skipSecurity)
            : UnixRestoreTarget.Open(UnixSystem.Current, Encoding.UTF8.GetBytes(full), skipSecurity, vaultFolder is null ? null : IdentityOf(vaultFolder));
    }

    /// <summary>Opens a folder to look at what is in it; null where it is missing, and nothing is created.</summary>
    /// <exception cref="BackupException">As <see cref="Open"/>.</exception>
    public static IRestoreTarget? OpenExisting(string folder, bool skipSecurity, string? vault)
    {
        (string full, _) = Check(folder, vault);
        return Path.Exists(full) ? Open(folder, skipSecurity, vault) : null;
    }

    private static (string Folder, string? Vault) Check(string folder, string? vault)
    {
        if (string.IsNullOrEmpty(folder))
        {
            throw new BackupException(
                BackupErrorId.RestoreTargetInvalid, "No target folder was named.", "Name the folder to restore into.");
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

        string? vaultFolder = vault is not null && Directory.Exists(vault) ? Path.GetFullPath(vault) : null;
        if (vaultFolder is not null)
        {
            CheckOutside(full, vaultFolder);
        }

        return (full, vaultFolder);
    }

    // Before anything is created there. Part of the vault can be mounted elsewhere, where no way up leads into the vault.
    private static void CheckOutside(string folder, string vault)
    {
        StringComparison comparison = OperatingSystem.IsLinux() ? StringComparison.Ordinal : StringComparison.OrdinalIgnoreCase;
        char separator = Path.DirectorySeparatorChar;
        bool isWithin = (folder.TrimEnd(separator) + separator).StartsWith(vault.TrimEnd(separator) + separator, comparison);
        if (!isWithin && !OperatingSystem.IsWindows())
        {
            string nearest = folder;
            while (!Directory.Exists(nearest))
            {
                nearest = Path.GetDirectoryName(nearest)!;
            }

            var parts = new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true, AttributesToSkip = FileAttributes.ReparsePoint };
            isWithin = IdentityOf(nearest) is { } target && IdentityOf(vault) is { } own && target.Device == own.Device
                && Directory.EnumerateDirectories(vault, "*", parts).Prepend(vault).Any(part => IdentityOf(part) is { } inner && inner.IsSameInode(target));
        }

        if (isWithin)
        {
            throw UnixRestoreError.IsVault(Encoding.UTF8.GetBytes(folder));
        }
    }

    private static UnixStat? IdentityOf(string folder)
    {
        int handle = UnixSystem.Current.OpenBase(-1, Encoding.UTF8.GetBytes(folder), followLink: true);
        if (handle < 0)
        {
            return null;
        }

        int result = UnixSystem.Current.Stat(handle, out UnixStat stat);
        UnixSystem.Close(handle);
        return result < 0 ? null : stat;
    }
}
