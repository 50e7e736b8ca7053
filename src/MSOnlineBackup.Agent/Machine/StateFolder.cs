using MSOnlineBackup.Platform.Folders;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Agent.Machine;

/// <summary>
/// Where the machine's state lies, readable by its owner only. It comes into being with the first thing that is written.
/// Files are replaced as a whole, under a lock that also holds against other processes.
/// </summary>
internal sealed class StateFolder
{
    /// <summary>The environment variable that names another place.</summary>
    public const string Variable = "MSONLINEBACKUP_STATE";

    /// <summary>The folder in which backups write down their snapshots.</summary>
    public const string Snapshots = "snapshots";

    /// <param name="chosen">The folder; null: where the environment says, else the platform's place.</param>
    /// <exception cref="BackupException">ArgumentInvalid: the environment names a relative path.</exception>
    public StateFolder(string? chosen)
    {
        string? variable = Environment.GetEnvironmentVariable(Variable);
        if (string.IsNullOrEmpty(chosen) && !string.IsNullOrEmpty(variable) && !System.IO.Path.IsPathFullyQualified(variable))
        {
            throw new BackupException(
                BackupErrorId.ArgumentInvalid,
                $"{Variable} is '{variable}', which is not an absolute path: the state would depend on the current folder.",
                $"Set {Variable} to an absolute path ('~' is not expanded there), or remove it to use the platform's default.",
                variable);
        }

        string? named = string.IsNullOrEmpty(chosen) ? variable : chosen;
        Path = System.IO.Path.GetFullPath(string.IsNullOrEmpty(named) ? FindPlace() : named);
    }

    /// <summary>The platform's place for it.</summary>
    public static string Usual => System.IO.Path.GetFullPath(FindPlace());

    /// <summary>Its absolute path.</summary>
    public string Path { get; }

    /// <summary>The path of something in it.</summary>
    public string PathOf(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>The bytes of a file; null where there is none.</summary>
    /// <exception cref="BackupException">StateAccessDenied.</exception>
    public byte[]? Read(string name) => Try(() =>
    {
        try
        {
            return File.ReadAllBytes(PathOf(name));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    });

    /// <summary>The names of the folders in one of its folders; none where there is no such folder.</summary>
    /// <exception cref="BackupException">StateAccessDenied: what cannot be seen is not taken for what is not there.</exception>
    public IReadOnlyList<string> ListFolders(string name) => Try(() =>
    {
        try
        {
            return Directory.EnumerateDirectories(PathOf(name)).Select(path => System.IO.Path.GetFileName(path)).ToArray();
        }
        catch (DirectoryNotFoundException)
        {
            return [];
        }
    });

    /// <summary>Changes a file: nobody else changes it in between.</summary>
    /// <param name="name">The file.</param>
    /// <param name="change">From its bytes, null where there is none, to the new ones, null to remove it.</param>
    /// <exception cref="BackupException">StateAccessDenied.</exception>
    public void Update(string name, Func<byte[]?, byte[]?> change) => Try(() =>
    {
        Make();
        using IDisposable _ = StateLock.Enter(PathOf(name + ".lock"));
        if (change(Read(name)) is { } content)
        {
            PrivateFile.Replace(PathOf(name), content);
        }
        else
        {
            File.Delete(PathOf(name));
            Durability.FlushFolder(Path);
        }

        return true;
    });

    /// <summary>Takes a lock of a name, for work that may take long; other files are changed meanwhile.</summary>
    public async Task<IDisposable> LockAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            Make();
            return await StateLock.EnterAsync(PathOf(name), cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Denied(e);
        }
    }

    /// <summary>Makes a folder in it.</summary>
    /// <exception cref="BackupException">StateAccessDenied.</exception>
    public void MakeFolder(string name) => Try(() =>
    {
        Make();
        return Make(PathOf(name));
    });

    /// <summary>Takes a lock of a name; null where somebody has it.</summary>
    /// <exception cref="BackupException">StateAccessDenied.</exception>
    public IDisposable? TryLock(string name) => Try(() =>
    {
        Make();
        return StateLock.TryEnter(PathOf(name));
    });

    /// <summary>Writes a file, below a folder that is made if need be, in the place of what is there; for files that one process at a time
    /// writes.</summary>
    /// <exception cref="BackupException">StateAccessDenied; what was there is unchanged.</exception>
    public void Replace(string name, byte[] content) => Try(() =>
    {
        Make();
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(PathOf(name))!);
        PrivateFile.Replace(PathOf(name), content);
        return true;
    });

    private static string FindPlace()
    {
        string data = Environment.GetFolderPath(Environment.SpecialFolder.CommonApplicationData, Environment.SpecialFolderOption.DoNotVerify);
        string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify);
        if (OperatingSystem.IsWindows())
        {
            return System.IO.Path.Combine(data, "MSOnlineBackup");
        }

        if (OperatingSystem.IsMacOS())
        {
            return System.IO.Path.Combine(Environment.IsPrivilegedProcess ? "/" : home, "Library", "Application Support", "MSOnlineBackup");
        }

        if (Environment.IsPrivilegedProcess)
        {
            return "/var/lib/msonlinebackup";
        }

        // The specification of these folders has relative ones ignored.
        string? state = Environment.GetEnvironmentVariable("XDG_STATE_HOME");
        return System.IO.Path.Combine(System.IO.Path.IsPathRooted(state) ? state : System.IO.Path.Combine(home, ".local", "state"), "msonlinebackup");
    }

    private static string Make(string path)
    {
        if (!Directory.Exists(path))
        {
            PrivateFolder.Make(path);
        }
        else if (PrivateFolder.IsForeign(path))
        {
            throw new BackupException(
                BackupErrorId.StateAccessDenied,
                $"The state folder '{path}' belongs to another account, which could have put anything into it.",
                $"Find out who created it. Then remove it, make the administrators its owner, or set '{Variable}' to another folder.",
                path);
        }

        return path;
    }

    private string Make() => Make(Path);

    private T Try<T>(Func<T> action)
    {
        try
        {
            return action();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Denied(e);
        }
    }

    /// <summary>What is said where the system refuses.</summary>
    public BackupException Denied(Exception e) => new(
        BackupErrorId.StateAccessDenied,
        $"The state of this machine in '{Path}' cannot be read or written: {e.Message.TrimEnd('.')}.",
        $"Run as root or administrator, or as the account that owns the folder, and check that its disk has free space. You can set '{Variable}' to another folder.",
        Path,
        innerException: e);
}
