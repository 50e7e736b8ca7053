using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Views;

/// <summary>
/// A file that is read by many, anywhere in it. Who reads it one part after the other finds what follows on its way: at first a little, then more. Thread-safe.
/// </summary>
/// <remarks>Memory: the places of its slices, of at most two slice lists at a time; contents are in the cache.</remarks>
internal sealed class ViewedFile
{
    // Systems that read ahead ask for parts side by side, in any order.
    private const long Near = 2 << 20;

    private readonly ManifestEntry _entry;
    private readonly ContentCache _contents;
    private readonly EntryContentReader _lists;
    private readonly long _aheadBytes;
    private readonly long[] _listStarts;
    private readonly Lock _gate = new();
    private Part? _recent;
    private Part? _older;
    private long _next;
    private long _streak;
    private long _foreseen;

    /// <summary>Opens it; nothing is fetched.</summary>
    public ViewedFile(ManifestEntry entry, ContentCache contents, IChunkReader chunks, ViewOptions options)
    {
        (_entry, _contents, _lists, _aheadBytes) = (entry, contents, new EntryContentReader(chunks), options.AheadBytes);
        _listStarts = new long[entry.Content.Lists.Count];
        for (int i = 1; i < _listStarts.Length; i++)
        {
            _listStarts[i] = _listStarts[i - 1] + entry.Content.Lists[i - 1].Length;
        }
    }

    /// <inheritdoc cref="IItemView.ReadAsync"/>
    public async ValueTask<int> ReadAsync(long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        int count = (int)Math.Min(destination.Length, Math.Max(0, _entry.Size - offset));
        await ForeseeAsync(offset, count, cancellationToken).ConfigureAwait(false);
        for (int done = 0; done < count;)
        {
            Part part = await FindPartAsync(offset + done, cancellationToken).ConfigureAwait(false);
            int index = part.Find(offset + done);
            ContentSlice slice = part.Slices[index];
            long within = offset + done - part.Starts[index];
            int length = (int)Math.Min(count - done, slice.Length - within);
            Memory<byte> to = destination.Slice(done, length);
            if (slice.Chunk is { } chunk)
            {
                using ContentCache.Lease lease = await _contents.GetAsync(chunk, cancellationToken).ConfigureAwait(false);
                ReadOnlyMemory<byte> bytes = lease.Bytes;
                if (slice.Offset + slice.Length > bytes.Length)
                {
                    throw VaultDamage.Corrupt(chunk.ToString(), "a file names more bytes of it than it has");
                }

                bytes.Slice((int)(slice.Offset + within), length).CopyTo(to);
            }
            else
            {
                to.Span.Clear();
            }

            done += length;
        }

        return count;
    }

    /// <inheritdoc cref="IItemView.SeekAsync"/>
    public async ValueTask<long?> SeekAsync(long offset, bool isHole, CancellationToken cancellationToken)
    {
        while (offset < _entry.Size)
        {
            Part part = await FindPartAsync(offset, cancellationToken).ConfigureAwait(false);
            for (int index = part.Find(offset); index < part.Slices.Count; index++)
            {
                if (part.Slices[index].Chunk is null == isHole)
                {
                    return Math.Max(offset, part.Starts[index]);
                }
            }

            offset = part.End;
        }

        return isHole && offset == _entry.Size ? _entry.Size : null;
    }

    /// <inheritdoc cref="IItemView.MeasureAsync"/>
    public async ValueTask<ViewExtent> MeasureAsync(long offset, long most, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(offset, _entry.Size);
        ArgumentOutOfRangeException.ThrowIfLessThan(most, 1);
        long end = offset + Math.Min(most, _entry.Size - offset);
        bool? isHole = null;
        for (long at = offset; at < end;)
        {
            Part part = await FindPartAsync(at, cancellationToken).ConfigureAwait(false);
            for (int index = part.Find(at); index < part.Slices.Count && at < end; index++)
            {
                if (part.Slices[index].Chunk is null != (isHole ??= part.Slices[index].Chunk is null))
                {
                    return new ViewExtent(isHole.Value, at - offset);
                }

                at = part.Starts[index] + part.Slices[index].Length;
            }
        }

        return new ViewExtent(isHole!.Value, end - offset);
    }

    // The further somebody has read one part after the other, the more is fetched ahead, so that a look into a file costs little.
    private async ValueTask ForeseeAsync(long offset, int count, CancellationToken cancellationToken)
    {
        long from;
        long to;
        lock (_gate)
        {
            _streak = Math.Abs(offset - _next) <= Near ? _streak + count : count;
            if (_streak == count)
            {
                _foreseen = 0;
            }

            _next = offset + count;
            from = Math.Max(_foreseen, _next);
            to = Math.Min(_entry.Size, _next + Math.Min(_aheadBytes, _streak * 4));

            // In strides: where little would come to it, that waits.
            if (_streak == count || to - from < Math.Min(_aheadBytes / 4, _entry.Size - from))
            {
                return;
            }

            _foreseen = to;
        }

        for (long at = from; at < to;)
        {
            Part part;
            try
            {
                part = await FindPartAsync(at, cancellationToken).ConfigureAwait(false);
            }
            catch (BackupException)
            {
                // It is told when it is needed.
                return;
            }

            int index = part.Find(at);
            if (part.Slices[index].Chunk is { } chunk)
            {
                _contents.Foresee(chunk);
            }

            at = part.Starts[index] + part.Slices[index].Length;
        }
    }

    private async ValueTask<Part> FindPartAsync(long offset, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_recent is { } recent && recent.Holds(offset))
            {
                return recent;
            }

            if (_older is { } older && older.Holds(offset))
            {
                (_recent, _older) = (_older, _recent);
                return older;
            }
        }

        Part part;
        if (_listStarts.Length == 0)
        {
            part = new Part(_entry.Content.Slices, 0);
        }
        else
        {
            int list = Array.BinarySearch(_listStarts, offset);
            list = list < 0 ? ~list - 1 : list;
            part = new Part(await _lists.ReadListAsync(_entry.Content.Lists[list], cancellationToken).ConfigureAwait(false), _listStarts[list]);
        }

        if (!part.Holds(offset))
        {
            throw VaultDamage.Corrupt(_entry.Path.ToString(), "its slices do not cover it");
        }

        lock (_gate)
        {
            (_recent, _older) = (part, _recent);
        }

        return part;
    }

    /// <summary>Slices that follow one another, and where in the file each begins.</summary>
    private sealed class Part
    {
        public Part(IReadOnlyList<ContentSlice> slices, long start)
        {
            Slices = slices;
            Starts = new long[slices.Count];
            End = start;
            for (int i = 0; i < Starts.Length; i++)
            {
                Starts[i] = End;
                End += slices[i].Length;
            }
        }

        public IReadOnlyList<ContentSlice> Slices { get; }

        public long[] Starts { get; }

        public long End { get; }

        public bool Holds(long offset) => Starts.Length > 0 && offset >= Starts[0] && offset < End;

        public int Find(long offset)
        {
            int index = Array.BinarySearch(Starts, offset);
            return index < 0 ? ~index - 1 : index;
        }
    }
}
