using MSOnlineBackup.Vaults.Chunks;

namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>
/// Collects the slices of one file. A file of many is cut into slice lists where a chunk's id says so, so that an edit in
/// the middle of a large file leaves the lists before and after it as they are.
/// </summary>
/// <remarks>One caller at a time. Memory: one slice list, and a reference to each before it.</remarks>
internal sealed class EntryContentWriter(IChunkWriter chunks)
{
    /// <summary>No list is cut by an id before it has this many slices.</summary>
    public const int MinSlicesPerList = 512;

    private const ulong BoundaryMask = 0x1ff;

    private readonly List<SliceListReference> _lists = [];
    private readonly List<ContentSlice> _slices = [];

    // The open list, as long as it is one that the vault has.
    private (SliceListReference Reference, IReadOnlyList<ContentSlice> Slices)? _known;

    private IReadOnlyList<ContentSlice> Open => _known?.Slices ?? _slices;

    /// <summary>Appends a slice; a hole after a hole makes it longer.</summary>
    public async ValueTask AddAsync(ContentSlice slice, CancellationToken cancellationToken)
    {
        if (EndsBefore(slice))
        {
            await CloseAsync(_lists, cancellationToken).ConfigureAwait(false);
            Clear();
        }
        else if (_known is { } known)
        {
            // It goes on, so it becomes another list.
            _slices.AddRange(known.Slices);
            _known = null;
        }

        if (_slices.Count > 0 && slice.Chunk is null && _slices[^1].Chunk is null)
        {
            _slices[^1] = _slices[^1] with { Length = _slices[^1].Length + slice.Length };
            return;
        }

        _slices.Add(slice);
    }

    /// <summary>Appends the slices of a list that the vault has: where one would begin and end here too, it stays as it is and is not written again.</summary>
    /// <param name="reference">The list.</param>
    /// <param name="slices">What it holds, which must not be changed afterwards.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async ValueTask AddListAsync(SliceListReference reference, IReadOnlyList<ContentSlice> slices, CancellationToken cancellationToken)
    {
        if (Open.Count == 0 || EndsBefore(slices[0]))
        {
            await CloseAsync(_lists, cancellationToken).ConfigureAwait(false);
            Clear();
            _known = (reference, slices);
            return;
        }

        foreach (ContentSlice slice in slices)
        {
            await AddAsync(slice, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>The content so far; appending may go on afterwards.</summary>
    public async ValueTask<EntryContent> ToContentAsync(CancellationToken cancellationToken)
    {
        if (_lists.Count == 0 && Open.Count <= EntryContent.MaxInlineSlices)
        {
            return Open.Count == 0 ? EntryContent.Empty : new EntryContent([.. Open], []);
        }

        return await ToListsAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The content so far, in slice lists however short it is; at least one slice was added.</summary>
    public async ValueTask<EntryContent> ToListsAsync(CancellationToken cancellationToken)
    {
        List<SliceListReference> lists = [.. _lists];
        await CloseAsync(lists, cancellationToken).ConfigureAwait(false);
        return new EntryContent([], lists);
    }

    /// <summary>Begins the next file.</summary>
    public void Reset()
    {
        _lists.Clear();
        Clear();
    }

    // Whether the open list ends before a slice.
    private bool EndsBefore(ContentSlice next)
    {
        IReadOnlyList<ContentSlice> open = Open;
        if (open.Count > 0 && next.Chunk is null && open[^1].Chunk is null)
        {
            return false;
        }

        return open.Count == EntryContent.SlicesPerList
            || (open.Count >= MinSlicesPerList && next.Chunk is { } id && (id.Prefix & BoundaryMask) == 0);
    }

    private void Clear()
    {
        _slices.Clear();
        _known = null;
    }

    private async ValueTask CloseAsync(List<SliceListReference> lists, CancellationToken cancellationToken)
    {
        if (_known is { } known)
        {
            lists.Add(known.Reference);
        }
        else if (_slices.Count > 0)
        {
            await WriteListAsync(_slices, lists, cancellationToken).ConfigureAwait(false);
        }
    }

    private async ValueTask WriteListAsync(List<ContentSlice> slices, List<SliceListReference> lists, CancellationToken cancellationToken)
    {
        ChunkId id = await chunks.WriteAsync(ChunkKind.SliceList, SliceListCodec.Encode(slices), cancellationToken).ConfigureAwait(false);
        lists.Add(new SliceListReference(id, slices.Sum(slice => slice.Length)));
    }
}
