using System.Diagnostics;

namespace MSOnlineBackup.Host.Drill;

/// <summary>The temporary folder of a drill: the vault, its passphrase and what is restored.</summary>
internal sealed class DrillFolder
{
    private static readonly EnumerationOptions AllOfIt = new() { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None };

    private DrillFolder(string path) => Path = path;

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
        string path = System.IO.Path.Join(parent, $"obengine-drill-{System.IO.Path.GetRandomFileName().Replace(".", "", StringComparison.Ordinal)}");
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
        }
        else
        {
            Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        return new DrillFolder(System.IO.Path.GetFullPath(path));
    }

    /// <summary>Removes it with all it holds.</summary>
    /// <exception cref="IOException">Something could not be removed.</exception>
    public void Remove()
    {
        if (OperatingSystem.IsWindows())
        {
            // Read-only stands in the way of deletion there, and long paths of names without this prefix.
            string whole = System.IO.Path.GetFullPath(Path).StartsWith(@"\\", StringComparison.Ordinal) ? Path : @"\\?\" + System.IO.Path.GetFullPath(Path);
            foreach (string item in Directory.EnumerateFileSystemEntries(whole, "*", AllOfIt))
            {
                File.SetAttributes(item, FileAttributes.Normal);
            }

            Directory.Delete(whole, recursive: true);
            return;
        }

        // Names that are no UTF-8 cannot be told to .NET, modes may forbid listing, paths may be too long to name: the
        // system's own tools know all three.
        Run("chmod", "-R", "u+rwX", Path);
        Run("rm", "-rf", Path);
        if (Directory.Exists(Path))
        {
            throw new IOException($"'{Path}' could not be removed.");
        }
    }

    private static void Run(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        process.StandardError.ReadToEnd();
        process.WaitForExit();
    }
}
