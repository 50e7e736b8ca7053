using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace MSOnlineBackup.Vaults.Cryptography;

/// <summary>
/// The envelope of records that anybody may read and not anybody may write: <c>body | 0x0a | proof in base64 | 0x0a</c>. The proof is the
/// signature of the vault's owner (64 bytes), or a code under a key (32 bytes: HMAC-SHA-256). It covers the vault's id and the record's full name: no record
/// can stand in for another.
/// </summary>
internal static class RecordEnvelope
{
    /// <summary>The longest record, in bytes.</summary>
    public const int MaxLength = 64 << 10;

    private const int CodeLength = 32;
    private const byte LineFeed = 0x0a;

    /// <summary>A record that the owner signs.</summary>
    /// <param name="vaultId">32 hexadecimal digits.</param>
    /// <param name="name">The full name of the object that it is to be.</param>
    /// <param name="body">JSON.</param>
    public static byte[] Sign(OwnerKey owner, string vaultId, string name, ReadOnlySpan<byte> body) => Join(body, owner.Sign(Covered(vaultId, name, body)));

    /// <summary>Makes a record that whoever has the key can check.</summary>
    /// <inheritdoc cref="Sign" path="/param"/>
    public static byte[] Authenticate(byte[] key, string vaultId, string name, ReadOnlySpan<byte> body) =>
        Join(body, HMACSHA256.HashData(key, Covered(vaultId, name, body)));

    /// <summary>Takes a record apart; nothing of it is to be believed yet.</summary>
    public static bool TrySplit(ReadOnlySpan<byte> content, out ReadOnlySpan<byte> body, out RecordProof proof)
    {
        body = default;
        proof = default;
        if (content.Length > MaxLength || content.IsEmpty || content[^1] != LineFeed)
        {
            return false;
        }

        int end = content[..^1].LastIndexOf(LineFeed);
        ReadOnlySpan<byte> text = content[(end + 1)..^1];
        Span<byte> bytes = stackalloc byte[OwnerIdentity.SignatureLength];
        if (end < 0 || Base64.DecodeFromUtf8(text, bytes, out _, out int written) != OperationStatus.Done || written is not (OwnerIdentity.SignatureLength or CodeLength)
            || !text.SequenceEqual(Encode(bytes[..written])))
        {
            return false;
        }

        body = content[..end];
        proof = new RecordProof(bytes[..written].ToArray());
        return true;
    }

    /// <summary>Whether this owner has signed a record of this name.</summary>
    public static bool IsSigned(this RecordProof proof, OwnerIdentity owner, string vaultId, string name, ReadOnlySpan<byte> body) =>
        proof.IsSignature && owner.Verify(Covered(vaultId, name, body), proof.Bytes);

    /// <summary>Whether a record of this name was written by somebody who has the key.</summary>
    public static bool IsAuthentic(this RecordProof proof, byte[] key, string vaultId, string name, ReadOnlySpan<byte> body) =>
        !proof.IsSignature && CryptographicOperations.FixedTimeEquals(proof.Bytes, HMACSHA256.HashData(key, Covered(vaultId, name, body)));

    // Injective: the id has one length, and no name has a line feed.
    private static byte[] Covered(string vaultId, string name, ReadOnlySpan<byte> body) =>
        [.. Encoding.ASCII.GetBytes($"MSOnlineBackup record\n1\n{vaultId}\n{name}\n"), .. body];

    private static byte[] Join(ReadOnlySpan<byte> body, byte[] proof) => [.. body, LineFeed, .. Encode(proof), LineFeed];

    private static byte[] Encode(ReadOnlySpan<byte> proof) => Encoding.ASCII.GetBytes(Convert.ToBase64String(proof));
}

/// <summary>What a record is proved by; not checked yet.</summary>
internal readonly record struct RecordProof(byte[] Bytes)
{
    /// <summary>Whether it is a signature of the owner, and not a code under a key.</summary>
    public bool IsSignature => Bytes.Length == OwnerIdentity.SignatureLength;
}
