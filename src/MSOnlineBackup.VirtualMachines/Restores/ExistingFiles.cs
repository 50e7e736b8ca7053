using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.VirtualMachines.Restores;

/// <summary>What is done where a file that is to be written is there already.</summary>
public enum ExistingFiles
{
    /// <summary>Nothing is restored.</summary>
    Refuse,

    /// <summary>It is replaced when its successor is whole, unless a machine that runs has it.</summary>
    Replace,

    /// <summary>Nothing is restored, and nobody can have it otherwise: the profile Mars restores over a machine that exists only by replacing its disks.</summary>
    RefuseByProfile,
}

/// <summary>Checks of files that are to be written.</summary>
internal static class ExistingFilesChecks
{
    /// <summary>Refuses what is not to be replaced.</summary>
    /// <exception cref="BackupException">MachineTargetTaken; MachineNotOff: a machine that runs has it.</exception>
    public static async Task CheckAsync(this ExistingFiles rule, string file, CancellationToken cancellationToken)
    {
        if (Directory.Exists(file))
        {
            throw new BackupException(BackupErrorId.MachineTargetTaken, $"'{file}' is a folder.", "Name a file.", file);
        }

        if (!File.Exists(file))
        {
            return;
        }

        if ((File.GetAttributes(file) & FileAttributes.Device) != 0)
        {
            throw new BackupException(BackupErrorId.MachineTargetTaken, $"'{file}' is a device, and disks are restored to files.", "Restore to a file, and copy it: qemu-img convert -n -O raw FILE DEVICE.", file);
        }

        switch (rule)
        {
            case ExistingFiles.Refuse:
                throw RestoreFiles.Taken(file);
            case ExistingFiles.RefuseByProfile:
                throw new BackupException(
                    BackupErrorId.MachineTargetTaken,
                    $"'{file}' is there already. Under the profile Mars a machine that exists is restored over in one way only: by replacing its disks.",
                    "Replace the disk (obengine image replace-disk, Restore-OBVirtualMachine -ReplaceDisk), choose another name or folder, or use the profile Open.",
                    file);
            default:
                await ImageLock.RequireFreeAsync(file, why => DiskReplacement.NotOff(file, why), cancellationToken).ConfigureAwait(false);
                break;
        }
    }
}
