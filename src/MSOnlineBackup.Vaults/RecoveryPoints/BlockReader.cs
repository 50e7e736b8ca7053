using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Chunks;

namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>Reads what <see cref="BlockWriter"/> wrote. Nothing is believed: every length is checked against what is there
/// before it is used, and every failure names the block.</summary>
internal ref struct BlockReader
{
    private readonly ReadOnlySpan<byte> _block;
    private readonly ref readonly ChunkId _id;

    public BlockReader(ReadOnlySpan<byte> block, in ChunkId id, int position)
    {
        _block = block;
        _id = ref id;
        Position = position;
    }

    public int Position { get; private set; }

    public readonly bool AtEnd => Position == _block.Length;

    public readonly int Remaining => _block.Length - Position;

    public readonly Errors.BackupException Damaged(string what) => ManifestFormat.Damaged(_id, $"{what} at byte {Position}");

    public byte ReadByte()
    {
        if (Position >= _block.Length)
        {
            throw Damaged("it ends early");
        }

        return _block[Position++];
    }

    public ulong ReadVarint()
    {
        if (Position < _block.Length && _block[Position] < 0x80)
        {
            return _block[Position++];
        }

        ulong value = 0;
        for (int shift = 0; shift < 64; shift += 7)
        {
            byte next = ReadByte();
            if ((shift == 63 && next > 1) || (shift > 0 && next == 0))
            {
                throw Damaged("a number is malformed");
            }

            value |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }

        throw Damaged("a number is malformed");
    }

    /// <summary>A varint that must not exceed a limit.</summary>
    public long ReadNumber(long max)
    {
        ulong value = ReadVarint();
        return value <= (ulong)max ? (long)value : throw Damaged($"a number is {value} where at most {max} can be");
    }

    /// <summary>The counterpart of <see cref="BlockWriter.WriteDelta"/>.</summary>
    public long ReadDelta(long reference)
    {
        unchecked
        {
            ulong zigzag = ReadVarint();
            return reference + ((long)(zigzag >> 1) ^ -(long)(zigzag & 1));
        }
    }

    /// <summary>The counterpart of <see cref="BlockWriter.WriteTime"/>.</summary>
    public ItemTime ReadTime(ItemTime reference)
    {
        long seconds = ReadDelta(reference.Seconds);
        long nanoseconds = ReadDelta(reference.Nanoseconds);
        return nanoseconds is >= 0 and <= 999_999_999 ? new ItemTime(seconds, nanoseconds) : throw Damaged("the nanoseconds of a time are out of range");
    }

    public ReadOnlySpan<byte> ReadBytes(int count)
    {
        if (count > Remaining)
        {
            throw Damaged("it ends early");
        }

        ReadOnlySpan<byte> bytes = _block.Slice(Position, count);
        Position += count;
        return bytes;
    }

    public ChunkId ReadId() => new(ReadBytes(ChunkId.Length));
}
