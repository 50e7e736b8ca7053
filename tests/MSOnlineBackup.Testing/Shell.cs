using System.Diagnostics;

namespace MSOnlineBackup.Testing;

/// <summary>Programs of the system that tests need.</summary>
public static class Shell
{
    /// <summary>Whether the tests run as root on Linux, and may mount and change owners.</summary>
    public static bool IsLinuxRoot => OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess;

    /// <summary>Runs a program to its end.</summary>
    public static (int ExitCode, string Output) Run(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        using Process process = Process.Start(start) ?? throw new InvalidOperationException($"'{program}' did not start.");
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
#pragma warning disable VSTHRD002 // The process has ended.
        return (process.ExitCode, output + errors.GetAwaiter().GetResult());
#pragma warning restore VSTHRD002
    }

    /// <summary>Runs a program that must succeed.</summary>
    public static string RunChecked(string program, params string[] arguments)
    {
        (int exitCode, string output) = Run(program, arguments);
        return exitCode == 0
            ? output
            : throw new InvalidOperationException($"'{program} {string.Join(' ', arguments)}' ended with {exitCode}: {output}");
    }

    /// <summary>Stops a process (SIGSTOP), and returns once it stands still, or is over.</summary>
    public static async Task HoldAsync(int process)
    {
        Run("kill", "-STOP", $"{process}");
        while (Run("ps", "-o", "stat=", "-p", $"{process}").Output.Trim() is [not ('T' or 'Z'), ..])
        {
            await Task.Delay(1);
        }
    }
}
