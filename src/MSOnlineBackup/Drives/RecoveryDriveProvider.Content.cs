using System.Management.Automation.Provider;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Drives;

/// <summary>What files hold.</summary>
public sealed partial class RecoveryDriveProvider
{
    /// <inheritdoc/>
    public object GetContentReaderDynamicParameters(string path) => new ReadContentParameters();

    /// <inheritdoc/>
    public IContentReader GetContentReader(string path) => Guarded(() => Look(path, followsLast: true, (found, volume) =>
    {
        DrivePlace place = found ?? throw NotFound(path);
        if (place.Item.Entry.Kind != EntryKind.File)
        {
            throw new BackupException(
                BackupErrorId.RestoreItemFailed,
                $"'{Shown(path, DriveOf(path))}' is {(place.Item.IsFolder ? "a folder" : "not a file")}: only files have content.",
                "Name a file; Get-ChildItem -File lists those of a folder.",
                path);
        }

        ulong id = place.Item.Id;
        RecoveryVolumes.OfSession.Use(volume);
        return new ItemContentReader(
            (offset, destination) => Run(stop => volume.View.ReadAsync(id, offset, destination, stop).AsTask()),
            ReadContentParameters.From(DynamicParameters),
            () => RecoveryVolumes.OfSession.Release(volume));
    }));

    /// <inheritdoc/>
    public object? GetContentWriterDynamicParameters(string path) => null;

    /// <inheritdoc/>
    public IContentWriter GetContentWriter(string path) => throw Refuse(path);

    /// <inheritdoc/>
    public object? ClearContentDynamicParameters(string path) => null;

    /// <inheritdoc/>
    public void ClearContent(string path) => Refuse(path);
}
