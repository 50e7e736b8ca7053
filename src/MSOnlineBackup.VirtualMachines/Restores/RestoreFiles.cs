using MSOnlineBackup.Platform.Folders;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;

namespace MSOnlineBackup.VirtualMachines.Restores;

/// <summary>Files that a restore of a machine writes: under another name until they are whole.</summary>
internal static class RestoreFiles
{
    /// <summary>The name of a file until it is whole. It tells of which recovery point it is, and whose it is.</summary>
    public static string StagedName(string file, SessionId session) => $"{file}.new-{session}";

    /// <summary>Removes what a restore that was killed has left under the name; refuses where it goes on.</summary>
    /// <exception cref="BackupException">MachineTargetTaken: another restore writes it now. RestoreTargetUnwritable.</exception>
    public static async Task ClearAsync(string staged, CancellationToken cancellationToken)
    {
        if (!File.Exists(staged))
        {
            return;
        }

        await ImageLock.RequireFreeAsync(
            staged, _ => new BackupException(BackupErrorId.MachineTargetTaken, $"Another restore writes '{staged}' now.", "Wait for it to end.", staged), cancellationToken).ConfigureAwait(false);
        try
        {
            File.Delete(staged);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Failed(staged, e);
        }
    }

    /// <summary>Gives a file that is whole its name.</summary>
    /// <exception cref="BackupException">MachineTargetTaken: there is one meanwhile, and it is not to be replaced. RestoreTargetUnwritable.</exception>
    public static void Publish(string staged, string file, bool replace)
    {
        try
        {
            Durability.Move(staged, file, replace);
            Durability.FlushFolder(Path.GetDirectoryName(Path.GetFullPath(file))!);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw !replace && File.Exists(file) ? Taken(file) : Failed(file, e);
        }
    }

    /// <summary>Writes a small file as a whole.</summary>
    /// <exception cref="BackupException">RestoreTargetFull, RestoreTargetUnwritable.</exception>
    public static void Write(string staged, ReadOnlySpan<byte> content, bool isProgram = false)
    {
        try
        {
            using (var stream = new FileStream(staged, FileMode.CreateNew, FileAccess.Write, FileShare.None))
            {
                stream.Write(content);
                stream.Flush(flushToDisk: true);
            }

            if (isProgram && !OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(staged, File.GetUnixFileMode(staged) | UnixFileMode.UserExecute);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Failed(staged, e);
        }
    }

    /// <summary>Removes a file of this restore's, where it is there. What cannot be removed is found by its name.</summary>
    public static void TryDelete(string file)
    {
        try
        {
            File.Delete(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The error that brought us here is told; the next restore of the point removes the file.
        }
    }

    /// <summary>The error of a file that is there.</summary>
    public static BackupException Taken(string file) => new(
        BackupErrorId.MachineTargetTaken, $"'{file}' is there already.", "Choose another name or folder, or --force (-Force) to have it replaced.", file);

    /// <summary>The error of a disk that is full.</summary>
    public static BackupException Full(string file, string why, Exception? cause = null) => new(
        BackupErrorId.RestoreTargetFull, $"There is no room for '{file}': {why}", "Make room, or restore to another place. Nothing of it was left.", file, innerException: cause);

    /// <summary>The error of a file that cannot be written.</summary>
    public static BackupException Failed(string file, Exception cause) => cause is IOException && (cause.HResult & 0xFFFF) is NoSpaceUnix or NoSpaceWindows
        ? Full(file, cause.Message, cause)
        : new BackupException(BackupErrorId.RestoreTargetUnwritable, $"'{file}' cannot be written: {cause.Message}", "See to the folder and its permissions.", file, innerException: cause);

    private const int NoSpaceUnix = 28;
    private const int NoSpaceWindows = 112;
}
