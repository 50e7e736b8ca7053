using System.Runtime.InteropServices;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Platform.Windows;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Engine.Restore.Targets.Windows;

/// <summary>What a Win32 error means for a restore.</summary>
internal static class WindowsRestoreError
{
    /// <summary>Why an item could not be written.</summary>
    public static BackupException OfItem(int error, string path) => error switch
    {
        WindowsNative.DiskFull or WindowsNative.HandleDiskFull or WindowsNative.QuotaExceeded => new BackupException(
            BackupErrorId.RestoreTargetFull,
            $"'{path}' could not be written: {Marshal.GetPInvokeErrorMessage(error)}",
            "Make room at the target, then run the restore again; it continues where it stopped.",
            path),
        WindowsNative.AccessDenied or WindowsNative.WriteProtected => new BackupException(
            BackupErrorId.RestoreTargetUnwritable,
            $"'{path}' could not be written: {Marshal.GetPInvokeErrorMessage(error)}",
            "Restore into a folder that this account may write, or run the restore as an administrator.",
            path),
        WindowsNative.FileExists or WindowsNative.AlreadyExists => new BackupException(
            BackupErrorId.RestoreItemExists,
            $"'{path}' already exists.",
            "Remove or rename it, choose another way to handle existing items, or restore into an empty folder.",
            path),
        _ => new BackupException(
            BackupErrorId.RestoreItemFailed,
            $"'{path}' could not be restored: {Marshal.GetPInvokeErrorMessage(error)}",
            "Remove the cause, or restore the item to another folder or volume.",
            path),
    };

    /// <summary>The item is of a kind that Windows does not have.</summary>
    public static BackupException NotPossible(string path) => new(
        BackupErrorId.RestoreItemFailed,
        $"'{path}' could not be restored: Windows does not support items of this kind.",
        "Restore it on Linux or macOS.",
        path);

    /// <summary>A link stands where a folder of the path should.</summary>
    public static BackupException LinkInTheWay(string path) => new(
        BackupErrorId.RestoreTargetInvalid,
        $"'{path}' is a link or junction where the restore needs a folder: following it could write outside the target.",
        "Remove the link, or restore into an empty folder.",
        path);

    /// <summary>Windows has no such time.</summary>
    public static BackupException TimeOutOfRange(ItemTime time, string path) => new(
        BackupErrorId.RestoreMetadataFailed,
        $"The time of '{path}' could not be set: Windows cannot hold {time}.",
        "If the time matters, restore the item on Linux or macOS.",
        path);

    /// <summary>A stream that stands in an entry could not be written.</summary>
    public static BackupException OfStream(BackupException fault, string stream, string path) => new(
        BackupErrorId.RestoreMetadataFailed,
        $"The stream '{stream}' of '{path}' could not be set: {fault.Message}",
        "If it matters, restore the item onto a volume that has streams.",
        path);

    /// <summary>Something of an item's metadata could not be set.</summary>
    public static BackupException OfMetadata(int error, string what, string path) => new(
        BackupErrorId.RestoreMetadataFailed,
        $"{what} of '{path}' could not be set: {Marshal.GetPInvokeErrorMessage(error)}",
        "If this metadata matters, run the restore as an administrator, onto a volume that supports it.",
        path);
}
