using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;

namespace MSOnlineBackup.Vaults.Cryptography;

/// <summary>Which key slot of which vault: three ids of 32 hexadecimal digits.</summary>
internal readonly record struct KeySlotIdentity(string VaultId, StoreId StoreId, string KeyId)
{
    /// <summary>The object's name.</summary>
    public string Name => $"keys/{StoreId}/{KeyId}";

    /// <summary>The three of them.</summary>
    public override string ToString() => $"{VaultId}/{StoreId}/{KeyId}";
}

/// <summary>
/// A key slot: the master key of a store, sealed under a slot key, which is derived from a passphrase or wrapped by a key in Azure
/// Key Vault. Stored as checked JSON, so a damaged slot and a wrong passphrase are told apart: the checksum covers the slot as it was written,
/// the verifier is a part of the derived bytes. It says itself of which vault and store it is.
/// </summary>
internal sealed record KeySlot
{
    public const int SupportedFormat = 1;
    public const string PassphraseKind = "passphrase";
    public const string KeyVaultKind = "azure-key-vault";
    public const string RsaOaep = "rsa-oaep-256";
    public const int MaxLabelLength = 100;

    private const int MaxKeyIdLength = 512;

    /// <summary>What an RSA key of 16,384 bits wraps to.</summary>
    private const int MaxEncryptedLength = 2048;
    private const int SlotKeyLength = 32;
    private const int VerifierLength = 16;
    private const int ProofLength = 16;
    private const int TagLength = 16;

    [JsonPropertyName("format")]
    public required int Format { get; init; }

    [JsonPropertyName("kind")]
    public required string Kind { get; init; }

    [JsonPropertyName("vaultId")]
    public required string VaultId { get; init; }

    [JsonPropertyName("store")]
    public required StoreId StoreId { get; init; }

    [JsonPropertyName("slot")]
    public required string KeyId { get; init; }

    /// <summary>Which of the store's master keys it opens; null for the first.</summary>
    [JsonPropertyName("epoch")]
    public long? Epoch { get; init; }

    /// <summary>That of a slot that was decoded.</summary>
    [JsonIgnore]
    public byte EpochNumber => (byte)(Epoch ?? 0);

    /// <summary>Of a passphrase: how the slot key is derived.</summary>
    [JsonPropertyName("kdf")]
    public string? Kdf { get; init; }

    [JsonPropertyName("iterations")]
    public int? Iterations { get; init; }

    [JsonPropertyName("memoryKiB")]
    public int? MemoryKiB { get; init; }

    [JsonPropertyName("passes")]
    public int? Passes { get; init; }

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

    /// <summary>Shows whether a master key is the one in this slot, without opening the slot.</summary>
    [JsonPropertyName("proof")]
    public byte[] Proof { get; init; } = [];

    /// <summary>True where it was written anew from its copy: then it does not count once it was removed. Bound to nothing, for whoever restores it cannot open it.</summary>
    [JsonPropertyName("restored")]
    public bool? IsRestored { get; init; }

    /// <summary>What a newer version has written, and this one only passes on.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Others { get; set; }

    [JsonIgnore]
    public KeySlotIdentity Identity => new(VaultId, StoreId, KeyId);

    /// <summary>When it was added; the client's clock.</summary>
    [JsonIgnore]
    public DateTimeOffset CreatedAt => DateTimeOffset.Parse(Created, CultureInfo.InvariantCulture);

    /// <summary>How a passphrase becomes the slot key; null where none does.</summary>
    [JsonIgnore]
    public PassphraseDerivation? Derivation => (Kind, Kdf) switch
    {
        (PassphraseKind, PassphraseDerivation.Argon2id) => PassphraseDerivation.ByArgon2id(MemoryKiB ?? 0, Passes ?? 0),
        (PassphraseKind, PassphraseDerivation.Pbkdf2) => PassphraseDerivation.ByPbkdf2(Iterations ?? 0),
        _ => null,
    };

