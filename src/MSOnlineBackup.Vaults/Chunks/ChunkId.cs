using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace MSOnlineBackup.Vaults.Chunks;

/// <summary>The keyed identity of a chunk: HMAC-SHA-256 over its kind and its plaintext. Ordered by raw bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct ChunkId : IComparable<ChunkId>
{
    /// <summary>Length in bytes.</summary>
    public const int Length = 32;

    // Big-endian words, so that comparing words compares bytes.
    private readonly ulong _a;
    private readonly ulong _b;
    private readonly ulong _c;
    private readonly ulong _d;

    /// <summary>Reads an id from exactly 32 bytes.</summary>
    public ChunkId(ReadOnlySpan<byte> bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(bytes.Length, Length);
        _a = BinaryPrimitives.ReadUInt64BigEndian(bytes);
        _b = BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]);
        _c = BinaryPrimitives.ReadUInt64BigEndian(bytes[16..]);
        _d = BinaryPrimitives.ReadUInt64BigEndian(bytes[24..]);
    }

    /// <summary>The first eight bytes as a number: ids are HMAC output, so it is evenly spread.</summary>
    public ulong Prefix => _a;

    /// <summary>Writes the 32 bytes.</summary>
    public void CopyTo(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt64BigEndian(destination, _a);
        BinaryPrimitives.WriteUInt64BigEndian(destination[8..], _b);
        BinaryPrimitives.WriteUInt64BigEndian(destination[16..], _c);
        BinaryPrimitives.WriteUInt64BigEndian(destination[24..], _d);
    }

    /// <inheritdoc/>
    public int CompareTo(ChunkId other)
    {
        int order = _a.CompareTo(other._a);
        if (order == 0)
        {
            order = _b.CompareTo(other._b);
        }

        if (order == 0)
        {
            order = _c.CompareTo(other._c);
        }

        return order != 0 ? order : _d.CompareTo(other._d);
    }

    /// <inheritdoc/>
    public override int GetHashCode() => _a.GetHashCode();

    /// <summary>64 lower-case hexadecimal digits.</summary>
    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[Length];
        CopyTo(bytes);
        return Convert.ToHexStringLower(bytes);
    }

    /// <summary>Orders ids.</summary>
    public static bool operator <(ChunkId left, ChunkId right) => left.CompareTo(right) < 0;

    /// <summary>Orders ids.</summary>
    public static bool operator >(ChunkId left, ChunkId right) => left.CompareTo(right) > 0;

    /// <summary>Orders ids.</summary>
    public static bool operator <=(ChunkId left, ChunkId right) => left.CompareTo(right) <= 0;

    /// <summary>Orders ids.</summary>
    public static bool operator >=(ChunkId left, ChunkId right) => left.CompareTo(right) >= 0;
}
