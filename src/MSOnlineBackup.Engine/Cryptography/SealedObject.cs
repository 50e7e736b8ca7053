using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using MSOnlineBackup.Engine.Errors;

namespace MSOnlineBackup.Engine.Cryptography;

/// <summary>What a sealed object is.</summary>
internal enum SealedObjectKind : byte
{
    IndexSegment = 1,
    RecoveryPoint = 2,
    Checkpoint = 3,

    /// <summary>Stands in a recovery point's place: a collector has shut this session out.</summary>
    Fence = 4,
}

/// <summary>
/// The envelope of every small object that is read whole:
/// <c>magic "OBSO" | version 1 | kind | 2 zero bytes | salt 32 | plaintext length u32 | ciphertext | tag 16 | SHA-256 32</c>.
/// The key is derived from the salt, so the constant nonce is used once. Header, vault, store and the object's name are
/// authenticated: no object can stand in for another. The SHA-256 lets anybody without a key see damage.
/// </summary>
internal static class SealedObject
{
    public const int MaxLength = 256 << 20;
    public const int ChecksumLength = 32;
    public static ReadOnlySpan<byte> Magic => "OBSO"u8;

    private const byte Version = 1;
    private const int SaltOffset = 8;
    private const int SaltLength = 32;
    private const int LengthOffset = SaltOffset + SaltLength;
    private const int HeaderLength = LengthOffset + sizeof(uint);
    private const int TagLength = 16;
    private const int Overhead = HeaderLength + TagLength + ChecksumLength;

    public static byte[] Seal(StoreKeys keys, SealedObjectKind kind, string name, ReadOnlySpan<byte> plaintext)
    {
        byte[] content = new byte[plaintext.Length + Overhead];
        Span<byte> header = content.AsSpan(0, HeaderLength);
        Magic.CopyTo(header);
        header[4] = Version;
        header[5] = (byte)kind;
        Span<byte> salt = header.Slice(SaltOffset, SaltLength);
        RandomNumberGenerator.Fill(salt);
        BinaryPrimitives.WriteUInt32LittleEndian(header[LengthOffset..], (uint)plaintext.Length);
        using (var aes = new AesGcm(keys.ObjectKey(salt), TagLength))
        {
            aes.Encrypt(
                new byte[12],
                plaintext,
                content.AsSpan(HeaderLength, plaintext.Length),
                content.AsSpan(HeaderLength + plaintext.Length, TagLength),
                AssociatedData(keys, header, name));
        }

        SHA256.HashData(content.AsSpan(0, content.Length - ChecksumLength), content.AsSpan(content.Length - ChecksumLength));
        return content;
    }

    /// <summary>Opens an object and says what it is.</summary>
    /// <exception cref="BackupException">VaultDataCorrupt, VaultFormatUnsupported.</exception>
    public static byte[] Open(StoreKeys keys, string name, ReadOnlySpan<byte> content, out SealedObjectKind kind)
    {
        if (content.Length < Overhead || !content.StartsWith(Magic))
        {
            throw VaultDamage.Corrupt(name, "it is no sealed object");
        }

        ReadOnlySpan<byte> header = content[..HeaderLength];
        if (header[4] != Version)
        {
            // Every version ends with its SHA-256: a flipped bit must not pass for a newer version.
            if (!SHA256.HashData(content[..^ChecksumLength]).AsSpan().SequenceEqual(content[^ChecksumLength..]))
            {
                throw VaultDamage.Corrupt(name, "its SHA-256 is not the one at its end");
            }

            throw new BackupException(
                BackupErrorId.VaultFormatUnsupported,
                $"Object '{name}' has format {header[4]}; this version reads {Version}.",
                "Use a newer version of MSOnlineBackup.",
                name);
        }

        int length = content.Length - Overhead;
        if (BinaryPrimitives.ReadUInt32LittleEndian(header[LengthOffset..]) != length)
        {
            throw VaultDamage.Corrupt(name, "its length is wrong: it is truncated or was appended to");
        }

        byte[] plaintext = new byte[length];
        using var aes = new AesGcm(keys.ObjectKey(header.Slice(SaltOffset, SaltLength)), TagLength);
        try
        {
            aes.Decrypt(new byte[12], content.Slice(HeaderLength, length), content.Slice(HeaderLength + length, TagLength), plaintext, AssociatedData(keys, header, name));
        }
        catch (AuthenticationTagMismatchException e)
        {
            throw VaultDamage.Corrupt(name, "it does not authenticate: it was altered, or it belongs elsewhere", e);
        }

        kind = (SealedObjectKind)header[5];
        return plaintext;
    }

    private static byte[] AssociatedData(StoreKeys keys, ReadOnlySpan<byte> header, string name) =>
        [.. header, .. keys.Context, .. Encoding.ASCII.GetBytes(name)];
}
