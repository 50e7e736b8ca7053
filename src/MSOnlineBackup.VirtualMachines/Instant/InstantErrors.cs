using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.VirtualMachines.Qmp;

namespace MSOnlineBackup.VirtualMachines.Instant;

/// <summary>Errors of machines that run from recovery points.</summary>
internal static class InstantErrors
{
    private const string Again = "Run the same command again: it goes on where it was.";

    /// <summary>The machine has gone before its images had all.</summary>
    public static BackupException Ended(InstantRecord record, string folder, long bytes, long total, Exception cause) => new(
        BackupErrorId.InstantMachineEnded,
        FormattableString.Invariant($"The machine '{record.Name}' has ended, and {100.0 * (total - bytes) / Math.Max(1, total):0} % of its disks are in the recovery point alone."),
        $"Keep '{folder}', which has all that the machine wrote. Run the same command again: it starts the machine from there, and goes on.",
        record.Name,
        innerException: cause);

    /// <summary>A disk has parts that the vault does not give.</summary>
    public static BackupException Incomplete(InstantRecord record, InstantDisk disk, BackupException? cause) => new(
        BackupErrorId.InstantDiskIncomplete,
        $"The disk '{disk.Name}' of the machine '{record.Name}' has parts that could not be taken over{(cause is null ? "." : $": {cause.Message}")}",
        $"The machine goes on as long as it does not read them, and stands still then; what it wrote is kept. Repair the vault, or bring it back. {Again}",
        disk.Name,
        innerException: cause);

    /// <summary>The guest stands still.</summary>
    public static BackupException StandsStill(InstantRecord record, string disk, bool isFull, bool isWrite) => new(
        BackupErrorId.InstantMachineWaits,
        isFull ? $"The machine '{record.Name}' stands still: there is no room for what it writes to the disk '{disk}'."
            : $"The machine '{record.Name}' stands still: the disk '{disk}' cannot be {(isWrite ? "written" : "read")}.",
        isFull ? "Make room on the disk of its folder: it goes on by itself then." : "It goes on by itself as soon as the disk can be. What is wrong with the recovery point is told beside this.",
        disk,
        transient: true);

    /// <summary>QEMU refused a command.</summary>
    public static BackupException Refused(InstantRecord record, QmpException cause) => new(
        BackupErrorId.VirtualMachineCommandFailed, $"QEMU refused '{cause.Command}' for the virtual machine '{record.Name}': {cause.Message}", $"See to what QEMU says. {Again}", record.Name, innerException: cause);

    /// <summary>The machine cannot be run.</summary>
    public static BackupException Unfit(string what, string why, string action) => new(BackupErrorId.VirtualMachineUnfit, $"'{what}' cannot be run as a machine: {why}.", action, what);
}