    // Where the slot key comes from.
    private string? Method => Kind == PassphraseKind ? Kdf : Algorithm;

    /// <summary>Seals a master key for a passphrase. Takes about 0.2 s.</summary>
    /// <exception cref="BackupException">PassphraseInvalid, ArgumentInvalid where the label is none, KeyDerivationUnavailable.</exception>
    public static KeySlot Create(
        string passphrase, ReadOnlySpan<byte> masterKey, KeySlotIdentity identity, PassphraseDerivation derivation, string? label, DateTimeOffset now, byte epoch = 0)
    {
        Passphrase.Validate(passphrase);
        bool isArgon = derivation.Method == PassphraseDerivation.Argon2id;
        byte[] salt = RandomNumberGenerator.GetBytes(derivation.SaltLength);
        KeySlot slot = Begin(PassphraseKind, identity, label, now, epoch) with
        {
            Kdf = derivation.Method,
            Iterations = isArgon ? null : derivation.Iterations,
            MemoryKiB = isArgon ? derivation.MemoryKiB : null,
            Passes = isArgon ? derivation.Passes : null,
            Salt = salt,
        };
        byte[] derived = derivation.Derive(passphrase, salt);
        slot = (slot with { Verifier = derived[SlotKeyLength..(SlotKeyLength + VerifierLength)] }).Seal(derived.AsSpan(0, SlotKeyLength), masterKey);
        CryptographicOperations.ZeroMemory(derived);
        return slot;
    }

    /// <summary>Seals a master key for a Key Vault key. The slot key is unwrapped once, so that no slot is made that does not open.</summary>
    /// <exception cref="BackupException">
    /// What the Key Vault refuses; KeySlotDamaged where it does not unwrap the key that it wrapped; ArgumentInvalid where the label is none.
    /// </exception>
    public static async Task<KeySlot> CreateAsync(
        IKeyEncryptionKey key, ReadOnlyMemory<byte> masterKey, KeySlotIdentity identity, string? label, DateTimeOffset now, CancellationToken cancellationToken, byte epoch = 0)
    {
        KeySlot slot = Begin(KeyVaultKind, identity, label, now, epoch);
        byte[] slotKey = RandomNumberGenerator.GetBytes(SlotKeyLength);
        WrappedKey wrapped = await key.WrapAsync(slotKey, cancellationToken).ConfigureAwait(false);
        byte[]? unwrapped = await key.UnwrapAsync(wrapped, cancellationToken).ConfigureAwait(false);
        if (unwrapped is null || !CryptographicOperations.FixedTimeEquals(unwrapped, slotKey))
        {
            throw Damaged(identity.Name, $"'{wrapped.KeyId}' does not unwrap the key that it wrapped");
        }

        slot = (slot with { Algorithm = RsaOaep, KeyVaultKey = wrapped.KeyId, EncryptedKey = wrapped.Content }).Seal(slotKey, masterKey.Span);
        CryptographicOperations.ZeroMemory(slotKey);
        CryptographicOperations.ZeroMemory(unwrapped);
        return slot;
    }

