using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Groups;

/// <summary>What is said of protection groups.</summary>
internal static class GroupErrors
{
    /// <summary>Of a name that no group has.</summary>
    public static BackupException NotFound(string name, IReadOnlyList<BackupException> problems) => new(
        BackupErrorId.GroupNotFound,
        problems is [var first, ..]
            ? $"There is no protection group '{name}' in the places that could be read. One that could not: {first.Message}"
            : $"There is no protection group '{name}'.",
        "Get-OBProtectionGroup and 'obengine group list' show the groups that this server knows. One that another server made is found by Sync-OBServer or 'obengine server sync'.",
        name);

    /// <summary>Of a name that is taken.</summary>
    public static BackupException Exists(string name) => new(
        BackupErrorId.GroupExists,
        $"There is a protection group '{name}' already.",
        "Change it with Set-OBProtectionGroup or 'obengine group change', or give the new one another name.",
        name);

    /// <summary>Of a machine that is in another group.</summary>
    public static BackupException MachineTaken(string host, string group) => new(
        BackupErrorId.GroupMachineTaken,
        $"'{host}' is a machine of the protection group '{group}' already: it would be backed up twice.",
        $"Take it out of that group first: Set-OBProtectionGroup '{group}' -RemoveMachine '{host}', or obengine group change '{group}' --remove-machine '{host}'.",
        host);

    /// <summary>Of a group that cannot be as it was said.</summary>
    public static BackupException Invalid(string message, string action, string target) => new(BackupErrorId.ArgumentInvalid, message, action, target);

    /// <summary>Of a group that runs already.</summary>
    public static BackupException Busy(string name) => new(
        BackupErrorId.JobInProgress, $"The protection group '{name}' is just being backed up by another process of this machine.", "Wait until it has ended, then run the same again.", name);

    /// <summary>Of a vault to which this server has no key.</summary>
    public static BackupException KeyMissing(string place, Exception? cause = null) => new(
        BackupErrorId.RecoveryOptionMissing,
        $"The vault in '{place}' cannot be opened without its passphrase: this server keeps no key that opens it.",
        "Give the passphrase: -EncryptionPassphrase (Read-Host -AsSecureString), or --passphrase-file.",
        place,
        innerException: cause);
}
