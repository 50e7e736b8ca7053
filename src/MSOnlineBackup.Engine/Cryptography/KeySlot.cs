using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using MSOnlineBackup.Engine.Errors;

namespace MSOnlineBackup.Engine.Cryptography;

/// <summary>
/// A key slot: the master key of a store, wrapped by a key that is derived from a passphrase. Stored as JSON.
/// A damaged slot and a wrong passphrase are told apart: the checksum covers the slot as it was written, the
/// verifier is a part of the derived bytes.
/// </summary>
internal sealed record KeySlot
{
    public const int SupportedFormat = 1;
    public const string PassphraseKind = "passphrase";
    public const string Pbkdf2 = "pbkdf2-hmac-sha512";

    /// <summary>More would only serve to keep a reader busy.</summary>
    private const int MaxIterations = 50_000_000;
    private const int VerifierLength = 16;
    private const int TagLength = 16;

    [JsonPropertyName("format")]
    public required int Format { get; init; }

    [JsonPropertyName("kind")]
    public required string Kind { get; init; }

    [JsonPropertyName("kdf")]
    public required string Kdf { get; init; }

    [JsonPropertyName("iterations")]
    public required int Iterations { get; init; }

    [JsonPropertyName("created")]
    public required string Created { get; init; }

    [JsonPropertyName("label")]
    public string? Label { get; init; }

    [JsonPropertyName("salt")]
    public required byte[] Salt { get; init; }

    [JsonPropertyName("verifier")]
    public required byte[] Verifier { get; init; }

    [JsonPropertyName("wrapped")]
    public required byte[] Wrapped { get; init; }

    [JsonPropertyName("checksum")]
    public required byte[] Checksum { get; init; }

    /// <summary>Tells whoever has a master key, and not the passphrase, whether it is the one in here; null in older slots.</summary>
    [JsonPropertyName("proof")]
    public byte[]? Proof { get; init; }

    /// <summary>When it was added; the client's clock.</summary>
    [JsonIgnore]
    public DateTimeOffset CreatedAt => DateTimeOffset.Parse(Created, CultureInfo.InvariantCulture);

    /// <summary>Wraps a master key. Takes about 0.2 s.</summary>
    /// <param name="identity">What the slot is bound to: <c>vault id, store id, key id</c>, hexadecimal, joined by '/'.</param>
    public static KeySlot Create(string passphrase, ReadOnlySpan<byte> masterKey, string identity, int iterations, string? label, DateTimeOffset now)
    {
        Passphrase.Validate(passphrase);
        byte[] salt = RandomNumberGenerator.GetBytes(32);
        byte[] derived = PassphraseDerivation.Derive(passphrase, salt, iterations);
        var slot = new KeySlot
        {
            Format = SupportedFormat,
            Kind = PassphraseKind,
            Kdf = Pbkdf2,
            Iterations = iterations,
            Created = now.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
            Label = label,
            Salt = salt,
            Verifier = derived[32..(32 + VerifierLength)],
            Wrapped = new byte[masterKey.Length + TagLength],
            Checksum = [],
            Proof = Prove(masterKey, identity),
        };
        using (var aes = new AesGcm(derived.AsSpan(0, 32), TagLength))
        {
            // The key is derived from a fresh salt and used once: a constant nonce is safe.
            aes.Encrypt(new byte[12], masterKey, slot.Wrapped.AsSpan(0, masterKey.Length), slot.Wrapped.AsSpan(masterKey.Length), slot.AssociatedData(identity));
        }

        CryptographicOperations.ZeroMemory(derived);
        return slot with { Checksum = slot.ComputeChecksum(identity) };
    }

