using System.Runtime.CompilerServices;

namespace MSOnlineBackup.Engine.Zstandard;

/// <summary>
/// Writes bits from the lowest up, whole bytes at a time. Between two <see cref="Flush"/>es at most 56 bits may be added.
/// Each flush stores eight bytes: the room must have as many behind its last byte.
/// </summary>
internal unsafe struct BitWriter
{
    private byte* _next;
    private ulong _bits;
    private int _count;

    /// <summary>Begins at a byte.</summary>
    public BitWriter(byte* destination) => _next = destination;

    /// <summary>Where the next whole byte will stand.</summary>
    public readonly byte* Position => _next;

    /// <summary>Adds the lowest bits of a value that has no others.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(uint value, int count)
    {
        unchecked
        {
            _bits |= (ulong)value << _count;
            _count += count;
        }
    }

    /// <summary>Stores what is complete.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Flush()
    {
        unchecked
        {
            *(ulong*)_next = _bits;
            _next += _count >> 3;
            _bits >>= _count & ~7;
            _count &= 7;
        }
    }

    /// <summary>Stores the rest, filled up with zeros to a byte; returns where it ends.</summary>
    public byte* Finish()
    {
        unchecked
        {
            Flush();
            *_next = (byte)_bits;
            return _next + ((_count + 7) >> 3);
        }
    }

    /// <summary>Ends a stream that is read backwards: with a set bit, so that the reader finds the last one.</summary>
    public byte* FinishStream()
    {
        Add(1, 1);
        return Finish();
    }
}
