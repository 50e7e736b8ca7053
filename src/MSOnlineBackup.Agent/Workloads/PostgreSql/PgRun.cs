using System.ComponentModel;
using System.Diagnostics;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Workloads.PostgreSql;

/// <summary>Runs a program to its end.</summary>
internal static class PgRun
{
    /// <summary>Runs it. Stopped, it is ended.</summary>
    /// <returns>Its status, and what it wrote.</returns>
    /// <exception cref="BackupException">WorkloadProgramUnusable: it cannot be started.</exception>
    public static async Task<(int Status, string Output, string Said)> ToEndAsync(ProcessStartInfo start, string workload, CancellationToken stop)
    {
        using Process process = Begin(start, workload);
        if (start.RedirectStandardInput)
        {
            process.StandardInput.Close();
        }

        Task<string> output = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        Task<string> said = process.StandardError.ReadToEndAsync(CancellationToken.None);
        try
        {
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
                start.FileName == "setpriv" ? "Install util-linux, or run the backup as the account that the server runs as." : "Install PostgreSQL's client programs.",
                start.FileName,
                innerException: e);
        }
    }
}
