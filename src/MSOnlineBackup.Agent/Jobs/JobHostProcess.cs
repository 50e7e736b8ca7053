using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using MSOnlineBackup.Platform.Unix;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Jobs;

/// <summary>
/// A process of its own for a job in the background. Neither the end of the one that starts it nor Ctrl+C in its terminal
/// reaches it.
/// </summary>
internal static class JobHostProcess
{
    // What it writes goes to its log, and it reads nothing but what it is handed. On Windows it has a console of its own that is
    // not shown, and no log: what it writes goes nowhere once the starter has closed its ends.
    private const string Script = "exec \"$@\" >>\"$0\" 2>&1";

    /// <summary>Starts the program.</summary>
    /// <param name="command">A program, which is an executable or a .dll that the current runtime runs, and arguments; null: there is none.</param>
    /// <param name="arguments">More arguments.</param>
    /// <param name="input">Lines for its standard input, which is closed then.</param>
    /// <param name="log">Where its output goes.</param>
    /// <exception cref="BackupException">JobHostMissing.</exception>
    public static Process Start(IReadOnlyList<string>? command, IReadOnlyList<string> arguments, IReadOnlyList<string> input, string log)
    {
        string? program = command?[0];
        if (!File.Exists(program))
        {
            throw Missing(program, program is null ? "none is known" : "there is no such file", cause: null);
        }

        string[] line = [.. Line(command!), .. arguments];
        bool hasShell = !OperatingSystem.IsWindows();
        var start = new ProcessStartInfo(hasShell ? "/bin/sh" : line[0], hasShell ? ["-c", Script, log, .. line] : line[1..])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = !hasShell,
            RedirectStandardError = !hasShell,
            CreateNoWindow = true,
            WorkingDirectory = Path.GetDirectoryName(log)!,
        };

        // The runtime's sockets for debuggers stay in the temporary folder where a process is killed. Who wants them says so.
        start.Environment.TryAdd("DOTNET_EnableDiagnostics", "0");

        // As obengine's own settings have it. Where another program runs it, that one's would count.
        start.Environment.TryAdd("DOTNET_TieredPGO", "0");
        start.Environment.TryAdd("DOTNET_gcConcurrent", "0");
        try
        {
            Process process = Process.Start(start)!;
            HandOver(process, input);
            return process;
        }
        catch (Win32Exception e)
        {
            throw Missing(program, e.Message, e);
        }
    }

    /// <summary>A command as the system takes it: a .dll is run by the runtime in use.</summary>
    public static IReadOnlyList<string> Line(IReadOnlyList<string> command) =>
        command[0].EndsWith(".dll", StringComparison.OrdinalIgnoreCase) ? [Runtime(), .. command] : command;

    /// <summary>Leaves the terminal and the session of whoever started this process.</summary>
    public static void LeaveTerminal()
    {
        if (!OperatingSystem.IsWindows())
        {
            // Refused where a shell has made this process a group of its own: then somebody runs it by hand, and may stop it by hand.
            _ = UnixSystem.BeginSession();
        }
    }

    private static void HandOver(Process process, IReadOnlyList<string> input)
    {
        try
        {
            foreach (string line in input)
            {
                process.StandardInput.WriteLine(line);
            }

            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It has ended already, which its exit tells whoever waits for it.
        }
    }

    // Where this process is the runtime's own program, that one; else the one that belongs to the runtime in use, or any.
    private static string Runtime()
    {
        string name = OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet";
        string? current = Environment.ProcessPath;
        if (current is not null && Path.GetFileName(current) == name)
        {
            return current;
        }

        // …/dotnet/shared/Microsoft.NETCore.App/<version>/
        string beside = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", name));
        return File.Exists(beside) ? beside : name;
    }

    private static BackupException Missing(string? program, string why, Exception? cause) => new(
        BackupErrorId.JobHostMissing,
        $"The program for background jobs{(program is null ? "" : $", '{program}',")} cannot be started: {why}.",
        "Reinstall MSOnlineBackup, or run the job in the foreground.",
        program,
        innerException: cause);
}
