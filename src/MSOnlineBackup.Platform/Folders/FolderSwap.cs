using System.Runtime.InteropServices;

namespace MSOnlineBackup.Platform.Folders;

/// <summary>Two folders exchange their names in one step.</summary>
internal static partial class FolderSwap
{
    private const int CrossDevice = 18;
    private const int Invalid = 22;
    private const uint Exchange = 2;

    private static readonly int _here = OperatingSystem.IsMacOS() ? -2 : -100;
    private static readonly int[] _unable = OperatingSystem.IsMacOS() ? [CrossDevice, Invalid, 45, 78] : [CrossDevice, Invalid, 38, 95];

    /// <summary>Exchanges the names of two folders of one file system. At no moment does either name have no folder.</summary>
    /// <param name="path">The full path of one.</param>
    /// <param name="other">The full path of the other.</param>
    /// <returns>False where the system or the file system cannot do that in one step: nothing was changed. Windows never can.</returns>
    /// <exception cref="IOException">It was refused, or <see cref="UnauthorizedAccessException"/>; nothing was changed.</exception>
    public static bool TryExchange(string path, string other)
    {
        if (OperatingSystem.IsWindows())
        {
            return false;
        }

        int result;
        try
        {
            result = OperatingSystem.IsMacOS() ? RenameAtX(_here, path, _here, other, Exchange) : RenameAt2(_here, path, _here, other, Exchange);
        }
        catch (EntryPointNotFoundException)
        {
            // Older C libraries have no wrapper for it.
            return false;
        }

        if (result == 0)
        {
            return true;
        }

        int error = Marshal.GetLastPInvokeError();
        string message = $"'{path}' and '{other}' cannot be exchanged: {Marshal.GetPInvokeErrorMessage(error)}";
        return _unable.Contains(error) ? false : throw (error is 1 or 13 ? new UnauthorizedAccessException(message) : new IOException(message, error));
    }

    [LibraryImport("libc", EntryPoint = "renameat2", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int RenameAt2(int folder, string path, int newFolder, string newPath, uint flags);

    [LibraryImport("libc", EntryPoint = "renameatx_np", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int RenameAtX(int folder, string path, int newFolder, string newPath, uint flags);
}
