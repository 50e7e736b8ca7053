using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace MSOnlineBackup.Vaults.Pipes;

/// <summary>Puts a frame's body together: numbers little endian, texts as their length (2 bytes) and UTF-8.</summary>
[SuppressMessage("Design", "CA1001", Justification = "A stream in memory holds nothing.")]
internal sealed class PipeBodyWriter
{
    private readonly MemoryStream _bytes = new();

    /// <summary>How many bytes there are.</summary>
    public int Length => (int)_bytes.Length;

    public PipeBodyWriter Byte(byte value)
    {
        _bytes.WriteByte(value);
        return this;
    }

    public PipeBodyWriter Number(long value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        _bytes.Write(bytes);
        return this;
    }

    /// <summary>A text; what is longer than <paramref name="most"/> characters is cut.</summary>
    public PipeBodyWriter Text(string value, int most = 4000)
    {
        byte[] text = Encoding.UTF8.GetBytes(value.Length > most ? value[..most] : value);
        _bytes.WriteByte((byte)(text.Length & 0xff));
        _bytes.WriteByte((byte)(text.Length >> 8));
        _bytes.Write(text);
        return this;
    }

    public PipeBodyWriter Bytes(ReadOnlySpan<byte> value)
    {
        _bytes.Write(value);
        return this;
    }

    public byte[] ToArray() => _bytes.ToArray();
}

/// <summary>Takes a frame's body apart.</summary>
internal ref struct PipeBodyReader(ReadOnlySpan<byte> body)
{
    private ReadOnlySpan<byte> _rest = body;

    /// <summary>Whether everything was read.</summary>
    public readonly bool IsAtEnd => _rest.IsEmpty;

    public byte Byte() => Take(1)[0];

    public long Number() => BinaryPrimitives.ReadInt64LittleEndian(Take(sizeof(long)));

    public string Text()
    {
        int length = BinaryPrimitives.ReadUInt16LittleEndian(Take(2));
        return Encoding.UTF8.GetString(Take(length));
    }

    /// <summary>All that is left.</summary>
    public ReadOnlySpan<byte> Rest() => Take(_rest.Length);

    /// <summary>Refuses what is left over.</summary>
    public readonly void End()
    {
        if (!IsAtEnd)
        {
            throw PipeErrors.Garbled("a frame that is too long");
        }
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > _rest.Length)
        {
            throw PipeErrors.Garbled("a frame that is too short");
        }

        ReadOnlySpan<byte> taken = _rest[..count];
        _rest = _rest[count..];
        return taken;
    }
}
