using MSOnlineBackup.Engine.Errors;

namespace MSOnlineBackup.Engine.Jobs;

/// <summary>
/// The right to run a job on this machine, which one process at a time has. The system takes it back when that process ends,
/// however it ends: nothing that is left behind blocks anybody.
/// </summary>
internal sealed class JobLock : IDisposable
{
    // EWOULDBLOCK of Linux and of macOS; sharing and lock violation of Windows.
    private static readonly int[] _taken = OperatingSystem.IsWindows() ? [32, 33] : OperatingSystem.IsMacOS() ? [35] : [11];

    private readonly FileStream _file;

    private JobLock(FileStream file) => _file = file;

    /// <summary>Takes the lock; null where somebody has it.</summary>
    /// <param name="path">The lock's file, on a local file system; it stays when the lock is given back.</param>
    /// <exception cref="BackupException">StateAccessDenied.</exception>
    public static JobLock? TryTake(string path)
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            return new JobLock(new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 1));
        }
        catch (IOException e) when (_taken.Contains(e.HResult & 0xFFFF))
        {
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BackupException(
                BackupErrorId.StateAccessDenied,
                $"The lock of this machine's jobs, '{path}', cannot be opened: {e.Message}",
                "Run as the account that this machine was registered with, and see that the state folder's disk has room.",
                path,
                innerException: e);
        }
    }

    /// <summary>Gives it back.</summary>
    public void Dispose() => _file.Dispose();
}
