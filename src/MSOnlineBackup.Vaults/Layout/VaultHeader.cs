using System.Text.Json;
using System.Text.Json.Serialization;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Vaults.Layout;

/// <summary>
/// <c>vault.json</c>: which vault this is, and whether this version can read it. Plain, with a checksum over everything that it says.
/// </summary>
internal sealed record VaultHeader
{
    public const int SupportedFormat = 1;
    public const int MaxLength = 64 << 10;
    private const int MaxNameLength = 100;

    [JsonPropertyName("format")]
    public required int Format { get; init; }

    [JsonPropertyName("vaultId")]
    public required string VaultId { get; init; }

    /// <summary>Which of several twins this is, which share vault id, store ids and master keys: 32 hexadecimal digits.</summary>
    [JsonPropertyName("copy")]
    public required string Copy { get; init; }

    [JsonPropertyName("created")]
    public required DateTimeOffset Created { get; init; }

    /// <summary>What its owner calls it; null where nobody said.</summary>
    [JsonPropertyName("name")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Name { get; init; }

    /// <summary>The public key of its owner, as SubjectPublicKeyInfo in DER; null where it has none.</summary>
    [JsonPropertyName("owner")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public byte[]? Owner { get; init; }

    /// <summary>Its owner; null where it has none: then nothing is set that only an owner may set.</summary>
    [JsonIgnore]
    public OwnerIdentity? OwnerIdentity => Owner is null ? null : OwnerIdentity.TryParse(Owner);

    /// <summary>Whether it is a seed: a twin that takes first backups on a disk to their vault, and is done with once it was imported there.</summary>
    [JsonPropertyName("seed")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool IsSeed { get; init; }

    /// <summary>What a newer version has written, and this one only passes on.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Others { get; set; }

    /// <summary>Makes the header of a new vault, which is written last: until then there is no vault.</summary>
    /// <exception cref="BackupException">VaultExists, ArgumentInvalid where the name is none.</exception>
    public static async Task<VaultHeader> PrepareAsync(IVaultStore store, TimeProvider clock, CancellationToken cancellationToken, string? name = null)
    {
        if (!IsName(name))
        {
            throw new BackupException(
                BackupErrorId.ArgumentInvalid,
                $"The vault's name is empty, longer than {MaxNameLength} characters, or has control characters.",
                "Choose a short name, for example 'Office'.");
        }

        await foreach (StoredObject found in store.ListAsync(string.Empty, cancellationToken).ConfigureAwait(false))
        {
            // Key slots alone are what a creation leaves that was interrupted; they open nothing.
            if (!found.Name.StartsWith(VaultLayout.AllKeys, StringComparison.Ordinal))
            {
                throw Exists(store, found.Name);
            }
        }

        return new VaultHeader
        {
            Format = SupportedFormat,
            VaultId = IdDigits.Create(),
            Copy = IdDigits.Create(),
            Created = clock.GetUtcNow(),
            Name = name,
        };
    }

    /// <summary>Writes the header: from here on there is a vault.</summary>
    /// <exception cref="BackupException">VaultExists.</exception>
    public async Task WriteAsync(IVaultStore store, CancellationToken cancellationToken)
    {
        byte[] content = CheckedJson.Encode(this, HeaderJson.Default.VaultHeader);
        if (!await store.TryCreateAsync(VaultLayout.Header, content, cancellationToken).ConfigureAwait(false))
        {
            throw Exists(store, VaultLayout.Header);
        }
    }

    /// <summary>Reads the header.</summary>
    /// <exception cref="BackupException">
    /// VaultHeaderDamaged where it is damaged or lost, VaultHeaderInvalid where there is no vault, VaultFormatUnsupported.
    /// </exception>
    public static async Task<VaultHeader> ReadAsync(IVaultStore store, CancellationToken cancellationToken)
    {
        byte[]? content;
        try
        {
            content = await ReadSmallAsync(store, VaultLayout.Header, MaxLength, cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException e) when (e.IsDamage)
        {
            throw Damaged(store, e.Id == BackupErrorId.VaultDataUnreadable ? "cannot be read" : "is far too large, or no file", e);
        }

        if (content is null)
        {
            throw await HoldsAnythingAsync(store, cancellationToken).ConfigureAwait(false)
                ? Damaged(store, "is missing", null)
                : new BackupException(
                    BackupErrorId.VaultHeaderInvalid,
                    $"'{store.Location}' is not a vault: it has no '{VaultLayout.Header}', and no key slots or backups either.",
                    "Check the path. A vault is made by 'obengine vault create' or 'New-OBVault'.",
                    store.Location);
        }

        if (!CheckedJson.IsSound(content))
        {
            throw Damaged(store, "is damaged: its checksum does not fit its content", null);
        }

        return CheckedJson.FormatOf(content) is > SupportedFormat and var newer
            ? throw new BackupException(
                BackupErrorId.VaultFormatUnsupported,
                $"The vault in '{store.Location}' has format {newer}; this version reads up to {SupportedFormat}.",
                "Use a newer version of MSOnlineBackup.",
                store.Location)
            : TryDecode(content) ?? throw Damaged(store, "was written by something other than MSOnlineBackup", null);
    }

    /// <summary>The header that these bytes are; null where they are none, or none of this format.</summary>
    public static VaultHeader? TryDecode(ReadOnlySpan<byte> content)
    {
        try
        {
            return CheckedJson.TryDecode(content, HeaderJson.Default.VaultHeader) is { IsLegal: true } header ? header : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>The id of the machine of this name.</summary>
    public MachineId MachineId(string machineName) => Ids.MachineId.Of(VaultId, machineName);

    /// <summary>Reads a small plain object; null where there is none.</summary>
    internal static async Task<byte[]?> ReadSmallAsync(IVaultStore store, string name, int maxLength, CancellationToken cancellationToken)
    {
        // One call: it is asked for one byte more than there may be.
        byte[] content = new byte[maxLength + 1];
        try
        {
            int read = await store.ReadAsync(name, 0, content, cancellationToken).ConfigureAwait(false);
            return read <= maxLength ? content[..read] : throw VaultDamage.Corrupt(name, "it is far too large");
        }
        catch (BackupException e) when (e.Id == BackupErrorId.VaultDataMissing)
        {
            return null;
        }
    }

    private bool IsLegal =>
        Format == SupportedFormat && VaultId is not null && IdDigits.AreIn(VaultId) && Copy is not null && IdDigits.AreIn(Copy)
        && (Owner is null || OwnerIdentity is not null) && IsName(Name);

    // Nothing else makes objects of these names.
    private static async Task<bool> HoldsAnythingAsync(IVaultStore store, CancellationToken cancellationToken)
    {
        foreach (string folder in (string[])[VaultLayout.AllKeys, VaultLayout.Stores, VaultLayout.Machines])
        {
            await foreach (StoredObject _ in store.ListAsync(folder, cancellationToken).ConfigureAwait(false))
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsName(string? name) =>
        name is null || (!string.IsNullOrWhiteSpace(name) && name.Length <= MaxNameLength && !name.Any(char.IsControl));

    /// <summary>Refuses a place for a new vault that holds something.</summary>
    internal static BackupException Exists(IVaultStore store, string found) => new(
        BackupErrorId.VaultExists,
        $"'{store.Location}' is not empty: it holds '{found}'.",
        "Choose an empty or new folder or container for the vault, or use the vault that is there.",
        store.Location);

    private static BackupException Damaged(IVaultStore store, string how, Exception? inner) => new(
        BackupErrorId.VaultHeaderDamaged,
        $"The header of the vault in '{store.Location}' {how}. '{VaultLayout.Header}' says which vault this is, and without it nothing can be opened.",
        "No data is lost. 'obengine repair header' rebuilds it from what the other objects say, or bring the file back from a copy of the vault.",
        store.Location,
        innerException: inner);
}

/// <summary>What a key slot or the record of a session says of the vault that it is of.</summary>
internal sealed record HeaderWitness
{
    [JsonPropertyName("vaultId")]
    public string? VaultId { get; init; }

    [JsonPropertyName("store")]
    public string? StoreId { get; init; }

    [JsonPropertyName("slot")]
    public string? KeyId { get; init; }

    [JsonPropertyName("session")]
    public string? SessionId { get; init; }

    [JsonPropertyName("created")]
    public DateTimeOffset? Created { get; init; }

    [JsonPropertyName("started")]
    public DateTimeOffset? Started { get; init; }
}

[JsonSerializable(typeof(VaultHeader))]
[JsonSerializable(typeof(HeaderWitness))]
[JsonSourceGenerationOptions(MaxDepth = CheckedJson.MaxDepth, AllowDuplicateProperties = false)]
internal sealed partial class HeaderJson : JsonSerializerContext;
