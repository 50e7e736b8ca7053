using System.Buffers.Binary;
using System.Numerics;

namespace MSOnlineBackup.Engine.Zstandard;

/// <summary>The hash XXH64 with a seed of zero, whose lowest four bytes are a frame's checksum of its content.</summary>
internal static class XxHash64
{
    private const ulong Prime1 = 0x9E3779B185EBCA87;
    private const ulong Prime2 = 0xC2B2AE3D27D4EB4F;
    private const ulong Prime3 = 0x165667B19E3779F9;
    private const ulong Prime4 = 0x85EBCA77C2B2AE63;
    private const ulong Prime5 = 0x27D4EB2F165667C5;

    /// <summary>The hash of <paramref name="content"/>.</summary>
    public static ulong Of(ReadOnlySpan<byte> content)
    {
        unchecked
        {
            ulong hash = Prime5;
            ulong length = (ulong)content.Length;
            if (content.Length >= 32)
            {
                ulong lane1 = Prime1 + Prime2, lane2 = Prime2, lane3 = 0, lane4 = 0 - Prime1;
                for (; content.Length >= 32; content = content[32..])
                {
                    lane1 = Round(lane1, BinaryPrimitives.ReadUInt64LittleEndian(content));
                    lane2 = Round(lane2, BinaryPrimitives.ReadUInt64LittleEndian(content[8..]));
                    lane3 = Round(lane3, BinaryPrimitives.ReadUInt64LittleEndian(content[16..]));
                    lane4 = Round(lane4, BinaryPrimitives.ReadUInt64LittleEndian(content[24..]));
                }

                hash = BitOperations.RotateLeft(lane1, 1) + BitOperations.RotateLeft(lane2, 7)
                    + BitOperations.RotateLeft(lane3, 12) + BitOperations.RotateLeft(lane4, 18);
                hash = Merge(Merge(Merge(Merge(hash, lane1), lane2), lane3), lane4);
            }

            hash += length;
            for (; content.Length >= 8; content = content[8..])
            {
                hash ^= Round(0, BinaryPrimitives.ReadUInt64LittleEndian(content));
                hash = (BitOperations.RotateLeft(hash, 27) * Prime1) + Prime4;
            }

            if (content.Length >= 4)
            {
                hash ^= BinaryPrimitives.ReadUInt32LittleEndian(content) * Prime1;
                hash = (BitOperations.RotateLeft(hash, 23) * Prime2) + Prime3;
                content = content[4..];
            }

            foreach (byte value in content)
            {
                hash = BitOperations.RotateLeft(hash ^ (value * Prime5), 11) * Prime1;
            }

            hash = (hash ^ (hash >> 33)) * Prime2;
            hash = (hash ^ (hash >> 29)) * Prime3;
            return hash ^ (hash >> 32);
        }
    }

    private static ulong Round(ulong lane, ulong input) => unchecked(BitOperations.RotateLeft(lane + (input * Prime2), 31) * Prime1);

    private static ulong Merge(ulong hash, ulong lane) => unchecked(((hash ^ Round(0, lane)) * Prime1) + Prime4);
}
