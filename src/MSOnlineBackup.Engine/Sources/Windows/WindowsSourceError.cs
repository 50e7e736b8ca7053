using System.Runtime.InteropServices;
using MSOnlineBackup.Platform.Volumes;
using MSOnlineBackup.Platform.Windows;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Engine.Sources.Windows;

/// <summary>What a Win32 error means for an item, or for the root, of a source.</summary>
internal static class WindowsSourceError
{
    /// <summary>Why an item could not be read.</summary>
    public static BackupException OfItem(int error, string path) => error switch
    {
        WindowsNative.NotFound or WindowsNative.PathNotFound => new BackupException(
            BackupErrorId.SourceItemVanished,
            $"'{path}' vanished between listing and reading.",
            "If it was deleted or moved on purpose, nothing needs to be done: the next backup finds it in its new place.",
            path),
        WindowsNative.NotDirectory => Replaced(path),
        _ => new BackupException(
            BackupErrorId.SourceItemUnreadable,
            $"'{path}' could not be read: {Marshal.GetPInvokeErrorMessage(error)}",
            ActionFor(error),
            path,
            transient: error == WindowsNative.SharingViolation),
    };

    /// <summary>Something else stands where the item was.</summary>
    public static BackupException Replaced(string path) => new(
        BackupErrorId.SourceItemChanged,
        $"'{path}' was replaced by something of another kind while it was being read.",
        "Run the backup again when nothing is replacing items in this folder.",
        path);

    /// <summary>A volume is mounted there of which no snapshot was looked for.</summary>
    public static BackupException MountedMeanwhile(string path) => new(
        BackupErrorId.SourceItemChanged,
        $"A volume was mounted at '{path}' while the snapshots of the backup were taken.",
        "Run the backup again: the next one has it.",
        path);

    /// <summary>Why the root could not be read.</summary>
    public static BackupException OfRoot(int error, string path) =>
        error is WindowsNative.NotFound or WindowsNative.PathNotFound or WindowsNative.InvalidName or WindowsNative.NotDirectory
            ? new BackupException(
                BackupErrorId.SourceNotFound,
                $"The source '{path}' does not exist.",
                "Check the path. If it is on a separate volume, attach that volume.",
                path)
            : error == WindowsVolumeReader.LockedVolume ? new BackupException(
                BackupErrorId.SourceLocked,
                $"The source '{path}' is encrypted and locked (BitLocker).",
                "Unlock the volume (Unlock-BitLocker) and run the backup again. Earlier recovery points keep what they have of it.",
                path)
            : new BackupException(
                BackupErrorId.SourceUnreadable,
                $"The source '{path}' could not be read: {Marshal.GetPInvokeErrorMessage(error)}",
                ActionFor(error),
                path);

    /// <summary>The root is a device: a disk, a volume as such, a pipe.</summary>
    public static BackupException Device(string path) => new(
        BackupErrorId.SourceUnreadable,
        $"The source '{path}' is a device, not a folder or a file.",
        @"Name a folder, or the root of a volume, which ends in a backslash: C:\.",
        path);

    private static string ActionFor(int error) => error switch
    {
        WindowsNative.AccessDenied => "Run the backup as an administrator or as an account that may read it, or exclude it.",
        WindowsNative.SharingViolation => "Close the program that has it open, or back it up when that program is not running.",
        _ => "Check the event log for problems with the volume, then run the backup again. Or exclude the item.",
    };
}
