using MSOnlineBackup.Platform.Folders;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Vaults.Storage;

/// <summary>The one place where what a file system says becomes an error of the vault.</summary>
internal static class FolderErrors
{
    private enum Cause
    {
        Unknown,
        NotFound,
        Denied,
        ReadOnly,
        Full,

        /// <summary>A link, or something else that is not a file, where an object or a folder should be.</summary>
        Link,

        /// <summary>The medium or the way to it failed; it may recover.</summary>
        Medium,
    }

    /// <summary>Whether an exception is what .NET or <see cref="FolderNative"/> throw when a file system refuses.</summary>
    public static bool IsInputOutput(Exception failure) => failure is IOException or UnauthorizedAccessException;

    /// <summary>Whether it says that the file, or a folder above it, is not there.</summary>
    public static bool IsNotFound(Exception failure) => CauseOf(failure) == Cause.NotFound;

    /// <summary>Whether it says that something is there and cannot be read: the medium fails, or the account may not.</summary>
    public static bool IsRefusal(Exception failure) => CauseOf(failure) is Cause.Denied or Cause.Medium;

    /// <summary>Whether it says that the account may not.</summary>
    public static bool IsDenied(Exception failure) => CauseOf(failure) == Cause.Denied;

    /// <summary>Whether it says that the file system does not know such a call (ENOTTY, EOPNOTSUPP).</summary>
    public static bool IsUnsupported(Exception failure) => failure.HResult is 25 or 95;

    /// <summary>Whether it says that the medium fails.</summary>
    public static bool IsMedium(Exception failure) => CauseOf(failure) is Cause.Medium;

    public static BackupException NotFound(string folder) => new(
        BackupErrorId.VaultNotFound,
        $"There is no folder '{folder}'.",
        "Check the path, and that the disk or share is mounted. To start a new vault there, create it first.",
        folder);

    public static BackupException Occupied(string folder) => new(
        BackupErrorId.VaultExists,
        $"A vault cannot be created in '{folder}': something is there already.",
        "Name an empty or a new folder. To use the vault that is there, open it instead of creating one.",
        folder);

    public static BackupException Vanished(string folder) => new(
        BackupErrorId.VaultUnreachable,
        $"The vault folder '{folder}' was there and is gone, or another folder is in its place. Nothing was written to what is there now.",
        "Connect or mount the disk or share again and rerun the job: what had arrived is used.",
        folder);

    public static BackupException Protected(string folder, string name, Exception cause) => new(
        BackupErrorId.VaultDataProtected,
        $"The file system keeps '{name}' in the vault '{folder}' from being deleted or changed: it, or its folder, has the flag for it.",
        "Nothing needs to be done: maintenance takes the flag off when the time comes, as root, or with the capability CAP_LINUX_IMMUTABLE.",
        name,
        innerException: cause);

    public static BackupException NotLockable(string folder, string name, Exception cause) => new(
        BackupErrorId.VaultAccessDenied,
        IsUnsupported(cause)
            ? $"The file system of the vault '{folder}' has no flags by which it keeps files from being deleted."
            : $"This process may not have the file system keep the files of the vault '{folder}' from being deleted: {cause.Message.TrimEnd('.')}.",
        IsUnsupported(cause)
            ? "Put the vault on ext4, XFS or Btrfs, or do without: the product keeps it immutable all the same."
            : "Run maintenance as root, or with the capability CAP_LINUX_IMMUTABLE, or do without: the product keeps the vault immutable all the same.",
        name,
        innerException: cause);

    public static BackupException Missing(string folder, string name, Exception? cause) => new(
        BackupErrorId.VaultDataMissing,
        $"The vault '{folder}' has no object '{name}'.",
        "Verify the vault to learn what is affected. If files of the vault were moved or deleted, put them back.",
        name,
        innerException: cause);

