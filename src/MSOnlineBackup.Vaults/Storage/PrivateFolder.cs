using System.Runtime.Versioning;
using System.Security.AccessControl;
using System.Security.Principal;

namespace MSOnlineBackup.Vaults.Storage;

/// <summary>Folders that only their owner may enter.</summary>
internal static class PrivateFolder
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>Makes one. One that is there stays as it is.</summary>
    /// <exception cref="IOException">It cannot be made.</exception>
    public static void Make(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            MakeOnWindows(path);
        }
        else
        {
            Directory.CreateDirectory(path, OwnerOnly);
        }
    }

    /// <summary>Whether somebody else than this account, the system and the administrators owns a folder, and could have put in it what is to be trusted.
    /// On Linux and macOS the place itself sees to that.</summary>
    public static bool IsForeign(string path) => OperatingSystem.IsWindows() && IsForeignOnWindows(path);

    [SupportedOSPlatform("windows")]
    private static void MakeOnWindows(string path)
    {
        if (Directory.Exists(path))
        {
            return;
        }

        // SYSTEM, administrators, and who made it; nothing inherited.
        var security = new DirectorySecurity();
        security.SetSecurityDescriptorSddlForm("D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FA;;;CO)");
        security.CreateDirectory(path);
    }

    [SupportedOSPlatform("windows")]
    private static bool IsForeignOnWindows(string path)
    {
        using WindowsIdentity account = WindowsIdentity.GetCurrent();
        IdentityReference? owner = new DirectoryInfo(path).GetAccessControl(AccessControlSections.Owner).GetOwner(typeof(SecurityIdentifier));
        return owner is SecurityIdentifier sid
            && sid != account.User
            && !sid.IsWellKnown(WellKnownSidType.LocalSystemSid)
            && !sid.IsWellKnown(WellKnownSidType.BuiltinAdministratorsSid);
    }
}
