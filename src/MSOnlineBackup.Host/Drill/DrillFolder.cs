using System.Security.Cryptography;
using MSOnlineBackup.Engine.Restore.Targets;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Host.Drill;

/// <summary>The temporary folder of a drill: the vault, its passphrase and what is restored.</summary>
internal sealed class DrillFolder : IDisposable
{
    private const string Prefix = "obengine-drill-";

    private readonly FileStream _lock;

    private DrillFolder(string path, FileStream held)
    {
        Path = path;
        _lock = held;
    }

    /// <summary>The folder; only its owner may enter it.</summary>
    public string Path { get; }

    /// <summary>The vault.</summary>
    public string Vault => System.IO.Path.Join(Path, "vault");

    /// <summary>The file that holds the vault's passphrase, where it is kept.</summary>
    public string PassphraseFile => System.IO.Path.Join(Path, "passphrase");

    /// <summary>What is restored.</summary>
    public string Restored => System.IO.Path.Join(Path, "restored");

    /// <summary>Makes it.</summary>
    public static DrillFolder Create(string parent)
    {
        string path = System.IO.Path.GetFullPath(System.IO.Path.Join(parent, Prefix + RandomNumberGenerator.GetHexString(16, lowercase: true)));
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
        }
        else
        {
            Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        return new DrillFolder(path, new FileStream(LockOf(path), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None));
    }

    /// <summary>Removes what drills of this account left that were killed: whose lock nobody holds any more. What one was told to keep has no lock.</summary>
    /// <param name="parent">Where drills make their folders.</param>
    /// <returns>The folders that were removed.</returns>
    public static IReadOnlyList<string> RemoveLeftovers(string parent)
    {
        var removed = new List<string>();
        foreach (string path in Directory.EnumerateDirectories(parent, Prefix + "*"))
        {
            try
            {
                using (var held = new FileStream(LockOf(path), FileMode.Open, FileAccess.ReadWrite, FileShare.None))
                {
                    if (OperatingSystem.IsWindows())
                    {
                        // What is open cannot be removed there.
                        held.Dispose();
                    }

                    RestoredFolder.Remove(path, onlyOwn: true);
                }

                removed.Add(path);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or BackupException)
            {
                // Another drill is at work, or it is another account's, or was kept.
            }
        }

        return removed;
    }

    /// <summary>Lets it be, with all it holds.</summary>
    public void Keep()
    {
        _lock.Dispose();
        File.Delete(LockOf(Path));
    }

    /// <summary>Removes it with all it holds.</summary>
    /// <exception cref="BackupException">Something could not be removed.</exception>
    public void Remove()
    {
        // The lock goes last: whoever finds it free finds nothing else.
        RestoredFolder.Remove(Restored);
        _lock.Dispose();
        RestoredFolder.Remove(Path);
    }

    /// <summary>Lets go of it: from now on it is a leftover.</summary>
    public void Dispose() => _lock.Dispose();

    private static string LockOf(string path) => System.IO.Path.Join(path, "lock");
}
