using System.Security.Cryptography;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Machine;

/// <summary>What is said where a passphrase cannot be set, or what was set does not serve.</summary>
internal static class ActivationErrors
{
    private const string DamagedCode = "0x1FC07";

    /// <summary>Whether something failed in a way that leaves a passphrase unset; anything else is a bug.</summary>
    public static bool IsFailure(Exception e) => e is BackupException or IOException or UnauthorizedAccessException or CryptographicException;

    /// <summary>A passphrase was not set, or the key file not made.</summary>
    public static BackupException Failed(string detail, string scratch, Exception inner) => new(
        BackupErrorId.ActivationFailed,
        $"Failed to set the encryption key for secure backups. {detail}",
        "Remove the cause and set the same passphrase again. If the passphrase was saved to a file, bring that to a safe place first; "
            + "it is deleted when the passphrase is set.",
        scratch,
        innerException: inner);

    /// <summary>What was set is no longer whole.</summary>
    public static BackupException Damaged(string cause, string action, string target, Exception? inner = null) => new(
        BackupErrorId.ActivationDamaged,
        $"The activation did not complete successfully. {cause}.",
        action,
        target,
        innerException: inner,
        errorCode: DamagedCode);
}
