using System.ComponentModel;
using System.Diagnostics;

namespace MSOnlineBackup.Engine.Sources.SystemState;

/// <summary>What a program of the system printed, and how it ended.</summary>
/// <param name="ExitCode">Its exit status.</param>
/// <param name="Output">What it wrote to standard output.</param>
/// <param name="Error">What it wrote to standard error.</param>
internal sealed record CommandResult(int ExitCode, string Output, string Error);

/// <summary>Runs programs that describe the system.</summary>
internal interface ISystemCommands
{
    /// <summary>Runs a program to its end; null where it is not installed.</summary>
    Task<CommandResult?> RunAsync(string program, IReadOnlyList<string> arguments, CancellationToken cancellationToken);
}

/// <summary>The programs of this machine. They run without a shell, in the language of scripts, and read nothing.</summary>
internal sealed class SystemCommands : ISystemCommands
{
    /// <inheritdoc/>
    public async Task<CommandResult?> RunAsync(string program, IReadOnlyList<string> arguments, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["LC_ALL"] = "C";

        // Administrators' programs are not on everybody's path.
        if (!OperatingSystem.IsWindows())
        {
            start.Environment["PATH"] = $"{Environment.GetEnvironmentVariable("PATH")}:/usr/sbin:/sbin";
        }

        Process? process = TryStart(start);
        if (process is null)
        {
            return null;
        }

        using (process)
        {
            process.StandardInput.Close();
            try
            {
                Task<string> output = process.StandardOutput.ReadToEndAsync(cancellationToken);
                Task<string> error = process.StandardError.ReadToEndAsync(cancellationToken);
                await Task.WhenAll(output, error).ConfigureAwait(false);
                await process.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
                return new CommandResult(process.ExitCode, await output.ConfigureAwait(false), await error.ConfigureAwait(false));
            }
            catch (OperationCanceledException)
            {
                process.Kill(entireProcessTree: true);
                throw;
            }
        }
    }

    private static Process? TryStart(ProcessStartInfo start)
    {
        foreach (string folder in start.Environment["PATH"]!.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries))
        {
            string program = Path.Combine(folder, start.FileName);
            if (File.Exists(program))
            {
                start.FileName = program;
                try
                {
                    return Process.Start(start);
                }
                catch (Win32Exception)
                {
                    // Not for this account to run.
                    return null;
                }
            }
        }

        return null;
    }
}
