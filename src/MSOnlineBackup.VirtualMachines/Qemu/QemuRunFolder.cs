using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using MSOnlineBackup.Platform.Unix;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.VirtualMachines.Changes;
using MSOnlineBackup.VirtualMachines.Sockets;

namespace MSOnlineBackup.VirtualMachines.Qemu;

/// <summary>The folder of a running backup: what the guest overwrites is kept there, and the socket of the disks is there. Whoever makes the backup holds its lock.</summary>
internal sealed partial class QemuRunFolder : IDisposable
{
    private const string FolderPrefix = ChangeRecord.Prefix + "vm-";
    private const string LockName = ChangeRecord.Prefix + "lock";
    private const string SocketName = ChangeRecord.Prefix + "nbd.sock";

    private readonly FileStream _lock;

    private QemuRunFolder(string path, FileStream held) => (Path, _lock) = (path, held);

    /// <summary>The folder.</summary>
    public string Path { get; }

    /// <summary>Whether nothing of the machine uses it any more.</summary>
    public bool IsOver { get; set; }

    /// <summary>The socket of the disks.</summary>
    public string Socket => System.IO.Path.Combine(Path, SocketName);

    /// <summary>Makes one.</summary>
    /// <param name="workFolder">Where.</param>
    /// <param name="monitor">
    /// QEMU's socket, or its own folder: to whose account it belongs the folder is given, where this process may do that. Where it is the work folder, nothing is made in it but files: where QEMU is confined
    /// (AppArmor), it may write there, and in no folder below.
    /// </param>
    /// <exception cref="BackupException">VirtualMachineUnfit: the path is too long, or the folder cannot be made; VirtualMachineBusy: another backup has QEMU's own folder.</exception>
    public static QemuRunFolder Create(string workFolder, string monitor)
    {
        bool isOwn = System.IO.Path.GetFullPath(workFolder) == System.IO.Path.GetFullPath(monitor);
        string path = isOwn ? System.IO.Path.GetFullPath(workFolder) : System.IO.Path.Combine(System.IO.Path.GetFullPath(workFolder), FolderPrefix + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4)));
        LocalSocket.CheckPath(System.IO.Path.Combine(path, SocketName));
        try
        {
            if (isOwn)
            {
                return IsHeld(path) ? throw Held(path) : new QemuRunFolder(path, new FileStream(System.IO.Path.Combine(path, LockName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
            }

            if (OperatingSystem.IsWindows())
            {
                Directory.CreateDirectory(path);
            }
            else
            {
                Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
                GiveToOwnerOf(monitor, path);
            }

            return new QemuRunFolder(path, new FileStream(System.IO.Path.Combine(path, LockName), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BackupException(
                BackupErrorId.VirtualMachineUnfit, $"In the work folder '{workFolder}' nothing can be kept: {e.Message}", "Name a folder that this account may write to, with room for what the guest overwrites.", workFolder, innerException: e);
        }
    }

    /// <summary>Whether a file is the scratch file of a disk of some backup.</summary>
    public static bool IsScratch(string file) =>
        System.IO.Path.GetDirectoryName(file) is { Length: > 0 } && ScratchName().IsMatch(System.IO.Path.GetFileName(file));

    /// <summary>Whether the backup that made a folder is under way.</summary>
    public static bool IsHeld(string folder)
    {
        try
        {
            using var file = new FileStream(System.IO.Path.Combine(folder, LockName), FileMode.Open, FileAccess.ReadWrite, FileShare.None);
            return false;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return true;
        }
    }

    /// <summary>Whether a QEMU listens at the socket of a folder.</summary>
    public static bool IsServing(string folder) => LocalSocket.IsListening(System.IO.Path.Combine(folder, SocketName));

    /// <summary>Removes what backups have left whose QEMU is gone.</summary>
    public static void Sweep(string workFolder)
    {
        foreach (string folder in Directory.Exists(workFolder) ? Directory.GetDirectories(workFolder, FolderPrefix + "*") : [])
        {
            if (!IsHeld(folder) && !IsServing(folder))
            {
                Remove(folder);
            }
        }
    }

    /// <summary>Removes a folder with what backups put there, and nothing else.</summary>
    public static void Remove(string folder)
    {
        if (!Directory.Exists(folder))
        {
            return;
        }

        try
        {
            foreach (string file in Directory.GetFileSystemEntries(folder))
            {
                if (System.IO.Path.GetFileName(file) is var name && (name is LockName or SocketName || ScratchName().IsMatch(name)))
                {
                    File.Delete(file);
                }
            }

            if (System.IO.Path.GetFileName(folder).StartsWith(FolderPrefix, StringComparison.Ordinal))
            {
                Directory.Delete(folder);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Somebody else has put something there, or owns it: then it stays.
            return;
        }
    }

    /// <summary>The scratch file of a disk.</summary>
    public string ScratchFile(int index) => System.IO.Path.Combine(Path, string.Create(CultureInfo.InvariantCulture, $"{ChangeRecord.Prefix}scratch-{index}.qcow2"));

    /// <summary>Lets go of it, and removes it where it is over: until then the next backup finds by it what is in the machine.</summary>
    public void Dispose()
    {
        _lock.Dispose();
        if (IsOver)
        {
            Remove(Path);
        }
    }

    private static BackupException Held(string folder) => new(
        BackupErrorId.VirtualMachineBusy, $"The virtual machine whose folder is '{folder}' is being backed up by somebody else.", "Wait for that backup to end.", folder, transient: true);

    // The folder is new and this account's own; root alone can give it away. An account that may not leaves it, and QEMU is its own, or says that it may not write.
    private static void GiveToOwnerOf(string monitor, string folder)
    {
        if (!Environment.IsPrivilegedProcess || UnixSystem.Current.Stat(-1, Encoding.UTF8.GetBytes(System.IO.Path.GetFullPath(monitor)), out UnixStat owner) < 0 || owner.UserId == 0)
        {
            return;
        }

        int handle = UnixSystem.Current.OpenDirectory(-1, Encoding.UTF8.GetBytes(folder));
        if (handle >= 0)
        {
            UnixSystem.Current.ChangeOwner(new UnixNode(handle, -1, default), owner.UserId, owner.GroupId);
            UnixSystem.Close(handle);
        }
    }

    [GeneratedRegex(@"^obengine-scratch-\d+\.qcow2\z")]
    private static partial Regex ScratchName();
}