    /// <summary>Unwraps the master key; null where the passphrase is another one. Takes about 0.2 s.</summary>
    /// <exception cref="BackupException">KeySlotDamaged.</exception>
    public byte[]? TryOpen(string passphrase, string identity)
    {
        byte[] derived = PassphraseDerivation.Derive(passphrase, Salt, Iterations);
        try
        {
            if (!CryptographicOperations.FixedTimeEquals(derived.AsSpan(32, VerifierLength), Verifier))
            {
                return null;
            }

            byte[] master = new byte[Wrapped.Length - TagLength];
            using var aes = new AesGcm(derived.AsSpan(0, 32), TagLength);
            aes.Decrypt(new byte[12], Wrapped.AsSpan(0, master.Length), Wrapped.AsSpan(master.Length), master, AssociatedData(identity));
            return master;
        }
        catch (AuthenticationTagMismatchException e)
        {
            throw Damaged(identity, "its wrapped key does not authenticate", e);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(derived);
        }
    }

    /// <summary>Whether this slot wraps a master key; null where it does not say. Needs no passphrase and no time.</summary>
    public bool? Wraps(ReadOnlySpan<byte> masterKey, string identity) =>
        Proof is null ? null : CryptographicOperations.FixedTimeEquals(Proof, Prove(masterKey, identity));

    /// <summary>The stored form.</summary>
    public byte[] Encode() => JsonSerializer.SerializeToUtf8Bytes(this, KeySlotJson.Default.KeySlot);

    /// <summary>Reads the stored form.</summary>
    /// <exception cref="BackupException">KeySlotDamaged, VaultFormatUnsupported.</exception>
    public static KeySlot Decode(ReadOnlySpan<byte> content, string identity)
    {
        KeySlot slot;
        try
        {
            slot = JsonSerializer.Deserialize(content, KeySlotJson.Default.KeySlot) ?? throw Damaged(identity, "it is empty", null);
        }
        catch (JsonException e)
        {
            throw Damaged(identity, "it is no valid JSON", e);
        }

        if (slot.Format != SupportedFormat || slot.Kind != PassphraseKind || slot.Kdf != Pbkdf2)
        {
            throw new BackupException(
                BackupErrorId.VaultFormatUnsupported,
                $"Key slot '{identity}' is of format {slot.Format}, kind '{slot.Kind}' with '{slot.Kdf}'; this version reads format {SupportedFormat} with '{Pbkdf2}'.",
                "Use a newer version of MSOnlineBackup.",
                identity);
        }

        bool sound = slot.Salt is { Length: 32 }
            && slot.Verifier is { Length: VerifierLength }
            && slot.Wrapped is { Length: StoreKeys.MasterKeyLength + TagLength }
            && slot.Iterations is > 0 and <= MaxIterations
            && DateTimeOffset.TryParse(slot.Created, CultureInfo.InvariantCulture, out _)
            && slot.Checksum is not null
            && slot.Checksum.AsSpan().SequenceEqual(slot.ComputeChecksum(identity));
        return sound ? slot : throw Damaged(identity, "its checksum or its fields are wrong", null);
    }

    private static byte[] Prove(ReadOnlySpan<byte> masterKey, string identity) =>
        HKDF.Expand(HashAlgorithmName.SHA256, masterKey.ToArray(), 16, Encoding.ASCII.GetBytes("MSOnlineBackup/1/slot" + identity));

    private static BackupException Damaged(string identity, string why, Exception? inner) => new(
        BackupErrorId.KeySlotDamaged,
        $"Key slot '{identity}' is damaged: {why}.",
        "Use another passphrase that has a key slot of its own, or bring the file back from a copy of the vault.",
        identity,
        innerException: inner);

    private byte[] AssociatedData(string identity) =>
        Encoding.UTF8.GetBytes($"MSOnlineBackup key slot\n{Format}\n{identity}\n{Kind}\n{Kdf}\n{Iterations}\n{Created}\n{Label}");

    private byte[] ComputeChecksum(string identity) =>
        SHA256.HashData([.. AssociatedData(identity), .. Salt, .. Verifier, .. Wrapped]);
}

[JsonSerializable(typeof(KeySlot))]
[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
internal sealed partial class KeySlotJson : JsonSerializerContext;
