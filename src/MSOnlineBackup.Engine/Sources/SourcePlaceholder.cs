using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Sources;

/// <summary>Items whose content is in a cloud: opening one would fetch it, and a backup would fetch them all.</summary>
internal static class SourcePlaceholder
{
    /// <summary>Why such an item is not read.</summary>
    public static BackupException Failure(ReadOnlySpan<byte> path)
    {
        string text = PathText.Show(PathText.Local, path);
        return new BackupException(
            BackupErrorId.SourceItemUnreadable,
            $"'{text}' is only a placeholder here: its content is in the cloud and was not fetched.",
            "Have the cloud program keep the item on this device, exclude the item, or allow that such items are fetched: '--allow-source placeholder' or "
                + "Set-OBMachineSetting -AllowSource Placeholder.",
            text,
            errorCode: "0x8007018b");
    }
}
