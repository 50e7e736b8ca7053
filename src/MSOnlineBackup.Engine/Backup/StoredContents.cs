using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Engine.Backup;

/// <summary>What the vault has of the contents that earlier points name: what is taken over without being read must be there still. One caller at a time.</summary>
/// <param name="store">The store.</param>
/// <param name="check">Told of each chunk that is relied on.</param>
internal sealed class StoredContents(ChunkStore store, SpotCheck check)
{
    private readonly EntryContentReader _contents = new(store);
    private ChunkId? _lastKnownChunk;

    /// <summary>Whether all of an entry's content is there: of its inline slices, and of those in slice lists, which are read for it. Its long streams too.</summary>
    /// <param name="known">The entry, as an earlier point or a checkpoint has it.</param>
    public async ValueTask<bool> HaveAsync(ManifestEntry known)
    {
        if (!HasSlices(known))
        {
            return false;
        }

        bool areThere = await HaveAsync(known.Content.Lists).ConfigureAwait(false);
        foreach (ItemContent stream in known.LongStreams)
        {
            areThere = areThere && await HaveAsync(stream.Content.Lists).ConfigureAwait(false);
        }

        return areThere;
    }

    /// <summary>The slices of an entry's content, those in slice lists too.</summary>
    public IAsyncEnumerable<ContentSlice> ReadAsync(ManifestEntry known) => _contents.ReadAsync(known.Content, CancellationToken.None);

    private async ValueTask<bool> HaveAsync(IReadOnlyList<SliceListReference> lists)
    {
        foreach (SliceListReference list in lists)
        {
            if (!await HasListAsync(list).ConfigureAwait(false))
            {
                return false;
            }
        }

        return true;
    }

    private bool HasSlices(ManifestEntry known)
    {
        IReadOnlyList<ContentSlice> slices = known.Content.Slices;
        for (int i = 0; i < slices.Count; i++)
        {
            if (slices[i].Chunk is { } chunk && !Has(chunk))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Whether a chunk of content is there, to be relied on.</summary>
    public bool Has(ChunkId chunk)
    {
        // Neighbours share a bundle.
        if (_lastKnownChunk == chunk)
        {
            return true;
        }

        if (!store.Contains(chunk))
        {
            return false;
        }

        _lastKnownChunk = chunk;
        check.Consider(chunk);
        return true;
    }

    /// <summary>The slices of a list; null where the vault has lost it. It may be named again only where it is whole: what only parity gives must be stored again.</summary>
    public async ValueTask<(IReadOnlyList<ContentSlice>? Slices, bool IsWhole)> ReadListAsync(SliceListReference list)
    {
        if (!store.Contains(list.Id))
        {
            return default;
        }

        try
        {
            IReadOnlyList<ContentSlice> slices = await _contents.ReadListAsync(list, CancellationToken.None).ConfigureAwait(false);
            return (slices, store.Contains(list.Id));
        }
        catch (BackupException e) when (e.IsDamage)
        {
            store.Report(e);
            return default;
        }
    }

    private async ValueTask<bool> HasListAsync(SliceListReference list)
    {
        (IReadOnlyList<ContentSlice>? slices, bool isWhole) = await ReadListAsync(list).ConfigureAwait(false);
        return isWhole && slices!.All(slice => slice.Chunk is not { } chunk || Has(chunk));
    }
}
