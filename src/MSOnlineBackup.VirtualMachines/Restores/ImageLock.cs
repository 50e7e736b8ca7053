using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.VirtualMachines.Images;

namespace MSOnlineBackup.VirtualMachines.Restores;

/// <summary>Whether somebody has an image of a disk open: QEMU locks those of machines that run.</summary>
internal static class ImageLock
{
    /// <summary>Refuses where a machine that runs, or another restore, has it.</summary>
    /// <param name="file">The image, which is there. Its format does not matter: the file itself is locked.</param>
    /// <param name="refuse">Makes the error, from the program's words.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">As made; VirtualMachineProgramUnusable: qemu-io is not there, so that it is not known.</exception>
    public static async Task RequireFreeAsync(string file, Func<string, BackupException> refuse, CancellationToken cancellationToken)
    {
        try
        {
            // On Windows this is how QEMU keeps others out.
            using (File.OpenHandle(file, FileMode.Open, FileAccess.ReadWrite, FileShare.None))
            {
            }
        }
        catch (IOException e)
        {
            throw refuse(e.Message);
        }
        catch (UnauthorizedAccessException e)
        {
            throw RestoreFiles.Failed(file, e);
        }

        try
        {
            // Who only reads is let in beside a machine. Nothing is written here.
            await ImageProgram.RunAsync("qemu-io", ["-f", "raw", "-c", "length", file], file, cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException e) when (e.Message.Contains(" lock", StringComparison.Ordinal))
        {
            throw refuse(e.Message);
        }
    }
}
