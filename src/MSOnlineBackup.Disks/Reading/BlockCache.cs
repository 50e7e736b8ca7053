namespace MSOnlineBackup.Disks.Reading;

/// <summary>
/// A disk whose blocks that were read last are kept. Tables, folders and inodes are read in small pieces, over and over; a file's content is read in long
/// ones, which go by the cache. One is shared by all that read a disk, so that its memory is bounded however many partitions there are. Thread-safe.
/// </summary>
/// <param name="content">The disk.</param>
/// <param name="blocks">How many blocks of 16 KiB are kept at most.</param>
internal sealed class BlockCache(IDiskContent content, int blocks = 256) : IDiskContent
{
    /// <summary>How many bytes are read at once for a small piece.</summary>
    public const int BlockSize = 16 << 10;

    // What is longer than two blocks is content, or is looked at once.
    private const int LongestKept = 2 * BlockSize;

    private readonly Lock _gate = new();
    private readonly Dictionary<long, LinkedListNode<(long Number, byte[] Bytes)>> _kept = [];
    private readonly LinkedList<(long Number, byte[] Bytes)> _byUse = new();

    /// <inheritdoc/>
    public long Length => content.Length;

    /// <inheritdoc/>
    public ValueTask ReadAsync(long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, Length - destination.Length);
        if (destination.Length > LongestKept)
        {
            return content.ReadAsync(offset, destination, cancellationToken);
        }

        // Without a state machine where everything is at hand.
        while (!destination.IsEmpty && Find(offset / BlockSize) is byte[] block)
        {
            int done = Copy(block, offset, destination.Span);
            (offset, destination) = (offset + done, destination[done..]);
        }

        return destination.IsEmpty ? ValueTask.CompletedTask : FetchAsync(offset, destination, cancellationToken);
    }

    private static int Copy(byte[] block, long offset, Span<byte> destination)
    {
        Span<byte> found = block.AsSpan((int)(offset % BlockSize));
        found = found[..Math.Min(found.Length, destination.Length)];
        found.CopyTo(destination);
        return found.Length;
    }

    private async ValueTask FetchAsync(long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        while (!destination.IsEmpty)
        {
            long number = offset / BlockSize;
            if (Find(number) is not byte[] block)
            {
                block = new byte[(int)Math.Min(BlockSize, Length - (number * BlockSize))];
                await content.ReadAsync(number * BlockSize, block, cancellationToken).ConfigureAwait(false);
                Keep(number, block);
            }

            int done = Copy(block, offset, destination.Span);
            (offset, destination) = (offset + done, destination[done..]);
        }
    }

    private byte[]? Find(long number)
    {
        lock (_gate)
        {
            if (!_kept.TryGetValue(number, out LinkedListNode<(long Number, byte[] Bytes)>? node))
            {
                return null;
            }

            _byUse.Remove(node);
            _byUse.AddFirst(node);
            return node.Value.Bytes;
        }
    }

    private void Keep(long number, byte[] block)
    {
        lock (_gate)
        {
            // Two may have read the same one; the first stays.
            if (_kept.ContainsKey(number))
            {
                return;
            }

            if (_kept.Count == blocks)
            {
                _kept.Remove(_byUse.Last!.Value.Number);
                _byUse.RemoveLast();
            }

            _kept.Add(number, _byUse.AddFirst((number, block)));
        }
    }
}
