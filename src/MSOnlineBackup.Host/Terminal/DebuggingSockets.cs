using System.Globalization;

namespace MSOnlineBackup.Host.Terminal;

/// <summary>
/// The runtime's doors for debuggers: each process has three of them in the temporary folder, and one that is killed leaves them there for ever. No setting
/// that a program can ship closes them (.NET 10), only the environment of whoever starts it. So they are removed at the start.
/// </summary>
internal static class DebuggingSockets
{
    // Whoever sets it wants to look in.
    private const string Wanted = "DOTNET_EnableDiagnostics";

    /// <summary>
    /// Removes those of this process, unless somebody asked for them. On Linux, where their names can be told without reading the whole folder.
    /// </summary>
    public static void Remove()
    {
        if (!OperatingSystem.IsLinux() || Environment.GetEnvironmentVariable(Wanted) == "1")
        {
            return;
        }

        try
        {
            // The name has the time at which the process began: the 22nd field. The second is the program's name, in brackets, and may have any character.
            string status = File.ReadAllText("/proc/self/stat");
            string begun = status[(status.LastIndexOf(')') + 2)..].Split(' ')[19];
            string own = string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId}-{begun}");
            string folder = Path.GetTempPath();
            foreach (string name in new[] { $"dotnet-diagnostic-{own}-socket", $"clr-debug-pipe-{own}-in", $"clr-debug-pipe-{own}-out" })
            {
                File.Delete(Path.Combine(folder, name));
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What stays is litter, and no job depends on it.
        }
    }
}
