using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace MSOnlineBackup.Platform.Folders;

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

    /// <summary>Gives a file another name on the same file system; on Windows the name is on the disk when it returns.</summary>
    /// <param name="path">The full path of the file.</param>
    /// <param name="newPath">The full path that it gets.</param>
    /// <param name="replace">Whether what has that name is replaced.</param>
    /// <exception cref="IOException">It cannot; HResult says why.</exception>
    public static void Move(string path, string newPath, bool replace)
    {
        if (!OperatingSystem.IsWindows())
        {
            File.Move(path, newPath, replace);
            return;
        }

        const uint WriteThrough = 8;
        const uint ReplaceExisting = 1;
        if (!MoveFile(Extended(path), Extended(newPath), WriteThrough | (replace ? ReplaceExisting : 0)))
        {
            int error = Marshal.GetLastPInvokeError();
            throw error is 2 or 3
                ? new FileNotFoundException(Marshal.GetPInvokeErrorMessage(error), path)
                : error == 5
                    ? new UnauthorizedAccessException(Marshal.GetPInvokeErrorMessage(error))
                    : new IOException(Marshal.GetPInvokeErrorMessage(error), unchecked((int)0x8007_0000) | error);
        }
    }

    /// <summary>Makes the names in a folder durable. Windows does that with the file, and with <see cref="Move"/>.</summary>
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

    // Without the limit of 260 characters; there only backslashes separate names.
    private static string Extended(string path)
    {
        string native = path.Replace('/', '\\');
        return native.StartsWith(@"\\?\", StringComparison.Ordinal) ? native
            : native.StartsWith(@"\\", StringComparison.Ordinal) ? @"\\?\UNC" + native[1..]
            : @"\\?\" + native;
    }

    [LibraryImport("kernel32", EntryPoint = "MoveFileExW", SetLastError = true, StringMarshalling = StringMarshalling.Utf16)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool MoveFile(string path, string newPath, uint flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int FileSync(int handle);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial int FileControl(int handle, int command);
}
