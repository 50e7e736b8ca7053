using System.Runtime.InteropServices;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>Writes content slices. A chunk's id stands once in a block; a slice that goes on where the last one of the same
/// chunk ended, as the small files of a bundle do, costs one byte and its length.</summary>
internal sealed class SliceEncoder
{
    private readonly Dictionary<ChunkId, (int Index, long End)> _chunks = [];

    public SliceEncoder()
    {
    }

    public SliceEncoder(SliceEncoder original) => _chunks = new(original._chunks);

    public void Reset() => _chunks.Clear();

    /// <summary>Writes one slice.</summary>
    /// <exception cref="InvalidOperationException">The slice is none: a bug of the caller.</exception>
    public void Write(BlockWriter block, ContentSlice slice)
    {
        if (!IsSound(slice))
        {
            throw new InvalidOperationException($"A slice of {slice.Length} bytes at {slice.Offset} is not legal.");
        }

        if (slice.Chunk is not { } id)
        {
            block.WriteByte(0);
            block.WriteVarint(slice.Length);
            return;
        }

        ref (int Index, long End) chunk = ref CollectionsMarshal.GetValueRefOrAddDefault(_chunks, id, out bool known);
        if (!known)
        {
            chunk.Index = _chunks.Count - 1;
        }

        ulong reference = known ? (ulong)(_chunks.Count - 1 - chunk.Index) + 2 : 1;
        bool goesOn = slice.Offset == chunk.End;
        block.WriteVarint((reference << 1) | (goesOn ? 1UL : 0UL));
        if (!known)
        {
            block.WriteId(id);
        }

        if (!goesOn)
        {
            block.WriteVarint(slice.Offset);
        }

        block.WriteVarint(slice.Length);
        chunk.End = slice.Offset + slice.Length;
    }

    private static bool IsSound(ContentSlice slice) => slice.Length > 0
        && (slice.Chunk is null ? slice.Offset == 0 : slice.Offset >= 0 && slice.Length <= int.MaxValue - slice.Offset);
}

/// <summary>The counterpart of <see cref="SliceEncoder"/>.</summary>
internal sealed class SliceDecoder
{
    private (ChunkId Id, int End)[] _chunks = new (ChunkId, int)[16];
    private int _count;

    /// <summary>Reads the next slice.</summary>
    /// <exception cref="BackupException">VaultDataCorrupt.</exception>
    public void Read(ref BlockReader block, out ContentSlice slice)
    {
        ulong head = block.ReadVarint();
        if (head == 0)
        {
            slice = new ContentSlice(null, 0, ReadLength(ref block, long.MaxValue));
            return;
        }

        ulong reference = head >> 1;
        bool goesOn = (head & 1) != 0;
        if (reference == 1)
        {
            ChunkId added = block.ReadId();
            if (_count == _chunks.Length)
            {
                Array.Resize(ref _chunks, _count * 2);
            }

            _chunks[_count++] = (added, 0);
            reference = 2;
        }

        if (reference < 2 || reference - 2 >= (ulong)_count)
        {
            throw block.Damaged("a slice does not name a chunk");
        }

        ref (ChunkId Id, int End) chunk = ref _chunks[_count - 1 - (int)(reference - 2)];
        int offset = goesOn ? chunk.End : (int)block.ReadNumber(int.MaxValue);
        long length = ReadLength(ref block, int.MaxValue - offset);
        chunk.End = offset + (int)length;
        slice = new ContentSlice(chunk.Id, offset, length);
    }

    private static long ReadLength(ref BlockReader block, long max)
    {
        long length = block.ReadNumber(max);
        return length > 0 ? length : throw block.Damaged("a slice is empty");
    }
}
