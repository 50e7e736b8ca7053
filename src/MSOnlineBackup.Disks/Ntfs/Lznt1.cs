using System.Buffers.Binary;

namespace MSOnlineBackup.Disks.Ntfs;

/// <summary>The compression of NTFS: pieces of 4096 bytes, each by itself, as [MS-XCA] 2.5 has it.</summary>
internal static class Lznt1
{
    private const int PieceSize = 4096;

    /// <summary>Unpacks; what is not there is zeroes.</summary>
    /// <param name="packed">The bytes; behind the last piece may be anything.</param>
    /// <param name="size">How many bytes there are unpacked at most; a whole number of pieces.</param>
    public static byte[] Decompress(ReadOnlySpan<byte> packed, int size)
    {
        byte[] bytes = new byte[size];
        for (int at = 0; at < size; at += PieceSize)
        {
            int header = packed.Length < 2 ? 0 : BinaryPrimitives.ReadUInt16LittleEndian(packed);
            if (header == 0)
            {
                break;
            }

            int length = (header & 0xFFF) + 1;
            if (length > packed.Length - 2)
            {
                throw NtfsFault.Corrupt("a compressed piece is cut off");
            }

            ReadOnlySpan<byte> piece = packed.Slice(2, length);
            Span<byte> room = bytes.AsSpan(at, Math.Min(PieceSize, size - at));
            if ((header & 0x8000) == 0)
            {
                if (length > room.Length)
                {
                    throw NtfsFault.Corrupt("a piece has no room");
                }

                piece.CopyTo(room);
            }
            else
            {
                Unpack(piece, room);
            }

            packed = packed[(2 + length)..];
        }

        return bytes;
    }

    private static void Unpack(ReadOnlySpan<byte> piece, Span<byte> room)
    {
        int done = 0;
        while (!piece.IsEmpty)
        {
            int flags = piece[0];
            piece = piece[1..];
            for (int bit = 0; bit < 8 && !piece.IsEmpty; bit++)
            {
                if ((flags & (1 << bit)) == 0)
                {
                    room[done < room.Length ? done++ : throw NtfsFault.Corrupt("a compressed piece is too long")] = piece[0];
                    piece = piece[1..];
                    continue;
                }

                int token = piece.Length < 2 ? throw NtfsFault.Corrupt("a compressed piece is cut off") : BinaryPrimitives.ReadUInt16LittleEndian(piece);
                piece = piece[2..];

                // The further on, the more bits are for how far back, and the fewer for how many.
                int shift = 12;
                for (int reach = done - 1; reach >= 16; reach >>= 1)
                {
                    shift--;
                }

                int back = (token >> shift) + 1;
                int count = (token & ((1 << shift) - 1)) + 3;
                if (back > done || count > room.Length - done)
                {
                    throw NtfsFault.Corrupt("a compressed piece refers to what it does not have");
                }

                for (int i = 0; i < count; i++, done++)
                {
                    room[done] = room[done - back];
                }
            }
        }
    }
}
