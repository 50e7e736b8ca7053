using System.Buffers;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Chunks;

namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>A block being encoded: bytes, varints (LEB128, shortest form), zigzag varints and chunk ids.</summary>
internal sealed class BlockWriter
{
    private readonly ArrayBufferWriter<byte> _bytes;

    public BlockWriter() => _bytes = new ArrayBufferWriter<byte>(1024);

    public BlockWriter(BlockWriter original)
    {
        _bytes = new ArrayBufferWriter<byte>(original.Length + 1024);
        _bytes.Write(original.Written.Span);
    }

    public int Length => _bytes.WrittenCount;

    public ReadOnlyMemory<byte> Written => _bytes.WrittenMemory;

    public void Reset() => _bytes.ResetWrittenCount();

    public void WriteByte(byte value)
    {
        _bytes.GetSpan(1)[0] = value;
        _bytes.Advance(1);
    }

    public void WriteVarint(ulong value)
    {
        Span<byte> span = _bytes.GetSpan(10);
        int length = 0;
        while (value >= 0x80)
        {
            span[length++] = (byte)((value & 0x7f) | 0x80);
            value >>= 7;
        }

        span[length++] = (byte)value;
        _bytes.Advance(length);
    }

    public void WriteVarint(long value)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(value);
        WriteVarint((ulong)value);
    }

    /// <summary>Writes <paramref name="value"/> − <paramref name="reference"/> (mod 2^64), small in both directions.</summary>
    public void WriteDelta(long value, long reference)
    {
        unchecked
        {
            long delta = value - reference;
            WriteVarint((ulong)(delta << 1) ^ (ulong)(delta >> 63));
        }
    }

    /// <summary>Writes a time: what its seconds, then what its nanoseconds have more than the reference's.</summary>
    public void WriteTime(ItemTime value, ItemTime reference)
    {
        WriteDelta(value.Seconds, reference.Seconds);
        WriteDelta(value.Nanoseconds, reference.Nanoseconds);
    }

    public void WriteBytes(ReadOnlySpan<byte> bytes) => _bytes.Write(bytes);

    public void WriteCounted(ReadOnlySpan<byte> bytes)
    {
        WriteVarint(bytes.Length);
        WriteBytes(bytes);
    }

    public void WriteId(ChunkId id)
    {
        id.CopyTo(_bytes.GetSpan(ChunkId.Length));
        _bytes.Advance(ChunkId.Length);
    }
}
