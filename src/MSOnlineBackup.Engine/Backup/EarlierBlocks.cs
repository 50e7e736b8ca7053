using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Backup;

/// <summary>
/// The blocks of a disk as an earlier recovery point or a checkpoint has them, as far as they can be taken over: they are there, and were cut on the same grid. Asked for in ascending
/// order; lists that nobody asks for are not read. Memory: one slice list, and the references to all.
/// </summary>
/// <param name="stored">What the vault has.</param>
/// <param name="content">The earlier content.</param>
/// <param name="length">How long the disk is now.</param>
/// <param name="grid">How long blocks are.</param>
internal sealed class EarlierBlocks(StoredContents stored, EntryContent content, long length, int grid)
{
    private readonly long _earlier = content.Slices.Sum(slice => slice.Length) + content.Lists.Sum(list => list.Length);

    // The list that is at hand, or all slices of a content that has none.
    private int _list;
    private long _listStart;
    private IReadOnlyList<ContentSlice>? _slices;
    private bool _isLoaded;
    private bool _isWhole;

    // The slice that is at hand.
    private int _slice;
    private long _sliceStart;

    /// <summary>How many bytes it has.</summary>
    public long Length => _earlier;

    /// <summary>Whether the vault has lost some of what was asked for.</summary>
    public bool HasLost { get; private set; }

    /// <summary>Whether some of what was asked for was cut otherwise.</summary>
    public bool IsOfOtherGrid { get; private set; }

    private bool AtEnd => _list >= Math.Max(1, content.Lists.Count);

    private long ListLength => content.Lists.Count == 0 ? _earlier : content.Lists[_list].Length;

    /// <summary>What can be taken over of a run of blocks, in order; what is missing in between is to be read.</summary>
    /// <param name="from">Where the run begins, at or after the end of the last.</param>
    /// <param name="to">Where it ends.</param>
    public async IAsyncEnumerable<EarlierPart> ReadAsync(long from, long to)
    {
        while (!AtEnd && _listStart < to)
        {
            long end = _listStart + ListLength;
            if (end > from)
            {
                await LoadAsync().ConfigureAwait(false);
                if (_isWhole && _listStart >= from && end <= to && CanTakeAll())
                {
                    yield return new EarlierPart(_listStart, end, default, content.Lists[_list], _slices);
                }
                else
                {
                    foreach (EarlierPart part in ReadSlices(from, to))
                    {
                        yield return part;
                    }
                }

                if (end > to)
                {
                    yield break;
                }
            }

            (_list, _listStart, _slices, _isLoaded) = (_list + 1, end, null, false);
        }
    }

    private IEnumerable<EarlierPart> ReadSlices(long from, long to)
    {
        for (; _slices is not null && _slice < _slices.Count && _sliceStart < to; _sliceStart += _slices[_slice++].Length)
        {
            ContentSlice slice = _slices[_slice];
            long end = _sliceStart + slice.Length;
            long first = _sliceStart;
            long last = end;
            if (slice.Chunk is null)
            {
                // Of a hole as many blocks as lie in it.
                first = DiskPart.RoundUp(Math.Max(from, first), grid);
                last = Math.Min(to, last);
                last = last == length ? last : last - (last % grid);
            }

            if (first >= from && last > first && last <= to && IsOnGrid(first, slice) && IsThere(slice))
            {
                yield return new EarlierPart(first, last, slice.Chunk is null ? slice with { Length = last - first } : slice, null, null);
            }

            if (end > to)
            {
                // The next run may want the rest of it.
                yield break;
            }
        }
    }

    private async ValueTask LoadAsync()
    {
        if (_isLoaded)
        {
            return;
        }

        (_isLoaded, _slice, _sliceStart) = (true, 0, _listStart);
        (_slices, _isWhole) = content.Lists.Count == 0
            ? (content.Slices, false)
            : await stored.ReadListAsync(content.Lists[_list]).ConfigureAwait(false);
        HasLost |= _slices is null;
    }

    private bool CanTakeAll()
    {
        long position = _listStart;
        foreach (ContentSlice slice in _slices!)
        {
            bool isOnGrid = slice.Chunk is not null ? IsOnGrid(position, slice) : position % grid == 0 && (slice.Length % grid == 0 || position + slice.Length == length);
            if (!isOnGrid || !IsThere(slice))
            {
                return false;
            }

            position += slice.Length;
        }

        return true;
    }

    private bool IsThere(ContentSlice slice)
    {
        bool isThere = slice.Chunk is not { } chunk || stored.Has(chunk);
        HasLost |= !isThere;
        return isThere;
    }

    // A chunk is one whole block.
    private bool IsOnGrid(long start, ContentSlice slice)
    {
        if (slice.Chunk is null)
        {
            return true;
        }

        bool isBlock = start % grid == 0 && slice.Offset == 0;
        IsOfOtherGrid |= !isBlock || (slice.Length != grid && start + slice.Length != _earlier);
        return isBlock && slice.Length == Math.Min(grid, length - start);
    }
}

/// <summary>Blocks that can be taken over.</summary>
/// <param name="Start">Where they begin.</param>
/// <param name="End">Where they end.</param>
/// <param name="Slice">The slice, where they are no list.</param>
/// <param name="List">The list, where they are a whole one.</param>
/// <param name="Slices">What it holds.</param>
internal readonly record struct EarlierPart(long Start, long End, ContentSlice Slice, SliceListReference? List, IReadOnlyList<ContentSlice>? Slices);
