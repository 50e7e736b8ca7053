using Microsoft.Win32.SafeHandles;
using MSOnlineBackup.Platform.Folders;

namespace MSOnlineBackup.Agent.Workloads;

/// <summary>The account that something belongs to. On Windows, where no workloads are, nothing has one.</summary>
/// <param name="User">The account's number.</param>
/// <param name="Group">Its group's.</param>
internal readonly record struct FileOwner(uint User, uint Group)
{
    /// <summary>Whose a file, folder or socket is; null where it is not there.</summary>
    public static FileOwner? Of(string path) => !OperatingSystem.IsWindows() && FolderNative.TryStat(path) is { } status ? new FileOwner(status.User, status.Group) : null;

    /// <summary>Gives it a folder. Only root can, and only root needs to.</summary>
    public void TakeFolder(string path)
    {
        if (!OperatingSystem.IsWindows())
        {
            using SafeFileHandle handle = FolderNative.OpenFolder(path);
            Take(handle);
        }
    }

    /// <summary>Gives it what is open, likewise.</summary>
    public void Take(SafeFileHandle handle)
    {
        if (!OperatingSystem.IsWindows() && Environment.IsPrivilegedProcess)
        {
            FolderNative.ChangeOwner(handle, User, Group);
        }
    }
}
