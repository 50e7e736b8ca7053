using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace MSOnlineBackup.Vaults.Parity;

/// <summary>
/// The field of 256 elements, as bytes: addition is exclusive or, multiplication is that of polynomials modulo x^8 + x^4 + x^3 + x^2 + 1 (0x11d).
/// </summary>
internal static class GaloisField
{
    private const int Polynomial = 0x11d;
    private const int NonZero = 255;
    private const int NibbleTable = 16;

    private static readonly byte[] _exponents = new byte[2 * NonZero];
    private static readonly byte[] _logarithms = new byte[256];

    // For each factor its products with the 16 low nibbles, then with the 16 high ones.
    private static readonly byte[] _nibbles = new byte[256 * 2 * NibbleTable];

    static GaloisField()
    {
        int power = 1;
        for (int i = 0; i < NonZero; i++)
        {
            _exponents[i] = _exponents[i + NonZero] = (byte)power;
            _logarithms[power] = (byte)i;
            power <<= 1;
            power ^= power > 0xff ? Polynomial : 0;
        }

        for (int factor = 0; factor < 256; factor++)
        {
            for (int nibble = 0; nibble < NibbleTable; nibble++)
            {
                int at = (factor * 2 * NibbleTable) + nibble;
                _nibbles[at] = Multiply((byte)factor, (byte)nibble);
                _nibbles[at + NibbleTable] = Multiply((byte)factor, (byte)(nibble << 4));
            }
        }
    }

    /// <summary>The product of two elements.</summary>
    public static byte Multiply(byte x, byte y) => x == 0 || y == 0 ? (byte)0 : _exponents[_logarithms[x] + _logarithms[y]];

    /// <summary>The element whose product with this one is 1.</summary>
    /// <param name="x">Not 0.</param>
    public static byte Inverse(byte x)
    {
        ArgumentOutOfRangeException.ThrowIfZero(x);
        return _exponents[NonZero - _logarithms[x]];
    }

    /// <summary>Adds the products of a factor with the elements of one span to those of another.</summary>
    /// <param name="factor">The factor.</param>
    /// <param name="elements">What is multiplied.</param>
    /// <param name="sums">What it is added to: at least as long.</param>
    public static void MultiplyAdd(byte factor, ReadOnlySpan<byte> elements, Span<byte> sums)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(sums.Length, elements.Length);
        int done = 0;
        if (Avx2.IsSupported)
        {
            done = MultiplyAdd256(factor, elements, sums);
        }
        else if (Vector128.IsHardwareAccelerated)
        {
            done = MultiplyAdd128(factor, elements, sums);
        }

        MultiplyAddSlowly(factor, elements[done..], sums[done..]);
    }

    /// <summary>The same, element by element.</summary>
    internal static void MultiplyAddSlowly(byte factor, ReadOnlySpan<byte> elements, Span<byte> sums)
    {
        ReadOnlySpan<byte> table = _nibbles.AsSpan(factor * 2 * NibbleTable, 2 * NibbleTable);
        for (int i = 0; i < elements.Length; i++)
        {
            sums[i] ^= (byte)(table[elements[i] & 0xf] ^ table[NibbleTable + (elements[i] >> 4)]);
        }
    }

    /// <summary>The same, 16 elements at a time. Returns how many it has done.</summary>
    internal static int MultiplyAdd128(byte factor, ReadOnlySpan<byte> elements, Span<byte> sums)
    {
        ReadOnlySpan<Vector128<byte>> table = MemoryMarshal.Cast<byte, Vector128<byte>>(_nibbles.AsSpan(factor * 2 * NibbleTable, 2 * NibbleTable));
        (Vector128<byte> low, Vector128<byte> high) = (table[0], table[1]);
        var nibble = Vector128.Create((byte)0xf);
        ReadOnlySpan<Vector128<byte>> from = MemoryMarshal.Cast<byte, Vector128<byte>>(elements);
        Span<Vector128<byte>> to = MemoryMarshal.Cast<byte, Vector128<byte>>(sums[..elements.Length]);
        for (int i = 0; i < from.Length; i++)
        {
            Vector128<byte> bytes = from[i];
            to[i] ^= Vector128.Shuffle(low, bytes & nibble) ^ Vector128.Shuffle(high, (bytes.AsUInt16() >>> 4).AsByte() & nibble);
        }

        return from.Length * Vector128<byte>.Count;
    }

    private static int MultiplyAdd256(byte factor, ReadOnlySpan<byte> elements, Span<byte> sums)
    {
        ReadOnlySpan<Vector128<byte>> table = MemoryMarshal.Cast<byte, Vector128<byte>>(_nibbles.AsSpan(factor * 2 * NibbleTable, 2 * NibbleTable));
        (Vector256<byte> low, Vector256<byte> high) = (Vector256.Create(table[0], table[0]), Vector256.Create(table[1], table[1]));
        var nibble = Vector256.Create((byte)0xf);
        ReadOnlySpan<Vector256<byte>> from = MemoryMarshal.Cast<byte, Vector256<byte>>(elements);
        Span<Vector256<byte>> to = MemoryMarshal.Cast<byte, Vector256<byte>>(sums[..elements.Length]);
        for (int i = 0; i < from.Length; i++)
        {
            Vector256<byte> bytes = from[i];
            to[i] ^= Avx2.Shuffle(low, bytes & nibble) ^ Avx2.Shuffle(high, (bytes.AsUInt16() >>> 4).AsByte() & nibble);
        }

        return from.Length * Vector256<byte>.Count;
    }
}
