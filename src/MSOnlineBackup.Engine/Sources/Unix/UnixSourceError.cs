using MSOnlineBackup.Platform.Unix;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Sources.Unix;

/// <summary>What an error number means for an item, or for the root, of a source.</summary>
internal static class UnixSourceError
{
    /// <summary>Why an item could not be read.</summary>
    /// <param name="result">The negative error number.</param>
    /// <param name="path">The item's full path, raw.</param>
    public static BackupException OfItem(int result, ReadOnlySpan<byte> path)
    {
        int error = -result;
        string text = EntryName.Escape(path);
        if (error == Errno.NotFound)
        {
            return Vanished(path);
        }

        if (error == Errno.NoKey)
        {
            return Locked(path, isRoot: false);
        }

        // A link or something else stands where a file or folder was listed.
        if (error == Errno.Loop || error == Errno.NotDirectory || error == Errno.NoSuchDevice)
        {
            return Replaced(path);
        }

        return new BackupException(
            BackupErrorId.SourceItemUnreadable,
            $"'{text}' could not be read: {UnixSystem.Describe(error)}.",
            ActionFor(error),
            text);
    }

    /// <summary>Why an attribute of an item could not be read.</summary>
    /// <param name="result">The negative error number.</param>
    /// <param name="name">The attribute's name; empty for the list of them.</param>
    /// <param name="path">The item's full path, raw.</param>
    public static BackupException OfAttribute(int result, ReadOnlySpan<byte> name, ReadOnlySpan<byte> path)
    {
        string text = EntryName.Escape(path);
        string what = name.IsEmpty ? "The list of extended attributes" : $"The extended attribute '{EntryName.Escape(name)}'";
        return new BackupException(
            BackupErrorId.SourceAttributeUnreadable,
            $"{what} of '{text}' could not be read: {UnixSystem.Describe(-result)}. The rest of the item was backed up.",
            ActionFor(-result),
            text);
    }

    /// <summary>Why a stream of an item could not be read: the item is not complete without it.</summary>
    public static BackupException OfStream(int result, ReadOnlySpan<byte> name, ReadOnlySpan<byte> path)
    {
        string text = EntryName.Escape(path);
        return new BackupException(
            BackupErrorId.SourceItemUnreadable,
            $"'{text}' could not be read in full: its stream '{EntryName.Escape(name)}' failed: {UnixSystem.Describe(-result)}.",
            ActionFor(-result),
            text);
    }

    /// <summary>A folder whose encryption key is not there: its names and contents cannot be told.</summary>
    public static BackupException Locked(ReadOnlySpan<byte> path, bool isRoot)
    {
        string text = EntryName.Escape(path);
        return new BackupException(
            isRoot ? BackupErrorId.SourceLocked : BackupErrorId.SourceItemLocked,
            $"'{text}' is encrypted and locked: its key is not in the kernel, so not even names can be read.",
            "Unlock it (fscrypt unlock, or by logging in as its owner) and run the backup again. Earlier recovery points keep what they have of it.",
            text);
    }

    /// <summary>A folder kept changing while it was listed.</summary>
    public static BackupException Restless(ReadOnlySpan<byte> path)
    {
        string text = EntryName.Escape(path);
        return new BackupException(
            BackupErrorId.SourceItemChanged,
            $"The folder '{text}' kept changing while it was being listed. Names added during that time may be missing.",
            "Back it up again when nothing writes to it, or from a snapshot.",
            text);
    }

    /// <summary>An item that was listed is gone.</summary>
    public static BackupException Vanished(ReadOnlySpan<byte> path)
    {
        string text = EntryName.Escape(path);
        return new BackupException(
            BackupErrorId.SourceItemVanished,
            $"'{text}' vanished between listing and reading.",
            "If it was deleted or moved on purpose, nothing needs to be done: the next backup finds it in its new place.",
            text);
    }

    /// <summary>Something else stands where the item was.</summary>
    public static BackupException Replaced(ReadOnlySpan<byte> path)
    {
        string text = EntryName.Escape(path);
        return new BackupException(
            BackupErrorId.SourceItemChanged,
            $"'{text}' was replaced by something of another kind while it was being read.",
            "Run the backup again when nothing is replacing items in this folder.",
            text);
    }

    /// <summary>The paths below a folder are longer than a recovery point can keep.</summary>
    public static BackupException TooDeep(ReadOnlySpan<byte> path)
    {
        string text = EntryName.Escape(path);
        return new BackupException(
            BackupErrorId.SourceItemUnreadable,
            $"The contents of '{text}' could not be read: their paths would exceed {EntryPath.MaxLength} bytes.",
            "Back up a folder further down as a separate source.",
            text);
    }

    /// <summary>Why the root could not be read.</summary>
    /// <param name="result">The negative error number.</param>
    /// <param name="path">The root's path, raw.</param>
    public static BackupException OfRoot(int result, ReadOnlySpan<byte> path)
    {
        int error = -result;
        string text = EntryName.Escape(path);
        return error == Errno.NotFound || error == Errno.NotDirectory
            ? new BackupException(
                BackupErrorId.SourceNotFound,
                $"The source '{text}' does not exist.",
                "Check the path. If it is on a separate volume, mount that volume.",
                text)
            : new BackupException(
                BackupErrorId.SourceUnreadable,
                $"The source '{text}' could not be read: {UnixSystem.Describe(error)}.",
                ActionFor(error),
                text);
    }

    private static string ActionFor(int error) => error switch
    {
        Errno.AccessDenied or Errno.NotPermitted => "Run the backup as an account that may read it (root may read everything), or exclude it.",
        Errno.InputOutput => "The disk, or the connection to it, reported an error. Check the system log and the health of the disk now.",
        _ => "Check the system log for problems with the file system, then run the backup again. Or exclude the item.",
    };
}
