using System.Buffers.Binary;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace MSOnlineBackup.Vaults.Cryptography;

/// <summary>
/// A plain file of which every bit is authenticated: <c>header 4096 | body | tags × 16</c>. There is a tag for each MiB of the body, the GMAC of its bytes with
/// its number as nonce, and one in the header, over the header up to there and all tags. A key is for one file.
/// </summary>
internal static class AuthenticatedFile
{
    /// <summary>Where the body begins.</summary>
    public const int HeaderLength = 4096;

    private const int BlockLength = 1 << 20;
    private const int TagLength = 16;

    // No block has this number.
    private const long HeaderNonce = -1;

    /// <summary>Whether a file is as it was written, to its last byte. All of it is read.</summary>
    /// <param name="file">The file.</param>
    /// <param name="key">Its key, 32 bytes.</param>
    /// <param name="header">Its header.</param>
    /// <param name="tagOffset">Where in the header the tag is.</param>
    /// <param name="end">Where the body ends.</param>
    /// <exception cref="IOException">The disk does not give it.</exception>
    public static bool IsWhole(SafeFileHandle file, byte[] key, ReadOnlySpan<byte> header, int tagOffset, long end)
    {
        long blocks = (end - HeaderLength + BlockLength - 1) / BlockLength;
        if (end < HeaderLength || RandomAccess.GetLength(file) != end + (blocks * TagLength))
        {
            return false;
        }

        byte[] tags = new byte[blocks * TagLength];
        ReadExactly(file, end, tags);
        using (var aes = new AesGcm(key, TagLength))
        {
            if (!IsTag(aes, HeaderNonce, [.. header[..tagOffset], .. tags], header.Slice(tagOffset, TagLength))
                || header[(tagOffset + TagLength)..].ContainsAnyExcept((byte)0))
            {
                return false;
            }
        }

        return Parallel.For(
            0,
            (int)blocks,
            () => (Aes: new AesGcm(key, TagLength), Block: GC.AllocateUninitializedArray<byte>((int)Math.Min(BlockLength, end - HeaderLength))),
            (number, loop, own) =>
            {
                long from = HeaderLength + ((long)number * BlockLength);
                Span<byte> block = own.Block.AsSpan(0, (int)Math.Min(BlockLength, end - from));
                ReadExactly(file, from, block);
                if (!IsTag(own.Aes, number, block, tags.AsSpan(number * TagLength, TagLength)))
                {
                    loop.Stop();
                }

                return own;
            },
            own => own.Aes.Dispose()).IsCompleted;
    }

    /// <summary>Reads a part of a file.</summary>
    /// <exception cref="IOException">The file ends before, or the disk does not give it.</exception>
    public static void ReadExactly(SafeFileHandle file, long offset, Span<byte> destination)
    {
        while (!destination.IsEmpty)
        {
            int read = RandomAccess.Read(file, destination, offset);
            if (read == 0)
            {
                throw new EndOfStreamException("The file was shortened.");
            }

            offset += read;
            destination = destination[read..];
        }
    }

    private static bool IsTag(AesGcm aes, long number, ReadOnlySpan<byte> content, ReadOnlySpan<byte> tag)
    {
        Span<byte> computed = stackalloc byte[TagLength];
        Compute(aes, number, content, computed);
        return CryptographicOperations.FixedTimeEquals(computed, tag);
    }

    private static void Compute(AesGcm aes, long number, ReadOnlySpan<byte> content, Span<byte> tag)
    {
        Span<byte> nonce = stackalloc byte[12];
        nonce.Clear();
        BinaryPrimitives.WriteInt64LittleEndian(nonce, number);
        aes.Encrypt(nonce, [], [], tag, content);
    }

    /// <summary>Writes a file: the body from its beginning to its end, then the header.</summary>
    internal sealed class Writer(SafeFileHandle file, byte[] key) : IDisposable
    {
        private readonly AesGcm _aes = new(key, TagLength);
        private readonly byte[] _block = GC.AllocateUninitializedArray<byte>(BlockLength);
        private readonly List<byte> _tags = [];
        private int _filled;
        private long _end = HeaderLength;

        /// <summary>Goes on with the body.</summary>
        /// <exception cref="IOException">The disk is full, or worse.</exception>
        public void Write(ReadOnlySpan<byte> content)
        {
            while (!content.IsEmpty)
            {
                int taken = Math.Min(content.Length, BlockLength - _filled);
                content[..taken].CopyTo(_block.AsSpan(_filled));
                content = content[taken..];
                _filled += taken;
                if (_filled == BlockLength)
                {
                    EndBlock();
                }
            }
        }

        /// <summary>Writes tags and header.</summary>
        /// <exception cref="IOException">The disk is full, or worse.</exception>
        public void Finish(byte[] header, int tagOffset)
        {
            if (_filled > 0)
            {
                EndBlock();
            }

            byte[] tags = [.. _tags];
            RandomAccess.Write(file, tags, _end);
            Compute(_aes, HeaderNonce, [.. header.AsSpan(0, tagOffset), .. tags], header.AsSpan(tagOffset, TagLength));
            RandomAccess.Write(file, header, 0);
        }

        public void Dispose() => _aes.Dispose();

        private void EndBlock()
        {
            ReadOnlySpan<byte> block = _block.AsSpan(0, _filled);
            Span<byte> tag = stackalloc byte[TagLength];
            Compute(_aes, _tags.Count / TagLength, block, tag);
            _tags.AddRange(tag);
            RandomAccess.Write(file, block, _end);
            _end += _filled;
            _filled = 0;
        }
    }
}
