using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Restore;

/// <summary>Where an item goes, and what becomes of what is there.</summary>
/// <param name="Place">Its place below the target.</param>
/// <param name="Placement">What was decided.</param>
/// <param name="Existing">What is there; null where nothing is, or not any more.</param>
/// <param name="Failure">Why it could not be decided, or not be done.</param>
internal readonly record struct PlacedItem(EntryPath Place, Placement Placement, ManifestEntry? Existing, BackupException? Failure);

/// <summary>
/// The one decision about an item: <see cref="ConflictRule"/>, and where that cannot tell without reading contents, what the target has. What must give
/// way before the item is made is taken away.
/// </summary>
/// <param name="contents">Where contents are.</param>
/// <param name="job">The restore.</param>
/// <param name="verify">Whether even the very file that was backed up is read.</param>
internal sealed class ItemPlacing(IItemContents contents, RestoreJob job, bool verify)
{
    /// <summary>Decides for one item.</summary>
    /// <param name="entry">The item.</param>
    /// <param name="place">Its place.</param>
    /// <param name="isKnownFree">Whether nothing can be there: this restore made the folder.</param>
    /// <param name="cancellationToken">Stops.</param>
    public async ValueTask<PlacedItem> PlaceAsync(ManifestEntry entry, EntryPath place, bool isKnownFree, CancellationToken cancellationToken)
    {
        Placement placement = Placement.Free;
        ManifestEntry? existing = null;
        try
        {
            existing = isKnownFree ? null : job.Target.Find(place);
            placement = await DecideAsync(entry, place, existing, cancellationToken).ConfigureAwait(false);
            if (placement == Placement.Clear && existing!.Kind == EntryKind.Directory && job.Target.HoldsItems(place))
            {
                // More would go than was meant.
                placement = Placement.Skip;
            }
            else if (placement == Placement.Clear)
            {
                job.Target.Remove(place);
                job.Tally.CountConflict();
                (placement, existing) = (Placement.Free, null);
            }
            else if (placement == Placement.Rename)
            {
                place = job.Names.FindBeside(place, job.Target);
            }

            return new PlacedItem(place, placement, existing, null);
        }
        catch (BackupException fault) when (RestoreFault.IsOfOneItem(fault))
        {
            return new PlacedItem(place, placement, existing, fault);
        }
    }

    private async ValueTask<Placement> DecideAsync(ManifestEntry entry, EntryPath place, ManifestEntry? existing, CancellationToken cancellationToken)
    {
        Placement placement = ConflictRule.Decide(entry, existing, job.Conflict);
        if (placement == Placement.Compare && !verify && ConflictRule.IsOriginal(entry, existing!))
        {
            return Placement.Same;
        }

        if (placement == Placement.Compare && !await job.Streams.AreAtAsync(entry, existing!.Path, cancellationToken).ConfigureAwait(false))
        {
            // A long stream differs: the file is another, whatever its content is.
            return job.Conflict switch { RestoreConflict.Overwrite => Placement.Replace, RestoreConflict.Copy => Placement.Rename, _ => Placement.Skip };
        }

        if (placement != Placement.Compare || job.Overwrites)
        {
            return placement;
        }

        // What is left as it is must be the same in everything to count as done. Of a file with several names it must be known at once, for
        // if it is another the next name is the first.
        bool isSame = job.Target.HasMetadata(entry with { Path = place })
            && (entry.Kind != EntryKind.File || entry.Metadata.LinkCount <= 1
                || await contents.IsAtAsync(entry, existing!, cancellationToken).ConfigureAwait(false));
        return isSame ? placement : job.Conflict == RestoreConflict.Copy ? Placement.Rename : Placement.Skip;
    }
}
