using System.Management.Automation;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Drives;

/// <summary>What cannot be done, since nothing in a recovery point ever changes: each says what to do.</summary>
public sealed partial class RecoveryDriveProvider
{
    private const string Way = "To bring items back, pipe them into Start-OBRecovery: Get-ChildItem R:\\home -Recurse -Filter *.odt | Start-OBRecovery -RecoveryOption (New-OBRecoveryOption -DestinationPath FOLDER).";

    /// <inheritdoc/>
    protected override void NewItem(string path, string itemTypeName, object newItemValue) => Refuse(path);

    /// <inheritdoc/>
    protected override void RemoveItem(string path, bool recurse) => Refuse(path);

    /// <inheritdoc/>
    protected override void RenameItem(string path, string newName) => Refuse(path);

    /// <inheritdoc/>
    protected override void MoveItem(string path, string destination) => Refuse(path);

    /// <inheritdoc/>
    protected override void CopyItem(string path, string copyPath, bool recurse) => Refuse(copyPath);

    /// <inheritdoc/>
    protected override void SetItem(string path, object value) => Refuse(path);

    /// <inheritdoc/>
    protected override void ClearItem(string path) => Refuse(path);

    /// <inheritdoc/>
    protected override void InvokeDefaultAction(string path) => Refuse(path);

    /// <summary>
    /// PowerShell copies and moves within a provider only, and asks nobody otherwise: its own error says nothing of what to do. Here it can be said, where the command names an item of
    /// a drive.
    /// </summary>
    protected override object? CopyItemDynamicParameters(string path, string destination, bool recurse) => RefuseElsewhere("Copy-Item", path, destination);

    /// <inheritdoc cref="CopyItemDynamicParameters"/>
    protected override object? MoveItemDynamicParameters(string path, string destination) => RefuseElsewhere("Move-Item", path, destination);

    private object? RefuseElsewhere(string command, string path, string destination)
    {
        if (string.IsNullOrEmpty(destination))
        {
            return null;
        }

        ProviderInfo provider;
        try
        {
            SessionState.Path.GetUnresolvedProviderPathFromPSPath(destination, out provider, out _);
        }
        catch (Exception e) when (e is System.Management.Automation.DriveNotFoundException or ProviderNotFoundException or ProviderInvocationException)
        {
            // PowerShell tells that.
            return null;
        }

        return provider.Name == ProviderName ? null : throw new BackupException(
            BackupErrorId.DriveReadOnly, $"{command} brings nothing from a drive of recovery points to another: PowerShell does that within a provider only. {Way}", Way, path);
    }

    private BackupException Refuse(string path)
    {
        var error = new BackupException(
            BackupErrorId.DriveReadOnly, $"'{Shown(path, DriveOf(path))}' cannot be made or changed: a drive of recovery points is only read, as nothing in them ever changes.", Way, path);
        ThrowTerminatingError(RecoveryDriveException.Record(error));
        return error;
    }
}
