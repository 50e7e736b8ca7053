using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using MSOnlineBackup.Engine.Errors;

namespace MSOnlineBackup.Engine.Cryptography;

/// <summary>
/// A key slot: the master key of a store, sealed under a slot key, which is derived from a passphrase or wrapped by a key in Azure
/// Key Vault. Stored as JSON. A damaged slot and a wrong passphrase are told apart: the checksum covers the slot as it was written,
/// the verifier is a part of the derived bytes.
/// </summary>
internal sealed record KeySlot
{
    public const int SupportedFormat = 1;
    public const string PassphraseKind = "passphrase";
    public const string KeyVaultKind = "azure-key-vault";
    public const string Pbkdf2 = "pbkdf2-hmac-sha512";
    public const string RsaOaep = "rsa-oaep-256";

    /// <summary>More would only serve to keep a reader busy.</summary>
    private const int MaxIterations = 50_000_000;
    private const int MaxKeyIdLength = 512;

    /// <summary>What an RSA key of 16,384 bits wraps to.</summary>
    private const int MaxEncryptedLength = 2048;
    private const int SlotKeyLength = 32;
    private const int VerifierLength = 16;
    private const int TagLength = 16;

    [JsonPropertyName("format")]
    public required int Format { get; init; }

    [JsonPropertyName("kind")]
    public required string Kind { get; init; }

    /// <summary>Of a passphrase: how the slot key is derived.</summary>
    [JsonPropertyName("kdf")]
    public string? Kdf { get; init; }

    [JsonPropertyName("iterations")]
    public int? Iterations { get; init; }

    /// <summary>Of a Key Vault key: how the slot key is wrapped.</summary>
    [JsonPropertyName("algorithm")]
    public string? Algorithm { get; init; }

    /// <summary>The URI of the key with its version.</summary>
    [JsonPropertyName("key")]
    public string? KeyVaultKey { get; init; }

    [JsonPropertyName("created")]
    public string Created { get; init; } = "";

    [JsonPropertyName("label")]
    public string? Label { get; init; }

    [JsonPropertyName("salt")]
    public byte[]? Salt { get; init; }

    [JsonPropertyName("verifier")]
    public byte[]? Verifier { get; init; }

    /// <summary>The slot key, wrapped by the Key Vault key.</summary>
    [JsonPropertyName("encryptedKey")]
    public byte[]? EncryptedKey { get; init; }

    /// <summary>The master key, sealed under the slot key.</summary>
    [JsonPropertyName("wrapped")]
    public byte[] Wrapped { get; init; } = [];

    [JsonPropertyName("checksum")]
    public byte[] Checksum { get; init; } = [];

    /// <summary>Tells whoever has a master key, and cannot open the slot, whether it is the one in here; null in older slots.</summary>
    [JsonPropertyName("proof")]
    public byte[]? Proof { get; init; }

    /// <summary>When it was added; the client's clock.</summary>
    [JsonIgnore]
    public DateTimeOffset CreatedAt => DateTimeOffset.Parse(Created, CultureInfo.InvariantCulture);

    // How the slot key is come by.
    private string? Method => Kind == PassphraseKind ? Kdf : Algorithm;

