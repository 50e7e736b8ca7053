using System.Runtime.InteropServices;

namespace MSOnlineBackup.Platform.Machine;

/// <summary>Whether a process was started with its standard streams.</summary>
public static partial class StandardStream
{
    /// <summary>
    /// Whether a standard stream was there when the process began. The number of one that was closed is given to the next
    /// file that the process opens, and what is written to it would go there. Files of its own are not for its children;
    /// what it was given itself is.
    /// </summary>
    /// <param name="descriptor">Its number on Unix.</param>
    public static bool IsOpen(int descriptor)
    {
        if (OperatingSystem.IsWindows())
        {
            return true;
        }

        const int GetFlags = 1;
        const int CloseOnExec = 1;
        int flags = FileControl(descriptor, GetFlags);
        return flags >= 0 && (flags & CloseOnExec) == 0;
    }

    [LibraryImport("libc", EntryPoint = "fcntl")]
    private static partial int FileControl(int descriptor, int command);
}
