namespace MSOnlineBackup.Disks.Reading;

/// <summary>Several runs of bytes as one disk.</summary>
internal sealed class JoinedContent : IDiskContent
{
    private readonly IReadOnlyList<IDiskContent> _pieces;
    private readonly long[] _starts;

    /// <summary>Joins them.</summary>
    /// <param name="pieces">In their order; none is empty, and together they have less than 2^63 bytes.</param>
    public JoinedContent(IReadOnlyList<IDiskContent> pieces)
    {
        _pieces = pieces;
        _starts = new long[pieces.Count];
        for (int i = 0; i < pieces.Count; i++)
        {
            _starts[i] = Length;
            Length += pieces[i].Length;
        }
    }

    /// <inheritdoc/>
    public long Length { get; }

    /// <inheritdoc/>
    public async ValueTask ReadAsync(long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, Length - destination.Length);
        int found = Array.BinarySearch(_starts, offset);
        for (int piece = found < 0 ? ~found - 1 : found; !destination.IsEmpty; piece++)
        {
            long skip = offset - _starts[piece];
            int count = (int)Math.Min(destination.Length, _pieces[piece].Length - skip);
            await _pieces[piece].ReadAsync(skip, destination[..count], cancellationToken).ConfigureAwait(false);
            (offset, destination) = (offset + count, destination[count..]);
        }
    }
}
