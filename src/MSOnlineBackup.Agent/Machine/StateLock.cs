using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Agent.Machine;

/// <summary>
/// A lock among the threads and processes of this machine: a file that is held open. The operating system lets go of it with
/// the process, however that ends, so no crash leaves one behind.
/// </summary>
internal static class StateLock
{
    private const int LinuxWouldBlock = 11;
    private const int MacWouldBlock = 35;
    private const int WindowsSharingViolation = unchecked((int)0x80070020);

    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan _pause = TimeSpan.FromMilliseconds(20);

    /// <summary>Takes a lock that is only held for moments.</summary>
    /// <exception cref="BackupException">StateAccessDenied: it is not let go.</exception>
    public static IDisposable Enter(string path)
    {
        long begun = TimeProvider.System.GetTimestamp();
        var spin = new SpinWait();
        while (true)
        {
            if (TryEnter(path) is { } entered)
            {
                return entered;
            }

            if (TimeProvider.System.GetElapsedTime(begun) > _patience)
            {
                throw new BackupException(
                    BackupErrorId.StateAccessDenied,
                    $"Another process has held '{path}' for more than {_patience.TotalSeconds} seconds.",
                    "End any MSOnlineBackup process that hangs, then try again.",
                    path,
                    transient: true);
            }

            spin.SpinOnce();
        }
    }

    /// <summary>Takes a lock that may be held for long, while somebody sends something to a vault.</summary>
    public static async Task<IDisposable> EnterAsync(string path, CancellationToken cancellationToken)
    {
        while (true)
        {
            if (TryEnter(path) is { } entered)
            {
                return entered;
            }

            await Task.Delay(_pause, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Takes a lock; null where somebody has it.</summary>
    public static FileStream? TryEnter(string path)
    {
        try
        {
            return PrivateFile.Open(path, FileMode.OpenOrCreate);
        }
        catch (IOException e) when (e.HResult is LinuxWouldBlock or MacWouldBlock or WindowsSharingViolation)
        {
            return null;
        }
    }
}
