using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Platform.Unix;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Restore.Targets.Unix;

/// <summary>What an error number means for a restore.</summary>
internal static class UnixRestoreError
{
    /// <summary>Why an item could not be written.</summary>
    /// <param name="result">The negative error number.</param>
    /// <param name="path">The item's full path, raw.</param>
    public static BackupException OfItem(int result, ReadOnlySpan<byte> path)
    {
        int error = -result;
        string text = EntryName.Escape(path);
        string cause = UnixSystem.Describe(error);
        if (error == Errno.NoSpace || error == Errno.QuotaExceeded)
        {
            return new BackupException(
                BackupErrorId.RestoreTargetFull,
                $"'{text}' could not be written: {cause}.",
                "Make room at the target, then run the restore again; it continues where it stopped.",
                text);
        }

        if (error is Errno.ReadOnly or Errno.AccessDenied)
        {
            return new BackupException(
                BackupErrorId.RestoreTargetUnwritable,
                $"'{text}' could not be written: {cause}.",
                "Restore into a folder that this account may write, or run the restore as another account.",
                text);
        }

        // FAT and its like know only the names of Windows, and macOS only text.
        if ((error == Errno.Invalid || error == Errno.IllegalSequence) && !MappedName.IsPossible(path[(path.LastIndexOf((byte)'/') + 1)..]))
        {
            return RestoreFault.NameImpossible(text);
        }

        return new BackupException(
            BackupErrorId.RestoreItemFailed,
            $"'{text}' could not be restored: {cause}.",
            error == Errno.NotPermitted
                ? "Run the restore as root, or restore onto a file system that supports such items."
                : "Remove the cause, or restore the item to another folder or file system.",
            text);
    }

    /// <summary>Not all that was written is on the medium.</summary>
    /// <param name="result">The negative error number.</param>
    /// <param name="path">The target's full path, raw.</param>
    public static BackupException OfMedium(int result, ReadOnlySpan<byte> path)
    {
        int error = -result;
        string text = EntryName.Escape(path);
        bool isFull = error == Errno.NoSpace || error == Errno.QuotaExceeded;
        return new BackupException(
            isFull ? BackupErrorId.RestoreTargetFull : BackupErrorId.RestoreTargetUnwritable,
            $"Not everything restored to '{text}' could be written to disk: {UnixSystem.Describe(error)}.",
            isFull
                ? "Make room at the target, then run the restore again with --conflict overwrite --verify."
                : "Check the disk, then run the restore again with --conflict overwrite --verify, or restore to another disk.",
            text);
    }

    /// <summary>A file of the target was changed by somebody else while the restore compared it.</summary>
    public static BackupException Changed(ReadOnlySpan<byte> path)
    {
        string text = EntryName.Escape(path);
        return new BackupException(
            BackupErrorId.RestoreItemFailed,
            $"'{text}' was changed by another program while the restore compared it with the recovery point.",
            "Make sure that nothing else writes to the target, then run the restore again.",
            text);
    }

    /// <summary>The vault's own folder is no place to restore into.</summary>
    public static BackupException IsVault(ReadOnlySpan<byte> path)
    {
        string text = PathText.Show(PathText.Local, path);
        return new BackupException(
            BackupErrorId.RestoreTargetInvalid,
            $"'{text}' is in the vault that you are restoring from, so it was not restored.",
            "Restore into a folder outside the vault.",
            text);
    }

    /// <summary>A link stands where a folder of the path should.</summary>
    public static BackupException LinkInTheWay(ReadOnlySpan<byte> path)
    {
        string text = EntryName.Escape(path);
        return new BackupException(
            BackupErrorId.RestoreTargetInvalid,
            $"'{text}' is a symbolic link where the restore needs a folder: following it could write outside the target.",
            "Remove the link, or restore into an empty folder.",
            text);
    }

    /// <summary>Something is at an item's place and may not, or cannot, be replaced.</summary>
    public static BackupException Exists(ReadOnlySpan<byte> path, bool isFolder)
    {
        string text = EntryName.Escape(path);
        return new BackupException(
            BackupErrorId.RestoreItemExists,
            isFolder ? $"There is a folder at '{text}', where the restore needs something else." : $"'{text}' already exists.",
            "Remove or rename it, choose another way to handle existing items, or restore into an empty folder.",
            text);
    }

    /// <summary>The file system has no such time.</summary>
    /// <param name="time">The time to set.</param>
    /// <param name="set">What became of it.</param>
    /// <param name="path">The item's full path, raw.</param>
    public static BackupException TimeOutOfRange(ItemTime time, ItemTime set, ReadOnlySpan<byte> path)
    {
        string text = EntryName.Escape(path);
        return new BackupException(
            BackupErrorId.RestoreMetadataFailed,
            $"The time of '{text}' could not be set: the file system cannot hold {time}. It is {set} now.",
            "If the time matters, restore onto a file system with a wider range of times, such as XFS, Btrfs or APFS.",
            text);
    }

    /// <summary>Something of an item's metadata could not be set.</summary>
    /// <param name="result">The negative error number.</param>
    /// <param name="what">What, with "could not be set" to follow.</param>
    /// <param name="action">What to do.</param>
    /// <param name="path">The item's full path, raw.</param>
    /// <param name="done">What could not be done to it: set or removed.</param>
    public static BackupException OfMetadata(int result, string what, string action, ReadOnlySpan<byte> path, string done = "set")
    {
        string text = EntryName.Escape(path);
        return new BackupException(
            BackupErrorId.RestoreMetadataFailed,
            $"{what} of '{text}' could not be {done}: {UnixSystem.Describe(-result)}.",
            action,
            text);
    }
}
