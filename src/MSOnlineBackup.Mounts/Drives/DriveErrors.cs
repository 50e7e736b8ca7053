using MSOnlineBackup.Platform.Windows;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Mounts.Drives;

/// <summary>What is said where a drive letter cannot be had, or not be given back.</summary>
internal static class DriveErrors
{
    private const string Otherwise = "Or mount on an empty folder, which takes the feature Client-ProjFS of Windows; or restore.";

    /// <summary>The letter stands for something else.</summary>
    public static BackupException Taken(string drive, string? remote) => new(
        BackupErrorId.MountFolderInvalid,
        remote is null ? $"Nothing can be mounted as '{drive}': the drive letter is in use." : $"Nothing can be mounted as '{drive}': the drive letter stands for '{remote}'.",
        "Name a drive letter that is free ('Get-PSDrive -PSProvider FileSystem' and 'net use' show those in use), or an empty folder.",
        drive);

    /// <summary>Drives are of one session.</summary>
    public static BackupException OnlyYours(string drive) => new(
        BackupErrorId.MountUnavailable, $"'{drive}' cannot be shown to other users: a drive letter is of the session alone in which it is mounted.", "Leave that out, or mount on an empty folder.", drive);

    /// <summary>Nothing writes.</summary>
    public static BackupException NotWritable(string drive) => new(
        BackupErrorId.MountUnavailable, $"'{drive}' cannot be mounted so that it can be written to: that takes an overlay of Linux.", "Mount it only to be read, and copy what is to be changed.", drive);

    /// <summary>Somebody is in it.</summary>
    public static BackupException Busy(string drive) => new(
        BackupErrorId.MountBusy,
        $"'{drive}' cannot be unmounted: a program has a file of it open, or works in it.",
        "Leave the drive, and close the programs and windows of Explorer that show it. With -Force or --force it goes at once, and they get errors.",
        drive);

    /// <summary>It is still there.</summary>
    public static BackupException Stays(string drive, int error, string text) => new(
        BackupErrorId.MountFailed, $"Windows refused to take off '{drive}': {Say(error, text)}.", $"Take it off with 'net use {drive} /delete', or sign out.", drive);

    /// <summary>Windows did not map the drive.</summary>
    /// <param name="drive">The drive.</param>
    /// <param name="error">A Win32 error.</param>
    /// <param name="text">What Windows calls it.</param>
    /// <param name="service">How the service stands that it takes.</param>
    public static BackupException Refused(string drive, int error, string text, WebClientService service)
    {
        if (error is NetworkError.AlreadyAssigned or NetworkError.AlreadyRemembered)
        {
            return Taken(drive, null);
        }

        (string why, string action)? missing = !NetworkError.SaysNobodyIsThere(error) ? null : service switch
        {
            WebClientService.Absent => (
                "this Windows has no service 'WebClient', which drives by WebDAV take",
                "On a server install it as an administrator (Install-WindowsFeature WebDAV-Redirector), and restart. "),
            WebClientService.Disabled => (
                "the service 'WebClient', which drives by WebDAV take, is disabled",
                "Enable it as an administrator: Set-Service WebClient -StartupType Manual; Start-Service WebClient. "),
            WebClientService.Stopped => (
                "the service 'WebClient', which drives by WebDAV take, does not run and was not started",
                "Start it as an administrator: Start-Service WebClient. "),
            _ => null,
        };
        return missing is { } one
            ? new BackupException(BackupErrorId.MountUnavailable, $"Nothing can be mounted as '{drive}': {one.why} ({Say(error, text)}).", one.action + Otherwise, drive)
            : new BackupException(BackupErrorId.MountFailed, $"Windows refused to mount '{drive}': {Say(error, text)}.", $"See to what it says, and try again. {Otherwise}", drive);
    }

    private static string Say(int error, string text) => $"{text.TrimEnd('.', ' ', '\r', '\n')} (error {error})";
}