    /// <summary>The error for a failure of a call on a vault.</summary>
    /// <param name="failure">What was thrown.</param>
    /// <param name="folder">The vault's location.</param>
    /// <param name="name">The object, or the prefix that was listed; null or empty for the vault as a whole.</param>
    public static BackupException Describe(Exception failure, string folder, string? name)
    {
        string subject = string.IsNullOrEmpty(name) ? $"the vault '{folder}'" : $"'{name}' in the vault '{folder}'";
        string target = string.IsNullOrEmpty(name) ? folder : name;
        string reason = failure.Message.TrimEnd('.');
        return CauseOf(failure) switch
        {
            Cause.Link => new BackupException(
                BackupErrorId.VaultDataCorrupt,
                $"In the vault '{folder}', {reason}. Links are never followed below a vault, and nothing is written through them.",
                "Look where it leads, and who put it there; then remove it, or put the files back that belong there.",
                target,
                innerException: failure),
            Cause.Full => new BackupException(
                BackupErrorId.VaultFull,
                $"There is no room left for {subject}: {reason}.",
                "Free room on the disk or raise the quota, then rerun the job: what had arrived is used.",
                target,
                innerException: failure),
            Cause.Denied => new BackupException(
                BackupErrorId.VaultAccessDenied,
                $"Access to {subject} is denied: {reason}.",
                "Run as the account that owns the vault folder, or let this account read and write it and everything below.",
                target,
                innerException: failure),
            Cause.ReadOnly => new BackupException(
                BackupErrorId.VaultAccessDenied,
                $"{Capitalised(subject)} cannot be written: {reason}.",
                "Mount the file system for writing, or name a vault on another one. If it became read-only by itself, check the disk.",
                target,
                innerException: failure),
            Cause.NotFound => new BackupException(
                BackupErrorId.VaultUnreachable,
                $"A part of {subject} vanished during the call: {reason}.",
                "Check that nothing else moves or deletes files of the vault, then rerun the job.",
                target,
                transient: true,
                innerException: failure),
            Cause.Medium => new BackupException(
                BackupErrorId.VaultUnreachable,
                $"The disk or network that holds {subject} fails: {reason}.",
                "Check the disk, its cable or the network, then rerun the job: what had arrived is used.",
                target,
                transient: true,
                innerException: failure),
            _ => new BackupException(
                BackupErrorId.VaultUnreachable,
                $"The file system refuses {subject}: {reason}.",
                "Check the file system that holds the vault, or name a vault on another one.",
                target,
                innerException: failure),
        };
    }

    private static string Capitalised(string subject) => char.ToUpperInvariant(subject[0]) + subject[1..];

    private static Cause CauseOf(Exception failure) => failure switch
    {
        FileNotFoundException or DirectoryNotFoundException or DriveNotFoundException => Cause.NotFound,
        UnauthorizedAccessException => Cause.Denied,
        LinkInVaultException => Cause.Link,
        IOException when OperatingSystem.IsWindows() => WindowsCause(failure.HResult & 0xFFFF),
        IOException => UnixCause(failure.HResult),
        _ => Cause.Unknown,
    };

    private static Cause UnixCause(int error) => error switch
    {
        2 or 20 => Cause.NotFound, // ENOENT, ENOTDIR
        1 or 13 => Cause.Denied, // EPERM, EACCES
        30 => Cause.ReadOnly, // EROFS
        28 => Cause.Full, // ENOSPC
        5 or 6 or 16 or 19 => Cause.Medium, // EIO, ENXIO, EBUSY, ENODEV
        _ => OperatingSystem.IsLinux() ? LinuxCause(error) : MacCause(error),
    };

    private static Cause LinuxCause(int error) => error switch
    {
        122 => Cause.Full, // EDQUOT

        // EBADMSG, EUCLEAN: what the file system has read does not verify
        74 or 117 => Cause.Medium,

        // ECOMM, EPROTO, ENETDOWN … ECONNRESET, ENOTCONN, ESHUTDOWN, ETIMEDOUT, EHOSTDOWN, EHOSTUNREACH, ESTALE, EREMOTEIO
        70 or 71 or (>= 100 and <= 104) or 107 or 108 or 110 or 112 or 113 or 116 or 121 => Cause.Medium,
        _ => Cause.Unknown,
    };

    private static Cause MacCause(int error) => error switch
    {
        69 => Cause.Full, // EDQUOT

        // ENETDOWN … ECONNRESET, ENOTCONN, ESHUTDOWN, ETIMEDOUT, EHOSTDOWN, EHOSTUNREACH, ESTALE
        (>= 50 and <= 54) or 57 or 58 or 60 or 64 or 65 or 70 => Cause.Medium,
        _ => Cause.Unknown,
    };

    private static Cause WindowsCause(int error) => error switch
    {
        2 or 3 => Cause.NotFound, // ERROR_FILE_NOT_FOUND, ERROR_PATH_NOT_FOUND
        5 or 65 => Cause.Denied, // ERROR_ACCESS_DENIED, ERROR_NETWORK_ACCESS_DENIED
        19 => Cause.ReadOnly, // ERROR_WRITE_PROTECT
        39 or 112 or 1295 => Cause.Full, // ERROR_HANDLE_DISK_FULL, ERROR_DISK_FULL, ERROR_DISK_QUOTA_EXCEEDED

        // ERROR_NOT_READY, ERROR_CRC, ERROR_GEN_FAILURE, ERROR_SHARING_VIOLATION, ERROR_LOCK_VIOLATION, the network's, ERROR_SEM_TIMEOUT, ERROR_IO_DEVICE
        21 or 23 or 31 or 32 or 33 or 51 or 53 or 54 or 55 or 59 or 64 or 67 or 121 or 1117 or 1167 or 1231 or 1236 => Cause.Medium,
        _ => Cause.Unknown,
    };
}
