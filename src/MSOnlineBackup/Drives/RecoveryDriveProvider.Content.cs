using System.Management.Automation.Provider;
using MSOnlineBackup.Engine.Views;
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

        RecoveryVolumes.OfSession.Use(volume);
        return new ItemContentReader(
            (offset, destination) => Run(stop => ReadAsync(volume.View, place.Item, offset, destination, stop)),
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

    // Which object of the vault is damaged helps nobody who does not know of what.
    private static async Task<int> ReadAsync(IItemView view, ViewItem file, long offset, Memory<byte> destination, CancellationToken stop)
    {
        try
        {
            return await view.ReadAsync(file.Id, offset, destination, stop).ConfigureAwait(false);
        }
        catch (BackupException e) when (e.IsOfOneObject)
        {
            throw e.Of(file.FullPath);
        }
    }
}
