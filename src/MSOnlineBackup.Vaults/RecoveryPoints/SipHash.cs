using System.Buffers.Binary;
using System.Numerics;

namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>SipHash-2-4 with a 128-bit key and a 64-bit result (Aumasson and Bernstein): keyed, so that nobody without the
/// key can choose names that fall on, or avoid, the boundaries of blocks.</summary>
internal readonly struct SipHash
{
    private readonly ulong _k0;
    private readonly ulong _k1;

    public SipHash(ReadOnlySpan<byte> key)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(key.Length, ManifestFormat.BoundaryKeyBytes);
        _k0 = BinaryPrimitives.ReadUInt64LittleEndian(key);
        _k1 = BinaryPrimitives.ReadUInt64LittleEndian(key[8..]);
    }

    public ulong Hash(ReadOnlySpan<byte> data)
    {
        unchecked
        {
            ulong v0 = 0x736f6d6570736575 ^ _k0;
            ulong v1 = 0x646f72616e646f6d ^ _k1;
            ulong v2 = 0x6c7967656e657261 ^ _k0;
            ulong v3 = 0x7465646279746573 ^ _k1;
            ulong last = (ulong)data.Length << 56;

            for (; data.Length >= 8; data = data[8..])
            {
                ulong word = BinaryPrimitives.ReadUInt64LittleEndian(data);
                v3 ^= word;
                Round(ref v0, ref v1, ref v2, ref v3);
                Round(ref v0, ref v1, ref v2, ref v3);
                v0 ^= word;
            }

            for (int i = 0; i < data.Length; i++)
            {
                last |= (ulong)data[i] << (8 * i);
            }

            v3 ^= last;
            Round(ref v0, ref v1, ref v2, ref v3);
            Round(ref v0, ref v1, ref v2, ref v3);
            v0 ^= last;

            v2 ^= 0xff;
            for (int i = 0; i < 4; i++)
            {
                Round(ref v0, ref v1, ref v2, ref v3);
            }

            return v0 ^ v1 ^ v2 ^ v3;
        }
    }

    private static void Round(ref ulong v0, ref ulong v1, ref ulong v2, ref ulong v3)
    {
        unchecked
        {
            v0 += v1;
            v1 = BitOperations.RotateLeft(v1, 13) ^ v0;
            v0 = BitOperations.RotateLeft(v0, 32);
            v2 += v3;
            v3 = BitOperations.RotateLeft(v3, 16) ^ v2;
            v0 += v3;
            v3 = BitOperations.RotateLeft(v3, 21) ^ v0;
            v2 += v1;
            v1 = BitOperations.RotateLeft(v1, 17) ^ v2;
            v2 = BitOperations.RotateLeft(v2, 32);
        }
    }
}
