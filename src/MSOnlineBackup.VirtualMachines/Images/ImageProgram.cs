using System.ComponentModel;
using System.Diagnostics;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.VirtualMachines.Images;

/// <summary>The system's programs for images of disks: qemu-img, and qemu-nbd.</summary>
internal static class ImageProgram
{
    /// <summary>Starts a program.</summary>
    /// <exception cref="BackupException">VirtualMachineProgramUnusable: it is not there.</exception>
    public static Process Start(string program, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["LC_ALL"] = "C";
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw new BackupException(
                BackupErrorId.VirtualMachineProgramUnusable, $"'{program}' cannot be started: {e.Message}", "Install the package that has it (qemu-utils).", program, innerException: e);
        }
    }

    /// <summary>Runs a program that must succeed.</summary>
    /// <returns>What it says.</returns>
    /// <exception cref="BackupException">VirtualMachineProgramUnusable.</exception>
    public static async Task<string> RunAsync(string program, IReadOnlyList<string> arguments, string image, CancellationToken cancellationToken)
    {
        using Process process = Start(program, arguments);
        try
        {
            process.StandardInput.Close();
            Task<string> error = process.StandardError.ReadToEndAsync(cancellationToken);
            string output = await process.StandardOutput.ReadToEndAsync(cancellationToken).ConfigureAwait(false);
            await process.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
            return process.ExitCode == 0 ? output : throw Failed(program, image, await error.ConfigureAwait(false));
        }
        finally
        {
            Stop(process);
        }
    }

    /// <summary>Ends a process that goes on.</summary>
    public static void Stop(Process process)
    {
        if (!process.HasExited)
        {
            process.Kill();
        }
    }

    /// <summary>The error of a program that failed.</summary>
    public static BackupException Failed(string program, string image, string why) => new(
        BackupErrorId.VirtualMachineProgramUnusable, $"'{program}' failed with '{image}': {why.Trim()}", "See to what the program says. A machine that runs is backed up through its monitor.", image);
}
