using System.Globalization;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.VirtualMachines.Sockets;

namespace MSOnlineBackup.VirtualMachines.Instant;

/// <summary>The folder of a machine that runs from a recovery point. One process at a time sees to the machine, and holds its lock; the machine itself outlives that.</summary>
internal sealed class InstantFolder : IDisposable
{
    private const string RecordName = "instant.json";
    private const string LockName = "lock";

    private readonly FileStream _lock;

    private InstantFolder(string path, FileStream held) => (Path, _lock) = (path, held);

    /// <summary>The folder.</summary>
    public string Path { get; }

    /// <summary>The monitor that is the owner's.</summary>
    public string Monitor => In("qmp.sock");

    /// <summary>The monitor that the taking over of disks has.</summary>
    public string OwnMonitor => In("obengine.sock");

    /// <summary>The socket of the screen (VNC).</summary>
    public string Screen => In("vnc.sock");

    /// <summary>Where QEMU writes what goes wrong.</summary>
    public string Log => In("qemu.log");

    /// <summary>QEMU's process id.</summary>
    public string ProcessId => In("qemu.pid");

    /// <summary>The image of a disk.</summary>
    public string ImageOf(InstantDisk disk) => In(disk.Image);

    /// <summary>Where a disk of the point is served.</summary>
    public string SocketOf(int disk) => In(string.Create(CultureInfo.InvariantCulture, $"disk{disk}.sock"));

    /// <summary>What is on record in a folder; null where nothing is.</summary>
    /// <exception cref="BackupException">RestoreTargetInvalid: it cannot be read.</exception>
    public static InstantRecord? Find(string folder)
    {
        string path = System.IO.Path.Combine(System.IO.Path.GetFullPath(folder), RecordName);
        try
        {
            return File.Exists(path) ? InstantRecord.Read(File.ReadAllBytes(path)) ?? throw Invalid(folder, $"its '{RecordName}' is not that of a machine that runs from a recovery point", null) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Invalid(folder, e.Message.TrimEnd('.'), e);
        }
    }

    /// <summary>Holds a folder, which is made where there is none.</summary>
    /// <exception cref="BackupException">RestoreTargetInvalid: it has something else, or cannot be written; VirtualMachineUnfit: its path is too long; VirtualMachineBusy: another process sees to its machine.</exception>
    public static InstantFolder Hold(string folder)
    {
        string path = System.IO.Path.GetFullPath(folder);
        LocalSocket.CheckPath(System.IO.Path.Combine(path, "obengine.sock"));
        try
        {
            if (!Directory.Exists(path))
            {
                if (OperatingSystem.IsWindows())
                {
                    Directory.CreateDirectory(path);
                }
                else
                {
                    // Whoever can reach the monitor can do anything with the machine.
                    Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
                }
            }
            else if (Find(path) is null && Directory.EnumerateFileSystemEntries(path).Any(entry => System.IO.Path.GetFileName(entry) != LockName))
            {
                throw Invalid(folder, "it is not empty", null);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Invalid(folder, e.Message.TrimEnd('.'), e);
        }

        try
        {
            return new InstantFolder(path, new FileStream(System.IO.Path.Combine(path, LockName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (UnauthorizedAccessException e)
        {
            throw Invalid(folder, e.Message.TrimEnd('.'), e);
        }
        catch (IOException e)
        {
            throw new BackupException(
                BackupErrorId.VirtualMachineBusy, $"Another process sees to the machine in '{folder}', or its lock cannot be had: {e.Message}", "Wait for it, or end it.", folder, transient: true, innerException: e);
        }
    }

    /// <summary>What is on record; null where nothing is.</summary>
    public InstantRecord? Read() => Find(Path);

    /// <summary>Puts on record, as a whole or not at all.</summary>
    /// <exception cref="BackupException">RestoreTargetInvalid.</exception>
    public void Write(InstantRecord record)
    {
        try
        {
            string fresh = In(RecordName + ".new");
            using (var file = new FileStream(fresh, FileMode.Create, FileAccess.Write))
            {
                file.Write(record.ToJson());
                file.Flush(flushToDisk: true);
            }

            File.Move(fresh, In(RecordName), overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Invalid(Path, e.Message.TrimEnd('.'), e);
        }
    }

    /// <summary>Removes a socket that a process has left that was killed: nobody else sees to this machine now.</summary>
    public static void Clear(string socket)
    {
        if (!LocalSocket.IsListening(socket))
        {
            File.Delete(socket);
        }
    }

    /// <summary>The path of a file.</summary>
    public string In(string name) => System.IO.Path.Combine(Path, name);

    /// <inheritdoc/>
    public void Dispose() => _lock.Dispose();

    private static BackupException Invalid(string folder, string why, Exception? cause) => new(
        BackupErrorId.RestoreTargetInvalid, $"The folder '{folder}' cannot have the machine: {why}.", "Name a folder that is empty or does not exist yet, or the one that the machine was started in.", folder, innerException: cause);
}
