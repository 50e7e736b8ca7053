using System.Globalization;
using System.Text;
using MSOnlineBackup.Vaults.Errors;
using Microsoft.Win32.SafeHandles;

namespace MSOnlineBackup.Host.Terminal;

/// <summary>How many files this process may have open. Below some number the runtime fails anywhere, each time with another error that misleads.</summary>
internal static class OpenFileLimit
{
    private const int Least = 96;

    /// <summary>Whether there are enough; where not, that is said. On Linux, where the system tells it in a file.</summary>
    public static bool IsEnough()
    {
        const string Name = "Max open files";
        if (!OperatingSystem.IsLinux()
            || Array.Find(File.ReadAllLines("/proc/self/limits"), line => line.StartsWith(Name, StringComparison.Ordinal)) is not { } line
            || !int.TryParse(line[Name.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[0], NumberStyles.None, CultureInfo.InvariantCulture, out int most)
            || most >= Least)
        {
            return true;
        }

        // The console takes files of its own to open.
        using var error = new FileStream(new SafeFileHandle(2, ownsHandle: false), FileAccess.Write, bufferSize: 0);
        error.Write(Encoding.UTF8.GetBytes(string.Create(
            CultureInfo.InvariantCulture,
            $"obengine: This process may have only {most} files open at once, and needs {Least}.\n\n  What to do: Raise the limit: "
                + $"'ulimit -n 1024'.\n  Error id: {BackupErrorId.OpenFileLimitLow}\n")));
        return false;
    }
}