    /// <summary>The master key; null where the passphrase is another one, or none opens this slot. Takes about 0.2 s.</summary>
    /// <exception cref="BackupException">KeySlotDamaged, KeyDerivationUnavailable.</exception>
    public byte[]? TryOpen(string passphrase)
    {
        if (Derivation is not { } derivation)
        {
            return null;
        }

        byte[] derived = derivation.Derive(passphrase, Salt!);
        try
        {
            return CryptographicOperations.FixedTimeEquals(derived.AsSpan(SlotKeyLength, VerifierLength), Verifier)
                ? Unseal(derived.AsSpan(0, SlotKeyLength))
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
    public async Task<byte[]> OpenAsync(IKeyEncryptionKey key, CancellationToken cancellationToken)
    {
        byte[]? slotKey = await key.UnwrapAsync(new WrappedKey(KeyVaultKey!, EncryptedKey!), cancellationToken).ConfigureAwait(false);
        if (slotKey is not { Length: SlotKeyLength })
        {
            throw Damaged(Identity.Name, $"its slot key was not wrapped by '{KeyVaultKey}'");
        }

        try
        {
            return Unseal(slotKey);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(slotKey);
        }
    }

    /// <summary>Whether this slot says that it holds this master key. Needs no passphrase and no time.</summary>
    public bool Proves(ReadOnlySpan<byte> masterKey) => CryptographicOperations.FixedTimeEquals(Proof, Prove(masterKey, Identity));

    /// <summary>The stored form.</summary>
    public byte[] Encode() => CheckedJson.Encode(this, KeySlotJson.Default.KeySlot);

    /// <summary>Reads the stored form.</summary>
    /// <param name="content">What is stored.</param>
    /// <param name="storeId">The store by the object's name.</param>
    /// <param name="keyId">The slot by the object's name.</param>
    /// <exception cref="BackupException">KeySlotDamaged, VaultFormatUnsupported.</exception>
    public static KeySlot Decode(ReadOnlySpan<byte> content, StoreId storeId, string keyId)
    {
        string name = $"keys/{storeId}/{keyId}";
        if (!CheckedJson.IsSound(content))
        {
            throw Damaged(name, "its checksum does not fit its content");
        }

        if (CheckedJson.FormatOf(content) > SupportedFormat)
        {
            throw Newer(name, $"of format {CheckedJson.FormatOf(content)}");
        }

        KeySlot slot;
        try
        {
            slot = CheckedJson.TryDecode(content, KeySlotJson.Default.KeySlot) ?? throw Damaged(name, "it is empty");
        }
        catch (JsonException e)
        {
            throw Damaged(name, "it was never a key slot", inner: e);
        }

        if (slot.StoreId != storeId || slot.KeyId != keyId)
        {
            throw Damaged(name, $"it is the key slot '{slot.StoreId}/{slot.KeyId}', which was brought here");
        }

        if ((slot.Kind, slot.Method) is not ((PassphraseKind, PassphraseDerivation.Argon2id or PassphraseDerivation.Pbkdf2) or (KeyVaultKind, RsaOaep)))
        {
            throw Newer(name, $"of kind '{slot.Kind}' with '{slot.Method}'");
        }

        return slot.Fault is { } fault ? throw Damaged(name, fault) : slot;
    }

    /// <summary>The refusal of a slot that is not as it should be.</summary>
    public static BackupException Damaged(string name, string why, string? action = null, Exception? inner = null) => new(
        BackupErrorId.KeySlotDamaged,
        $"Key slot '{name}' is damaged: {why}.",
        action ?? "Use another passphrase or Key Vault key that has a key slot of its own, or bring the file back from a copy of the vault.",
        name,
        innerException: inner);

    private static BackupException Newer(string name, string what) => new(
        BackupErrorId.VaultFormatUnsupported,
        $"Key slot '{name}' is {what}, which this version does not know.",
        "Use a newer version of MSOnlineBackup.",
        name);

    private static KeySlot Begin(string kind, KeySlotIdentity identity, string? label, DateTimeOffset now, byte epoch) => IsLabel(label)
        ? new KeySlot
        {
            Format = SupportedFormat,
            Kind = kind,
            VaultId = identity.VaultId,
            StoreId = identity.StoreId,
            KeyId = identity.KeyId,
            Epoch = epoch == 0 ? null : epoch,
            Created = now.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
            Label = label,
        }
        : throw new BackupException(
            BackupErrorId.ArgumentInvalid,
            $"The label of a key slot is empty, longer than {MaxLabelLength} characters, or has control characters.",
            "Choose a short label, for example 'recovery'.");

    private static bool IsLabel(string? label) => label is null || (label.Length is > 0 and <= MaxLabelLength && !label.Any(char.IsControl));

    private static byte[] Prove(ReadOnlySpan<byte> masterKey, KeySlotIdentity identity) =>
        HKDF.Expand(HashAlgorithmName.SHA256, masterKey.ToArray(), ProofLength, Encoding.ASCII.GetBytes($"MSOnlineBackup/1/slot{identity}"));

    // The slot key is fresh, or derived from a fresh salt, and used once: a constant nonce is safe.
    private KeySlot Seal(ReadOnlySpan<byte> slotKey, ReadOnlySpan<byte> masterKey)
    {
        byte[] wrapped = new byte[masterKey.Length + TagLength];
        using var aes = new AesGcm(slotKey, TagLength);
        aes.Encrypt(new byte[12], masterKey, wrapped.AsSpan(0, masterKey.Length), wrapped.AsSpan(masterKey.Length), Bound());
        return this with { Wrapped = wrapped, Proof = Prove(masterKey, Identity) };
    }

    private byte[] Unseal(ReadOnlySpan<byte> slotKey)
    {
        byte[] master = new byte[Wrapped.Length - TagLength];
        using var aes = new AesGcm(slotKey, TagLength);
        try
        {
            aes.Decrypt(new byte[12], Wrapped.AsSpan(0, master.Length), Wrapped.AsSpan(master.Length), master, Bound());
        }
        catch (AuthenticationTagMismatchException e)
        {
            throw Damaged(Identity.Name, "its wrapped key does not authenticate", inner: e);
        }

        return Proves(master) ? master : throw Damaged(Identity.Name, "its proof belongs to another master key");
    }

    // What is wrong with a slot that is as it was written, and of a kind that is known.
    private string? Fault =>
        !IdDigits.AreIn(VaultId) ? "its vault id is none"
        : Derivation is { } derivation
            && !derivation.IsWithinBounds ? $"it asks for more than a reader gives (at most {PassphraseDerivation.MaxWork:N0} iterations, or KiB times passes)"
        : Derivation is { } known
            && (Salt?.Length != known.SaltLength || Verifier is not { Length: VerifierLength }) ? "its salt or its verifier is of a wrong length"
        : Kind == KeyVaultKind && (KeyVaultKey is not { Length: > 0 and <= MaxKeyIdLength } || KeyVaultKey.Any(char.IsControl) || EncryptedKey is not { Length: > 0 and <= MaxEncryptedLength })
            ? "its Key Vault key, or what that key wrapped, is not valid"
        : Wrapped is not { Length: StoreKeys.MasterKeyLength + TagLength }
            || Proof is not { Length: ProofLength } ? "its wrapped key or its proof is of a wrong length"
        : !IsLabel(Label) ? "its label is none"
        : !DateTimeOffset.TryParse(Created, CultureInfo.InvariantCulture, out _) ? "its date is none"
        : Epoch is < 0 or > byte.MaxValue ? "its epoch is none"
        : null;

    // Every field has its length before it, so no two slots are bound to the same bytes.
    internal byte[] Bound()
    {
        string[] parameters = (Kind, Kdf) switch
        {
            (PassphraseKind, PassphraseDerivation.Argon2id) => [Text(MemoryKiB), Text(Passes)],
            (PassphraseKind, _) => [Text(Iterations)],
            _ => [KeyVaultKey!],
        };
        var bound = new ArrayBufferWriter<byte>();
        foreach (string field in (string[])["MSOnlineBackup key slot", Text(Format), VaultId, StoreId.ToString(), KeyId, Text(Epoch ?? 0), Kind, Method!, .. parameters, Created, Label ?? ""])
        {
            BinaryPrimitives.WriteInt32LittleEndian(bound.GetSpan(sizeof(int)), Encoding.UTF8.GetByteCount(field));
            bound.Advance(sizeof(int));
            Encoding.UTF8.GetBytes(field, bound);
        }

        return bound.WrittenSpan.ToArray();

        static string Text(long? number) => string.Create(CultureInfo.InvariantCulture, $"{number}");
    }
}

[JsonSerializable(typeof(KeySlot))]
[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, MaxDepth = CheckedJson.MaxDepth, AllowDuplicateProperties = false)]
internal sealed partial class KeySlotJson : JsonSerializerContext;
