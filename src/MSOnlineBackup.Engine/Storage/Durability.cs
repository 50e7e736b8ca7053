using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace MSOnlineBackup.Engine.Storage;

/// <summary>
/// Has the disk confirm what was written. The base library's own calls report success whatever the disk answers on Linux and macOS, which would have a job
/// report data as stored that the disk refused.
/// </summary>
internal static partial class Durability
{
    private const int Interrupted = 4;
    private const int InputOutput = 5;
    private const int Invalid = 22;
    private const int ReadOnly = 30;
    private const int FullFlush = 51;

    private static readonly int _notSupported = OperatingSystem.IsMacOS() ? 45 : 95;

    /// <summary>Returns when the content of a file, or the names in a folder, are on the disk.</summary>
    /// <exception cref="IOException">The disk refused them: what was written since the last flush is to be written anew, elsewhere. A second flush of the
    /// same file proves nothing: the system forgets what it could not write.</exception>
    public static void Flush(SafeFileHandle handle)
    {
        if (OperatingSystem.IsWindows())
        {
            RandomAccess.FlushToDisk(handle);
            return;
        }

        // On macOS, fsync leaves the data in the disk's own memory. What knows no full flush is a network's or another's file system.
        if (OperatingSystem.IsMacOS() && Repeat(static descriptor => FileControl(descriptor, FullFlush), handle) is var full && full is 0 or InputOutput)
        {
            ThrowOnFailure(full);
            return;
        }

        int error = Repeat(FileSync, handle);

        // There is nothing to flush where the file system cannot, or may not, be written.
        if (error is not (Invalid or ReadOnly) && error != _notSupported)
        {
            ThrowOnFailure(error);
        }
    }

    /// <summary>Makes the names in a folder durable. Windows does that with the file.</summary>
    /// <exception cref="IOException">The disk refused.</exception>
    public static void FlushFolder(string path)
    {
        if (!OperatingSystem.IsWindows())
        {
            using SafeFileHandle folder = FolderNative.OpenFolder(path);
            Flush(folder);
        }
    }

    private static int Repeat(Func<int, int> call, SafeFileHandle handle)
    {
        bool held = false;
        try
        {
            handle.DangerousAddRef(ref held);
            int error;
            do
            {
                error = call((int)handle.DangerousGetHandle()) < 0 ? Marshal.GetLastPInvokeError() : 0;
            }
            while (error == Interrupted);
            return error;
        }
        finally
        {
            if (held)
            {
                handle.DangerousRelease();
            }
        }
    }

    private static void ThrowOnFailure(int error)
    {
        if (error != 0)
        {
            throw new IOException(Marshal.GetPInvokeErrorMessage(error), error);
        }
    }

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int FileSync(int handle);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial int FileControl(int handle, int command);
}
