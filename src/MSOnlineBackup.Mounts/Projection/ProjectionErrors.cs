using MSOnlineBackup.Platform.Windows;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Mounts.Projection;

/// <summary>What is said where a folder of Windows cannot show a point, or cannot be had back.</summary>
internal static class ProjectionErrors
{
    private const string Other = "mount a drive letter, which needs no feature: -Path R:, or 'obengine mount POINT R:'";

    /// <summary>There is no ProjFS.</summary>
    public static BackupException Unavailable(string folder, string obstacle) => new(
        BackupErrorId.MountUnavailable,
        $"Nothing can be mounted on '{folder}': {char.ToLowerInvariant(obstacle[0])}{obstacle[1..].TrimEnd('.')}.",
        $"Add it as an administrator (Enable-WindowsOptionalFeature -Online -FeatureName Client-ProjFS -NoRestart; from Windows 10 1809 on). Or {Other}.",
        folder);

    /// <summary>Nothing writes.</summary>
    public static BackupException NotWritable(string folder) => new(
        BackupErrorId.MountUnavailable, $"'{folder}' cannot be mounted so that it can be written to: that takes an overlay of Linux.", "Mount it only to be read, and copy what is to be changed.", folder);

    /// <summary>The folder does not serve.</summary>
    public static BackupException Folder(string folder, string why, Exception? inner = null) => new(
        BackupErrorId.MountFolderInvalid, $"Nothing can be mounted on '{folder}': {why}.", $"Name an empty folder of NTFS, or one that does not exist yet. Or {Other}.", folder, innerException: inner);

    /// <summary>Windows said no.</summary>
    public static BackupException Refused(string folder, int result) => result == ProjectionResult.IsMarked
        ? Folder(folder, "it is a link, or another program shows something there")
        : new BackupException(
            BackupErrorId.MountFailed,
            $"Windows refused to mount on '{folder}': {ProjectionResult.Describe(result)}.",
            $"Name a folder on a local disk of NTFS. Or {Other}.",
            folder);

    /// <summary>Somebody is in it, or has put something there.</summary>
    public static BackupException Busy(string folder, LeftInFolder left) => left.Foreign is [var foreign, ..]
        ? new BackupException(
            BackupErrorId.MountBusy,
            $"'{folder}' cannot be unmounted: somebody has put '{foreign}' there.",
            $"Move it elsewhere. With -Force or --force it is put beside the folder, into '{ProjectionCleaner.AsideOf(folder)}'.",
            folder)
        : Busy(folder);

    /// <summary>Somebody is in it.</summary>
    public static BackupException Busy(string folder) => new(
        BackupErrorId.MountBusy,
        $"'{folder}' cannot be unmounted: a program has a file of it open, or works in it.",
        "Leave the folder, and close the programs and windows of Explorer that show it.",
        folder);

    /// <summary>It is unmounted, and not an ordinary folder yet.</summary>
    public static BackupException Left(string folder, string why, Exception? inner = null) => new(
        BackupErrorId.MountBusy,
        $"'{folder}' is not shown any more, but is not cleared yet: {why.TrimEnd('.')}.",
        "Close what is open in it, and list the mounts (Get-OBRecoveryMount, 'obengine mounts'): that clears it.",
        folder,
        innerException: inner);
}
