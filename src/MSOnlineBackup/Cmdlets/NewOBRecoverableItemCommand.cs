using System.Management.Automation;
using MSOnlineBackup.Completion;
using MSOnlineBackup.Model.Conversions;
using MSOnlineBackup.Recovery;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Names an item of a recovery point by its path, without browsing to it.</summary>
[Cmdlet(VerbsCommon.New, "OBRecoverableItem")]
[OutputType(typeof(OBRecoverableItem))]
public sealed class NewOBRecoverableItemCommand : RecoveryCmdlet
{
    /// <summary>The item below which it is: a recovery point of a source, or a folder.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    public OBRecoverableItem OBRecoverableItem { get; set; } = null!;

    /// <summary>Its path below that.</summary>
    [Parameter(Mandatory = true, Position = 1, ValueFromPipeline = true)]
    [ArgumentCompleter(typeof(ItemPathCompleter))]
    [ValidateNotNullOrEmpty]
    public string RelativePath { get; set; } = "";

    /// <summary>Whether it is a folder.</summary>
    [Parameter(Mandatory = true, Position = 2, ValueFromPipeline = true)]
    public bool IsDir { get; set; }

    /// <inheritdoc/>
    protected override void Process() => Run(async (pump, stop) =>
    {
        RecoveryArchive archive = await OpenAsync(OBRecoverableItem.ServerName, OBRecoverableItem.Access, stop).ConfigureAwait(false);
        RecoveryPoint point = await archive.FindAsync(OBRecoverableItem.RecoveryPointId, stop).ConfigureAwait(false);
        string folder = OBRecoverableItem.IsWholePoint ? "" : OBRecoverableItem.ItemNameGuid;
        string path = PathText.Join(point.Form, folder, RelativePath);
        RecoverableItem item = await archive.GetItemAsync(point, path, stop).ConfigureAwait(false);
        OBRecoverableItem found = item.ToOutput(point, archive.Access);
        if (found.IsDir != IsDir)
        {
            throw new BackupException(
                BackupErrorId.ArgumentInvalid,
                $"'{path}' is {(found.IsDir ? "a folder" : "not a folder")} in the recovery point, but -IsDir says otherwise.",
                $"Use -IsDir ${(found.IsDir ? "true" : "false")}.",
                path);
        }

        await pump.WriteObjectAsync(found).ConfigureAwait(false);
    });
}
