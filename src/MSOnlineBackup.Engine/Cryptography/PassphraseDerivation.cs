using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace MSOnlineBackup.Engine.Cryptography;

/// <summary>
/// From a passphrase to 64 bytes of key: PBKDF2 with HMAC-SHA-512 (RFC 8018). Every start waits for it, so where OpenSSL is at hand its
/// compression function is called directly: OpenSSL's own PBKDF2 copies a context for each of its million hashes, and takes nearly
/// twice as long. Who tries passphrases leaves that out, too.
/// </summary>
internal static unsafe partial class PassphraseDerivation
{
    /// <summary>The length of what is derived, in bytes: one block of SHA-512.</summary>
    public const int Length = 64;

    private const int BlockLength = 128;

    private static readonly Lazy<bool> s_hasOpenSsl = new(AgreesOpenSsl);

    /// <summary>Derives; takes about 0.2 s with 600,000 iterations.</summary>
    public static byte[] Derive(string passphrase, byte[] salt, int iterations)
    {
        byte[] secret = Encoding.UTF8.GetBytes(passphrase);
        byte[] derived = s_hasOpenSsl.Value ? DeriveByOpenSsl(secret, salt, iterations) : DeriveByPlatform(secret, salt, iterations);
        CryptographicOperations.ZeroMemory(secret);
        return derived;
    }

    internal static byte[] DeriveByPlatform(byte[] secret, byte[] salt, int iterations) =>
        Rfc2898DeriveBytes.Pbkdf2(secret, salt, iterations, HashAlgorithmName.SHA512, Length);

    internal static byte[] DeriveByOpenSsl(byte[] secret, byte[] salt, int iterations)
    {
        byte[] first = HMACSHA512.HashData(secret, (byte[])[.. salt, 0, 0, 0, 1]);
        using var inner = new Hash(secret, 0x36);
        using var outer = new Hash(secret, 0x5c);
        Span<ulong> last = stackalloc ulong[Length / 8];
        Span<ulong> sum = stackalloc ulong[Length / 8];
        for (int i = 0; i < last.Length; i++)
        {
            sum[i] = last[i] = BinaryPrimitives.ReadUInt64BigEndian(first.AsSpan(i * 8));
        }

        for (int iteration = 1; iteration < iterations; iteration++)
        {
            inner.Finish(last);
            outer.Finish(last);
            for (int i = 0; i < sum.Length; i++)
            {
                sum[i] ^= last[i];
            }
        }

        byte[] derived = new byte[Length];
        for (int i = 0; i < sum.Length; i++)
        {
            BinaryPrimitives.WriteUInt64BigEndian(derived.AsSpan(i * 8), sum[i]);
        }

        CryptographicOperations.ZeroMemory(first);
        last.Clear();
        sum.Clear();
        return derived;
    }

    // Only what gives the same key as the platform is ever used.
    private static bool AgreesOpenSsl()
    {
        if (!OperatingSystem.IsLinux())
        {
            return false;
        }

        try
        {
            byte[] secret = [1, 2, 3];
            byte[] salt = [4, 5, 6];
            return DeriveByOpenSsl(secret, salt, 3).AsSpan().SequenceEqual(DeriveByPlatform(secret, salt, 3));
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            return false;
        }
    }

    [LibraryImport("libcrypto.so.3")]
    [SuppressGCTransition]
    private static partial int SHA512_Init(ulong* context);

    [LibraryImport("libcrypto.so.3")]
    [SuppressGCTransition]
    private static partial int SHA512_Transform(ulong* context, ulong* block);

    /// <summary>SHA-512 over one block of key, which is hashed once, and then 64 bytes, again and again.</summary>
    private sealed class Hash : IDisposable
    {
        // SHA512_CTX begins with the eight words of the state; with all else it has 216 bytes.
        private readonly ulong* _context = (ulong*)NativeMemory.AllocZeroed(256);
        private readonly ulong* _block = (ulong*)NativeMemory.AllocZeroed(BlockLength);
        private readonly ulong* _keyed = (ulong*)NativeMemory.AllocZeroed(Length);

        public Hash(byte[] secret, byte padding)
        {
            var block = new Span<byte>(_block, BlockLength);
            (secret.Length > BlockLength ? SHA512.HashData(secret) : secret).CopyTo(block);
            foreach (ref byte value in block)
            {
                value ^= padding;
            }

            _ = SHA512_Init(_context);
            _ = SHA512_Transform(_context, _block);
            new Span<ulong>(_context, Length / 8).CopyTo(new Span<ulong>(_keyed, Length / 8));
            block.Clear();
            block[Length] = 0x80;
            BinaryPrimitives.WriteUInt64BigEndian(block[^8..], (BlockLength + Length) * 8);
        }

        /// <summary>Replaces 64 bytes by their hash.</summary>
        public void Finish(Span<ulong> content)
        {
            for (int i = 0; i < content.Length; i++)
            {
                _block[i] = BinaryPrimitives.ReverseEndianness(content[i]);
                _context[i] = _keyed[i];
            }

            _ = SHA512_Transform(_context, _block);
            new Span<ulong>(_context, Length / 8).CopyTo(content);
        }

        public void Dispose()
        {
            Free(_context, 256);
            Free(_block, BlockLength);
            Free(_keyed, Length);
        }

        private static void Free(ulong* memory, nuint length)
        {
            NativeMemory.Clear(memory, length);
            NativeMemory.Free(memory);
        }
    }
}
