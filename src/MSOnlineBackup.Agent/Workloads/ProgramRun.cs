using System.ComponentModel;
using System.Diagnostics;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Workloads;

/// <summary>Runs programs of database servers.</summary>
internal static class ProgramRun
{
    /// <summary>Runs it. Stopped, it is ended.</summary>
    /// <param name="start">The program, its arguments, and what of it is redirected: its output and its errors.</param>
    /// <param name="workload">The workload's name.</param>
    /// <param name="stop">Stops it.</param>
    /// <param name="input">What it reads.</param>
    /// <returns>Its status, and what it wrote.</returns>
    /// <exception cref="BackupException">WorkloadProgramUnusable: it cannot be started.</exception>
    public static async Task<(int Status, string Output, string Said)> ToEndAsync(ProcessStartInfo start, string workload, CancellationToken stop, string input = "")
    {
        using Process process = Begin(start, workload);
        Task<string> output = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        Task<string> said = process.StandardError.ReadToEndAsync(CancellationToken.None);
        try
        {
            if (start.RedirectStandardInput)
            {
                await FeedAsync(process, input, stop).ConfigureAwait(false);
            }

            await process.WaitForExitAsync(stop).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
            throw;
        }

        return (process.ExitCode, await output.ConfigureAwait(false), await said.ConfigureAwait(false));
    }

    private static async Task FeedAsync(Process process, string input, CancellationToken stop)
    {
        try
        {
            await process.StandardInput.WriteAsync(input.AsMemory(), stop).ConfigureAwait(false);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It has ended before its input; why, it says.
        }
    }

    /// <summary>Starts it.</summary>
    /// <exception cref="BackupException">WorkloadProgramUnusable.</exception>
    public static Process Begin(ProcessStartInfo start, string workload)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw new BackupException(
                BackupErrorId.WorkloadProgramUnusable,
                $"The workload '{workload}' needs the program '{start.FileName}', which cannot be started: {e.Message}.",
                start.FileName == "setpriv" ? "Install util-linux, or run the backup as the account that the server runs as." : "Install the client programs of the database server.",
                start.FileName,
                innerException: e);
        }
    }
}
