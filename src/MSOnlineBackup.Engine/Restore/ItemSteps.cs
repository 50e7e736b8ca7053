using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Restore;

/// <summary>What a restore does with each item, wherever its content comes from: decides once, makes folders and special files, and has files begun.</summary>
/// <param name="job">The restore.</param>
/// <param name="placing">Decides.</param>
/// <param name="mapNames">Whether names are mapped to such as Windows has.</param>
internal sealed class ItemSteps(RestoreJob job, ItemPlacing placing, bool mapNames)
{
    private readonly FolderTrail _folders = new(job, mapNames);
    private readonly SpecialItems _specials = new(job);

    /// <summary>Takes the next item of the selection.</summary>
    /// <param name="selected">The item.</param>
    /// <param name="beginFile">Begins a file that is to be written, or compared.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async ValueTask TakeAsync(SelectedEntry selected, Func<RestoreItem, CancellationToken, ValueTask> beginFile, CancellationToken cancellationToken)
    {
        ManifestEntry entry = selected.Entry;
        RestoreFolder? folder = _folders.FolderOf(selected.Place);
        BackupException? failure = folder?.Failure;
        EntryPath place = _folders.TargetOf(folder, selected.Place, selected.FullPath, ref failure);
        bool hasPlace = failure is null;
        var placed = new PlacedItem(place, Placement.Free, null, failure);
        if (hasPlace)
        {
            placed = await placing.PlaceAsync(entry, place, isKnownFree: folder is { IsNew: true }, cancellationToken).ConfigureAwait(false);
            failure = entry.IsRestorable() ? placed.Failure : entry.Unrestorable(selected.FullPath);
        }

        var item = new RestoreItem(selected, placed.Place, placed.Placement, placed.Existing, folder);
        if (failure is null && placed.Placement == Placement.Skip)
        {
            failure = item.Exists();
        }

        if (placed.Placement is Placement.Skip or Placement.Replace or Placement.Rename)
        {
            job.Tally.CountConflict();
        }

        // What cannot be read of a folder is its list: it, and what was kept of it, is restored.
        if (entry.Kind == EntryKind.Directory && _folders.Open(selected, item, entry.IsRestorable() || !hasPlace ? failure : null))
        {
            await job.Streams.WriteFolderAsync(item, cancellationToken).ConfigureAwait(false);
        }

        if (failure is not null)
        {
            job.Tally.Report(item, failure);
        }
        else if (entry.Kind == EntryKind.File)
        {
            job.Tally.CountKept(entry);
            await beginFile(item, cancellationToken).ConfigureAwait(false);
        }
        else if (entry.Kind != EntryKind.Directory)
        {
            _specials.Create(item);
        }
    }

    /// <summary>The walk is over: no folder waits for it any more.</summary>
    public void Close() => _folders.Close();
}
