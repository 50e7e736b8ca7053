using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Mounts.Fuse;

/// <summary>What is said where a point cannot be mounted, or a mount not be taken off.</summary>
internal static class MountErrors
{
    private const string OverWebDav = "Or show the point over WebDAV, which needs nothing of the system: 'obengine serve webdav'.";

    /// <summary>There is no FUSE.</summary>
    public static BackupException Unavailable(string folder) => new(
        BackupErrorId.MountUnavailable,
        OperatingSystem.IsLinux() ? $"Nothing can be mounted on '{folder}': this system has no /dev/fuse." : "Recovery points are mounted by FUSE, which this system does not have.",
        (OperatingSystem.IsLinux() ? "Load the kernel's module 'fuse', or give the container the device. " : string.Empty) + OverWebDav,
        folder);

    /// <summary>Who is not root needs a program that is not there.</summary>
    public static BackupException NoHelper(string folder) => new(
        BackupErrorId.MountUnavailable,
        $"Nothing can be mounted on '{folder}': you are not root, and the program fusermount3 is not there.",
        $"Install your distribution's package fuse3, or run this as root. {OverWebDav}",
        folder);

    /// <summary>Writing needs what only root may.</summary>
    public static BackupException NotWritable(string folder) => new(
        BackupErrorId.MountUnavailable,
        $"'{folder}' cannot be mounted so that it can be written to: that takes an overlay of Linux, which only root may mount.",
        "Mount it as root, or only to be read.",
        folder);

    /// <summary>The folder does not serve.</summary>
    public static BackupException Folder(string folder, string why, Exception? inner = null) => new(
        BackupErrorId.MountFolderInvalid,
        $"Nothing can be mounted on '{folder}': {why}.",
        "Name an empty folder, or one that does not exist yet.",
        folder,
        innerException: inner);

    /// <summary>Somebody is in it: said is who, as far as this user sees it.</summary>
    public static BackupException Busy(string folder)
    {
        IReadOnlyList<string> holders = MountHolders.Find(folder);
        return new BackupException(
            BackupErrorId.MountBusy,
            holders.Count > 0
                ? $"'{folder}' cannot be unmounted: {string.Join(", ", holders)} {(holders.Count == 1 ? "has" : "have")} a file of it open, or {(holders.Count == 1 ? "works" : "work")} in it."
                : $"'{folder}' cannot be unmounted: a program has a file of it open, or works in it.",
            $"Leave the folder and close the programs{(holders.Count > 0 ? string.Empty : $" ('fuser -vm {folder}' shows them)")}. With -Force or --force it goes at once, and they get errors.",
            folder);
    }

    /// <summary>The system said no.</summary>
    public static BackupException Failed(string folder, string why) => new(
        BackupErrorId.MountFailed, $"The system refused to mount on '{folder}': {why.TrimEnd('.')}.", "See to what it says, and try again.", folder);
}
