using System.Security.Cryptography;

namespace MSOnlineBackup.Vaults.Cryptography;

/// <summary>Who a vault's owner is: the public half of the owner's key, ECDSA on the curve P-256. Equal where the keys are.</summary>
public sealed record OwnerIdentity
{
    /// <summary>Of r and s, 32 bytes each.</summary>
    internal const int SignatureLength = 64;

    private const int Length = 91;

    private OwnerIdentity(string publicKey) => PublicKey = publicKey;

    /// <summary>The key as SubjectPublicKeyInfo (RFC 5480), its point not compressed, in base64.</summary>
    public string PublicKey { get; }

    /// <summary>What a person compares: SHA-256 of the key, 64 hexadecimal digits.</summary>
    public string Fingerprint => Convert.ToHexStringLower(SHA256.HashData(Encode()));

    // All of the encoding that is not the point: so every key has one encoding only.
    private static ReadOnlySpan<byte> Prefix =>
        [0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04];

    /// <summary>The owner of this key; null where it is none.</summary>
    internal static OwnerIdentity? TryParse(ReadOnlySpan<byte> publicKey)
    {
        if (publicKey.Length != Length || !publicKey.StartsWith(Prefix))
        {
            return null;
        }

        try
        {
            using ECDsa key = Import(publicKey);
            return new OwnerIdentity(Convert.ToBase64String(publicKey));
        }
        catch (CryptographicException)
        {
            // No point of the curve.
            return null;
        }
    }

    /// <inheritdoc cref="TryParse(ReadOnlySpan{byte})"/>
    /// <param name="publicKey">In base64.</param>
    internal static OwnerIdentity? TryParse(string publicKey)
    {
        Span<byte> bytes = stackalloc byte[Length];
        return Convert.TryFromBase64String(publicKey, bytes, out int length) ? TryParse(bytes[..length]) : null;
    }

    internal byte[] Encode() => Convert.FromBase64String(PublicKey);

    /// <summary>Whether the owner has signed this.</summary>
    internal bool Verify(ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature)
    {
        using ECDsa key = Import(Encode());
        return key.VerifyData(message, signature, HashAlgorithmName.SHA256);
    }

    private static ECDsa Import(ReadOnlySpan<byte> publicKey)
    {
        var key = ECDsa.Create();
        try
        {
            key.ImportSubjectPublicKeyInfo(publicKey, out _);
            return key;
        }
        catch
        {
            key.Dispose();
            throw;
        }
    }
}
