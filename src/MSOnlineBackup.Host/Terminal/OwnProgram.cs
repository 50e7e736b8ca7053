using System.Diagnostics.CodeAnalysis;
using MSOnlineBackup.Agent.Remote;

namespace MSOnlineBackup.Host.Terminal;

/// <summary>How this program is started again by somebody who has no path and no session.</summary>
internal static class OwnProgram
{
    /// <summary>The folder that this program lies in. Where a PowerShell runs it, that is not the one of the process.</summary>
    [SuppressMessage("SingleFile", "IL3000", Justification = "Where there is no such file, obengine is the process itself.")]
    public static string Folder => typeof(OwnProgram).Assembly.Location is { Length: > 0 } file ? Path.GetDirectoryName(file)! : AppContext.BaseDirectory;

    /// <summary>An executable, and arguments before the command: obengine itself, a runtime and a .dll, or a PowerShell and the module's script.</summary>
    [SuppressMessage("SingleFile", "IL3000", Justification = "Where there is no such file, obengine is the process itself.")]
    public static IReadOnlyList<string> Find()
    {
        string process = Environment.ProcessPath ?? "";
        string assembly = typeof(OwnProgram).Assembly.Location;
        string script = Path.Combine(Path.GetDirectoryName(Path.GetDirectoryName(assembly)) ?? "", "obengine.ps1");
        if (RemoteInstallation.FindProgram(assembly.Length > 0 ? assembly : process) is { } installed)
        {
            return [installed];
        }

        return Path.GetFileNameWithoutExtension(process).ToLowerInvariant() switch
        {
            "dotnet" => [process, assembly],
            "pwsh" when File.Exists(script) => Script(process, script),
            _ => [process],
        };
    }

    // What Windows calls an execution policy would keep a script from running.
    private static string[] Script(string shell, string script) => OperatingSystem.IsWindows()
        ? [shell, "-NoProfile", "-NonInteractive", "-ExecutionPolicy", "Bypass", "-File", script]
        : [shell, "-NoProfile", "-NonInteractive", "-File", script];
}
