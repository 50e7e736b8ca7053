using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Stores;

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
/// <param name="store">Where contents are.</param>
/// <param name="job">The restore.</param>
/// <param name="verify">Whether even the very file that was backed up is read, and chunks are identified by what they give.</param>
internal sealed class ItemPlacing(ChunkStore store, RestoreJob job, bool verify)
{
    private readonly EntryContentReader _contents = new(store);

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

        if (placement != Placement.Compare || job.Overwrites)
        {
            return placement;
        }

        // What is left as it is must be the same in everything to count as done. Of a file with several names it must be known at once, for
        // if it is another the next name is the first.
        bool isSame = job.Target.HasMetadata(entry with { Path = place })
            && (entry.Kind != EntryKind.File || entry.Metadata.LinkCount <= 1
                || await HasContentAsync(entry, existing!, cancellationToken).ConfigureAwait(false));
        return isSame ? placement : job.Conflict == RestoreConflict.Copy ? Placement.Rename : Placement.Skip;
    }

    private async ValueTask<bool> HasContentAsync(ManifestEntry entry, ManifestEntry existing, CancellationToken cancellationToken)
    {
        byte[] buffer = System.Buffers.ArrayPool<byte>.Shared.Rent((int)Math.Clamp(entry.Size, 1, ChunkCodec.MaxRawLength));
        try
        {
            long offset = 0;
            await foreach (ContentSlice slice in _contents.ReadAsync(entry.Content, cancellationToken).ConfigureAwait(false))
            {
                bool isSame = slice.Chunk is { } chunk
                    ? await HasSliceAsync(chunk, slice.Offset, existing, offset, buffer.AsMemory(0, (int)slice.Length), cancellationToken).ConfigureAwait(false)
                    : job.Target.IsZero(existing, offset, slice.Length);
                if (!isSame)
                {
                    return false;
                }

                offset += slice.Length;
            }

            return true;
        }
        catch (BackupException fault) when (fault.IsDamage)
        {
            return false;
        }
        finally
        {
            System.Buffers.ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private async ValueTask<bool> HasSliceAsync(
        ChunkId chunk, int chunkOffset, ManifestEntry existing, long offset, Memory<byte> there, CancellationToken cancellationToken)
    {
        if (job.Target.Read(existing, offset, there.Span) != there.Length)
        {
            return false;
        }

        if (chunkOffset == 0 && store.Identity.Compute(ChunkKind.Content, there.Span) == chunk)
        {
            return true;
        }

        ReadOnlyMemory<byte> content = await store.ReadAsync(ChunkKind.Content, chunk, identify: verify, cancellationToken).ConfigureAwait(false);
        return chunkOffset + there.Length <= content.Length && content.Span.Slice(chunkOffset, there.Length).SequenceEqual(there.Span);
    }
}
