using System.Security.Cryptography;

namespace MSOnlineBackup.Vaults.Cryptography;

/// <summary>
/// A few bytes sealed under a key that is used many times: <c>salt 32 | ciphertext | tag 16</c>. Each seal has a key of its
/// own, derived from the salt, so the constant nonce is used once.
/// </summary>
internal static class SaltedSeal
{
    /// <summary>How much longer than the plaintext a seal is.</summary>
    public const int Overhead = SaltLength + TagLength;

    private const int SaltLength = 32;
    private const int TagLength = 16;

    /// <summary>Seals.</summary>
    /// <param name="key">32 bytes that serve this purpose alone.</param>
    /// <param name="associated">What the seal is bound to.</param>
    public static byte[] Seal(byte[] key, ReadOnlySpan<byte> plaintext, ReadOnlySpan<byte> associated)
    {
        byte[] content = new byte[plaintext.Length + Overhead];
        RandomNumberGenerator.Fill(content.AsSpan(0, SaltLength));
        using AesGcm aes = Open(key, content);
        aes.Encrypt(new byte[12], plaintext, content.AsSpan(SaltLength, plaintext.Length), content.AsSpan(SaltLength + plaintext.Length), associated);
        return content;
    }

    /// <summary>Opens; null where the key, what it is bound to or any byte is another.</summary>
    public static byte[]? TryOpen(byte[] key, ReadOnlySpan<byte> content, ReadOnlySpan<byte> associated)
    {
        if (content.Length < Overhead)
        {
            return null;
        }

        byte[] plaintext = new byte[content.Length - Overhead];
        using AesGcm aes = Open(key, content);
        try
        {
            aes.Decrypt(new byte[12], content.Slice(SaltLength, plaintext.Length), content[^TagLength..], plaintext, associated);
            return plaintext;
        }
        catch (AuthenticationTagMismatchException)
        {
            return null;
        }
    }

    private static AesGcm Open(byte[] key, ReadOnlySpan<byte> content)
    {
        Span<byte> derived = stackalloc byte[32];
        HKDF.Expand(HashAlgorithmName.SHA256, key, derived, content[..SaltLength]);
        return new AesGcm(derived, TagLength);
    }
}
