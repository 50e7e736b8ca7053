using System.Management.Automation;
using MSOnlineBackup.Agent.Mounting;

namespace MSOnlineBackup.Recovery;

/// <summary>Where recovery points are mounted, as a session names it.</summary>
internal static class MountPlace
{
    /// <summary>The folder by its full path, or the drive letter: that is free as long as nothing is mounted, and PowerShell knows no such drive.</summary>
    public static string Resolve(SessionState session, string path) => RecoveryMounts.DriveOf(path) ?? session.Path.GetUnresolvedProviderPathFromPSPath(path);
}
