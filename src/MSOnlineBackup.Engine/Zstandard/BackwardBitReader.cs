using System.Numerics;
using System.Runtime.CompilerServices;

namespace MSOnlineBackup.Engine.Zstandard;

/// <summary>
/// Reads a bit stream from its end to its beginning, as the entropy coders of Zstandard write theirs. The bits are taken from
/// the top of a 64-bit container that <see cref="TryRefill"/> loads anew.
/// </summary>
/// <remarks>
/// Safe without a special case for the last bits because <b>every stream is preceded by at least <see cref="Reach"/> bytes of
/// the same frame</b> (the frame's, the block's and the section's headers): a container may reach that far before the stream.
/// What it reads there is never used by a valid stream, and <see cref="IsAtStart"/> tells a stream that used it. Containers are
/// loaded as they lie in memory, which is right on little-endian processors: all that the engine is built for.
/// </remarks>
internal unsafe struct BackwardBitReader
{
    /// <summary>How many bytes before its stream a reader may load.</summary>
    public const int Reach = sizeof(ulong);

    /// <summary>How many bits can be read after a refill.</summary>
    public const int BitsAfterRefill = 57;

    private readonly byte* _lowest;
    private byte* _position;
    private ulong _container;
    private int _consumed;

    private BackwardBitReader(byte* lowest, byte* position, int consumed)
    {
        _lowest = lowest;
        _position = position;
        _container = *(ulong*)position;
        _consumed = consumed;
    }

    /// <summary>Whether exactly all bits of the stream have been read.</summary>
    public readonly bool IsAtStart => Remaining == 0;

    /// <summary>How many bits of the stream have not been read; negative where more were read than there are.</summary>
    public readonly long Remaining => unchecked(((_position - _lowest) * 8) - _consumed);

    /// <summary>Where the container was loaded from: it holds this byte and the seven that follow.</summary>
    public readonly byte* Position => _position;

    /// <summary>How many of the container's bits, from the top, have been read.</summary>
    public readonly int Consumed => _consumed;

    /// <summary>Opens the stream of <paramref name="size"/> bytes; false where it lacks the bit that marks its end.</summary>
    public static bool TryOpen(byte* start, long size, out BackwardBitReader reader)
    {
        unchecked
        {
            if (size < 1 || start[size - 1] == 0)
            {
                reader = default;
                return false;
            }

            // The highest bit set in the last byte only marks the end: it and the zeros above it are no content.
            int padding = BitOperations.LeadingZeroCount((uint)start[size - 1]) - 24;
            reader = new BackwardBitReader(start - Reach, start + size - sizeof(ulong), padding + 1);
            return true;
        }
    }

    /// <summary>The next <paramref name="count"/> bits, 0 to 63; between two refills no more than <see cref="BitsAfterRefill"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public uint Read(int count)
    {
        unchecked
        {
            // Two shifts, because one shift by 64 would be none.
            ulong bits = (_container << _consumed) >> 1 >> ~count;
            _consumed += count;
            return (uint)bits;
        }
    }

    /// <summary>Loads the container so that at least <see cref="BitsAfterRefill"/> bits can be read; false beyond the stream's start.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryRefill()
    {
        unchecked
        {
            _position -= _consumed >> 3;
            _consumed &= 7;
            if (_position < _lowest)
            {
                return false;
            }

            _container = *(ulong*)_position;
            return true;
        }
    }
}
