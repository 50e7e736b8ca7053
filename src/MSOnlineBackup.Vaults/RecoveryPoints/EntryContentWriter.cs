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

    /// <summary>Appends a slice; a hole after a hole makes it longer.</summary>
    public async ValueTask AddAsync(ContentSlice slice, CancellationToken cancellationToken)
    {
        if (_slices.Count > 0 && slice.Chunk is null && _slices[^1].Chunk is null)
        {
            _slices[^1] = _slices[^1] with { Length = _slices[^1].Length + slice.Length };
            return;
        }

        bool boundary = _slices.Count >= MinSlicesPerList && slice.Chunk is { } id && (id.Prefix & BoundaryMask) == 0;
        if (boundary || _slices.Count == EntryContent.SlicesPerList)
        {
            await WriteListAsync(_slices, _lists, cancellationToken).ConfigureAwait(false);
            _slices.Clear();
        }

        _slices.Add(slice);
    }

    /// <summary>The content so far; appending may go on afterwards.</summary>
    public async ValueTask<EntryContent> ToContentAsync(CancellationToken cancellationToken)
    {
        if (_lists.Count == 0 && _slices.Count <= EntryContent.MaxInlineSlices)
        {
            return _slices.Count == 0 ? EntryContent.Empty : new EntryContent([.. _slices], []);
        }

        return await ToListsAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The content so far, in slice lists however short it is; at least one slice was added.</summary>
    public async ValueTask<EntryContent> ToListsAsync(CancellationToken cancellationToken)
    {
        List<SliceListReference> lists = [.. _lists];
        await WriteListAsync(_slices, lists, cancellationToken).ConfigureAwait(false);
        return new EntryContent([], lists);
    }

    /// <summary>Begins the next file.</summary>
    public void Reset()
    {
        _lists.Clear();
        _slices.Clear();
    }

    private async ValueTask WriteListAsync(List<ContentSlice> slices, List<SliceListReference> lists, CancellationToken cancellationToken)
    {
        ChunkId id = await chunks.WriteAsync(ChunkKind.SliceList, SliceListCodec.Encode(slices), cancellationToken).ConfigureAwait(false);
        lists.Add(new SliceListReference(id, slices.Sum(slice => slice.Length)));
    }
}
