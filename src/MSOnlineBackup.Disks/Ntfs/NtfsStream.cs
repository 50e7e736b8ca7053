namespace MSOnlineBackup.Disks.Ntfs;

/// <summary>The bytes of an attribute. Thread-safe.</summary>
internal sealed class NtfsStream
{
    private const int LargestUnit = 1 << 20;

    private readonly ReadOnlyMemory<byte> _value;
    private readonly NtfsClusters? _clusters;
    private readonly NtfsMap? _map;
    private readonly long _validLength;
    private readonly int _unitSize;
    private Unit? _last;

    /// <summary>One whose value stands in its record.</summary>
    public NtfsStream(ReadOnlyMemory<byte> value)
    {
        _value = value;
        Length = value.Length;
    }

    /// <summary>One that has clusters.</summary>
    /// <param name="first">Its first part.</param>
    public NtfsStream(NtfsClusters clusters, NtfsAttribute first, NtfsMap map)
    {
        _clusters = clusters;
        _map = map;
        _validLength = first.ValidLength;
        Length = first.Length;
        if (first.IsEncrypted)
        {
            throw NtfsFault.Unsupported("a file is encrypted (EFS)");
        }

        if (first.Compression > 1)
        {
            throw NtfsFault.Unsupported($"a file is compressed by method {first.Compression}");
        }

        if (first.Compression == 1)
        {
            // 0 stands in parts whose unit is the usual one.
            long unit = (long)clusters.Boot.ClusterSize << (first.UnitShift == 0 ? 4 : first.UnitShift);
            _unitSize = unit <= LargestUnit ? (int)unit : throw NtfsFault.Corrupt($"{unit} bytes are compressed together");
        }
    }

    /// <summary>How many bytes it has.</summary>
    public long Length { get; }

    /// <summary>Reads: as many as there are, and have room.</summary>
    public async ValueTask<int> ReadAsync(long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        if (offset >= Length)
        {
            return 0;
        }

        int count = (int)Math.Min(destination.Length, Length - offset);
        destination = destination[..count];
        if (_map is null)
        {
            _value.Slice((int)offset, count).CopyTo(destination);
            return count;
        }

        int valid = (int)Math.Clamp(_validLength - offset, 0, count);
        destination[valid..].Span.Clear();
        for (int done = 0; done < valid;)
        {
            done += _unitSize == 0
                ? await ReadRunAsync(offset + done, destination[done..valid], cancellationToken).ConfigureAwait(false)
                : await ReadUnitAsync(offset + done, destination[done..valid], cancellationToken).ConfigureAwait(false);
        }

        return count;
    }

    /// <summary>All of one that is small.</summary>
    /// <param name="limit">The most bytes that it may have.</param>
    /// <param name="name">What it is, for messages.</param>
    public async ValueTask<byte[]> ReadAllAsync(int limit, string name, CancellationToken cancellationToken)
    {
        byte[] bytes = Length <= limit ? new byte[Length] : throw NtfsFault.Corrupt($"{name} has {Length} bytes");
        await ReadAsync(0, bytes, cancellationToken).ConfigureAwait(false);
        return bytes;
    }

    private async ValueTask<int> ReadRunAsync(long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        int size = _clusters!.Boot.ClusterSize;
        (long cluster, long skip) = Math.DivRem(offset, size);
        NtfsRun run = await _map!.FindAsync(cluster, cancellationToken).ConfigureAwait(false)
            ?? throw NtfsFault.Corrupt("a file is longer than its runs");
        long bytes = run.Count > (long.MaxValue / size) ? long.MaxValue : run.Count * size;
        int count = (int)Math.Min(destination.Length, bytes - skip);
        if (run.IsHole)
        {
            destination.Span[..count].Clear();
        }
        else
        {
            await _clusters.ReadAsync(run.Cluster, skip, destination[..count], cancellationToken).ConfigureAwait(false);
        }

        return count;
    }

    private async ValueTask<int> ReadUnitAsync(long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        (long number, long skip) = Math.DivRem(offset, _unitSize);
        Unit? unit = _last;
        if (unit?.Number != number)
        {
            unit = new Unit(number, await UnpackAsync(number, cancellationToken).ConfigureAwait(false));
            _last = unit;
        }

        int count = Math.Min(destination.Length, _unitSize - (int)skip);
        unit.Bytes.AsSpan((int)skip, count).CopyTo(destination.Span);
        return count;
    }

    // A unit without clusters is all zeroes, one with all of them is not compressed.
    private async ValueTask<byte[]> UnpackAsync(long number, CancellationToken cancellationToken)
    {
        int size = _clusters!.Boot.ClusterSize;
        int perUnit = _unitSize / size;
        byte[] bytes = new byte[_unitSize];
        int filled = 0;
        for (int i = 0; i < perUnit;)
        {
            if (await _map!.FindAsync((number * perUnit) + i, cancellationToken).ConfigureAwait(false) is not NtfsRun run)
            {
                break;
            }

            int count = (int)Math.Min(run.Count, perUnit - i);
            if (!run.IsHole)
            {
                if (filled != i)
                {
                    throw NtfsFault.Corrupt("compressed clusters come after a hole");
                }

                await _clusters.ReadAsync(run.Cluster, 0, bytes.AsMemory(i * size, count * size), cancellationToken).ConfigureAwait(false);
                filled += count;
            }

            i += count;
        }

        return filled == 0 || filled == perUnit ? bytes : Lznt1.Decompress(bytes.AsSpan(0, filled * size), _unitSize);
    }

    private sealed record Unit(long Number, byte[] Bytes);
}