    /// <summary>Seals a master key for a passphrase. Takes about 0.2 s.</summary>
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
            Created = Text(now),
            Label = label,
            Salt = salt,
            Verifier = derived[SlotKeyLength..(SlotKeyLength + VerifierLength)],
        };
        slot = slot.Seal(derived.AsSpan(0, SlotKeyLength), masterKey, identity);
        CryptographicOperations.ZeroMemory(derived);
        return slot;
    }

    /// <summary>Seals a master key for a Key Vault key. The slot key is unwrapped once, so that no slot is made that does not open.</summary>
    /// <inheritdoc cref="Create" path="/param"/>
    /// <exception cref="BackupException">What the Key Vault refuses; KeySlotDamaged where it unwraps another key than it wrapped.</exception>
    public static async Task<KeySlot> CreateAsync(
        IKeyEncryptionKey key, ReadOnlyMemory<byte> masterKey, string identity, string? label, DateTimeOffset now, CancellationToken cancellationToken)
    {
        byte[] slotKey = RandomNumberGenerator.GetBytes(SlotKeyLength);
        WrappedKey wrapped = await key.WrapAsync(slotKey, cancellationToken).ConfigureAwait(false);
        byte[]? unwrapped = await key.UnwrapAsync(wrapped, cancellationToken).ConfigureAwait(false);
        if (unwrapped is null || !CryptographicOperations.FixedTimeEquals(unwrapped, slotKey))
        {
            throw Damaged(identity, $"'{wrapped.KeyId}' unwraps another key than it wrapped", null);
        }

        var slot = new KeySlot
        {
            Format = SupportedFormat,
            Kind = KeyVaultKind,
            Algorithm = RsaOaep,
            KeyVaultKey = wrapped.KeyId,
            Created = Text(now),
            Label = label,
            EncryptedKey = wrapped.Content,
        };
        slot = slot.Seal(slotKey, masterKey.Span, identity);
        CryptographicOperations.ZeroMemory(slotKey);
        CryptographicOperations.ZeroMemory(unwrapped);
        return slot;
    }

    /// <summary>The master key; null where the passphrase is another one, or none opens this slot. Takes about 0.2 s.</summary>
    /// <exception cref="BackupException">KeySlotDamaged.</exception>
    public byte[]? TryOpen(string passphrase, string identity)
    {
        if (Kind != PassphraseKind)
        {
            return null;
        }

        byte[] derived = PassphraseDerivation.Derive(passphrase, Salt!, Iterations!.Value);
        try
        {
            return CryptographicOperations.FixedTimeEquals(derived.AsSpan(SlotKeyLength, VerifierLength), Verifier)
                ? Unseal(derived.AsSpan(0, SlotKeyLength), identity)
                : null;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(derived);
        }
    }

    /// <summary>Whether this Key Vault key, or a version of it, has wrapped the slot key.</summary>
    public bool IsFor(IKeyEncryptionKey key) =>
        KeyVaultKey is not null && (KeyVaultKey == key.Id || KeyVaultKey.StartsWith(key.Id + "/", StringComparison.Ordinal));

    /// <summary>The master key, by the Key Vault's consent.</summary>
    /// <exception cref="BackupException">KeySlotDamaged; what the Key Vault refuses.</exception>
    public async Task<byte[]> OpenAsync(IKeyEncryptionKey key, string identity, CancellationToken cancellationToken)
    {
        byte[]? slotKey = await key.UnwrapAsync(new WrappedKey(KeyVaultKey!, EncryptedKey!), cancellationToken).ConfigureAwait(false);
        if (slotKey is not { Length: SlotKeyLength })
        {
            throw Damaged(identity, $"its slot key was not wrapped by '{KeyVaultKey}'", null);
        }

        try
        {
            return Unseal(slotKey, identity);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(slotKey);
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

        if (slot.Format != SupportedFormat || (slot.Kind, slot.Method) is not ((PassphraseKind, Pbkdf2) or (KeyVaultKind, RsaOaep)))
        {
            throw new BackupException(
                BackupErrorId.VaultFormatUnsupported,
                $"Key slot '{identity}' is of format {slot.Format}, kind '{slot.Kind}' with '{slot.Method}'; this version reads format {SupportedFormat} with '{Pbkdf2}' or '{RsaOaep}'.",
                "Use a newer version of MSOnlineBackup.",
                identity);
        }

        return slot.IsSound(identity) ? slot : throw Damaged(identity, "its checksum or its fields are wrong", null);
    }

    private static byte[] Prove(ReadOnlySpan<byte> masterKey, string identity) =>
        HKDF.Expand(HashAlgorithmName.SHA256, masterKey.ToArray(), 16, Encoding.ASCII.GetBytes("MSOnlineBackup/1/slot" + identity));

    private static BackupException Damaged(string identity, string why, Exception? inner) => new(
        BackupErrorId.KeySlotDamaged,
        $"Key slot '{identity}' is damaged: {why}.",
        "Use another passphrase or Key Vault key that has a key slot of its own, or bring the file back from a copy of the vault.",
        identity,
        innerException: inner);

    private static string Text(DateTimeOffset time) => time.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    // The slot key is fresh, or derived from a fresh salt, and used once: a constant nonce is safe.
    private KeySlot Seal(ReadOnlySpan<byte> slotKey, ReadOnlySpan<byte> masterKey, string identity)
    {
        byte[] wrapped = new byte[masterKey.Length + TagLength];
        using var aes = new AesGcm(slotKey, TagLength);
        aes.Encrypt(new byte[12], masterKey, wrapped.AsSpan(0, masterKey.Length), wrapped.AsSpan(masterKey.Length), AssociatedData(identity));
        KeySlot slot = this with { Wrapped = wrapped, Proof = Prove(masterKey, identity) };
        return slot with { Checksum = slot.ComputeChecksum(identity) };
    }

    private byte[] Unseal(ReadOnlySpan<byte> slotKey, string identity)
    {
        byte[] master = new byte[Wrapped.Length - TagLength];
        using var aes = new AesGcm(slotKey, TagLength);
        try
        {
            aes.Decrypt(new byte[12], Wrapped.AsSpan(0, master.Length), Wrapped.AsSpan(master.Length), master, AssociatedData(identity));
            return master;
        }
        catch (AuthenticationTagMismatchException e)
        {
            throw Damaged(identity, "its wrapped key does not authenticate", e);
        }
    }

    private bool IsSound(string identity)
    {
        bool ofItsKind = Kind == PassphraseKind
            ? Salt is { Length: 32 } && Verifier is { Length: VerifierLength } && Iterations is > 0 and <= MaxIterations
            : KeyVaultKey is { Length: > 0 and <= MaxKeyIdLength } && !KeyVaultKey.Any(char.IsControl) && EncryptedKey is { Length: > 0 and <= MaxEncryptedLength };
        return ofItsKind
            && Wrapped is { Length: StoreKeys.MasterKeyLength + TagLength }
            && DateTimeOffset.TryParse(Created, CultureInfo.InvariantCulture, out _)
            && Checksum is not null
            && Checksum.AsSpan().SequenceEqual(ComputeChecksum(identity));
    }

    private byte[] AssociatedData(string identity)
    {
        string parameter = Kind == PassphraseKind ? $"{Iterations}" : $"{KeyVaultKey}";
        return Encoding.UTF8.GetBytes($"MSOnlineBackup key slot\n{Format}\n{identity}\n{Kind}\n{Method}\n{parameter}\n{Created}\n{Label}");
    }

    private byte[] ComputeChecksum(string identity) =>
        SHA256.HashData([.. AssociatedData(identity), .. Salt ?? [], .. Verifier ?? [], .. EncryptedKey ?? [], .. Wrapped]);
}

[JsonSerializable(typeof(KeySlot))]
[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
internal sealed partial class KeySlotJson : JsonSerializerContext;
