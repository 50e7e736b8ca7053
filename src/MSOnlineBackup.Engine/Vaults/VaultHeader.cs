using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using MSOnlineBackup.Engine.Errors;
using MSOnlineBackup.Engine.Storage;

namespace MSOnlineBackup.Engine.Vaults;

/// <summary><c>vault.json</c>: what is needed to know whether this version can read the vault. Plain.</summary>
internal sealed record VaultHeader
{
    public const int SupportedFormat = 1;
    private const int MaxLength = 64 << 10;
    private const int MaxNameLength = 100;

    [JsonPropertyName("format")]
    public required int Format { get; init; }

    /// <summary>Features that a reader must know; none yet.</summary>
    [JsonPropertyName("features")]
    public required IReadOnlyList<string> Features { get; init; }

    [JsonPropertyName("vaultId")]
    public required string VaultId { get; init; }

    [JsonPropertyName("created")]
    public required DateTimeOffset Created { get; init; }

    /// <summary>What its owner calls it; null where nobody said.</summary>
    [JsonPropertyName("name")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Name { get; init; }

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
            Features = [],
            VaultId = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)),
            Created = clock.GetUtcNow(),
            Name = name,
        };
    }

    /// <summary>Writes the header: from here on there is a vault.</summary>
    /// <exception cref="BackupException">VaultExists.</exception>
    public async Task WriteAsync(IVaultStore store, CancellationToken cancellationToken)
    {
        byte[] content = JsonSerializer.SerializeToUtf8Bytes(this, VaultJson.Default.VaultHeader);
        if (!await store.TryCreateAsync(VaultLayout.Header, content, cancellationToken).ConfigureAwait(false))
        {
            throw Exists(store, VaultLayout.Header);
        }
    }

    /// <summary>Reads the header.</summary>
    /// <exception cref="BackupException">VaultHeaderInvalid, VaultFormatUnsupported.</exception>
    public static async Task<VaultHeader> ReadAsync(IVaultStore store, CancellationToken cancellationToken)
    {
        VaultHeader? header;
        try
        {
            byte[]? content = await ReadSmallAsync(store, VaultLayout.Header, MaxLength, cancellationToken).ConfigureAwait(false);
            header = content is null ? null : JsonSerializer.Deserialize(content, VaultJson.Default.VaultHeader);
        }
        catch (Exception e) when (e is JsonException or BackupException { Id: BackupErrorId.VaultDataCorrupt })
        {
            throw Invalid(store, "its vault.json is damaged", e);
        }

        if (header is null)
        {
            throw Invalid(store, "it has no vault.json", null);
        }

        if (header.Format > SupportedFormat || header.Features is { Count: > 0 })
        {
            throw new BackupException(
                BackupErrorId.VaultFormatUnsupported,
                $"The vault in '{store.Location}' has format {header.Format}{(header.Features is { Count: > 0 } ? $" with {string.Join(", ", header.Features)}" : null)}; this version reads up to {SupportedFormat}.",
                "Use a newer version of MSOnlineBackup.",
                store.Location);
        }

        return header.Format == SupportedFormat && header.VaultId is not null && VaultLayout.IsId(header.VaultId) && IsName(header.Name)
            ? header
            : throw Invalid(store, "its vault.json is damaged", null);
    }

    /// <summary>The id of the machine of this name: names are told apart without regard to case, so no two machines can race for one.</summary>
    public string MachineId(string machineName) => MachineId(VaultId, machineName);

    /// <inheritdoc cref="MachineId(string)"/>
    public static string MachineId(string vaultId, string machineName) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"machine\n{vaultId}\n{machineName.ToLowerInvariant()}"))).AsSpan(0, 16));

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

    private static bool IsName(string? name) =>
        name is null || (!string.IsNullOrWhiteSpace(name) && name.Length <= MaxNameLength && !name.Any(char.IsControl));

    private static BackupException Exists(IVaultStore store, string found) => new(
        BackupErrorId.VaultExists,
        $"'{store.Location}' is not empty: it holds '{found}'.",
        "Choose an empty or new folder or container for the vault, or use the vault that is there.",
        store.Location);

    private static BackupException Invalid(IVaultStore store, string why, Exception? inner) => new(
        BackupErrorId.VaultHeaderInvalid,
        $"'{store.Location}' is no vault that can be opened: {why}.",
        "Check the path. A vault is made by 'obengine vault create' or 'New-OBVault'; a lost vault.json can be brought back from a copy of the vault.",
        store.Location,
        innerException: inner);
}

/// <summary>What the vault knows of a machine before any passphrase. Plain.</summary>
internal sealed record MachineRecord
{
    [JsonPropertyName("name")]
    public required string Name { get; init; }

    [JsonPropertyName("operatingSystem")]
    public required string OperatingSystem { get; init; }

    [JsonPropertyName("agentVersion")]
    public required string AgentVersion { get; init; }

    [JsonPropertyName("store")]
    public required string StoreId { get; init; }

    /// <summary>Since when the machine is no longer registered; null where it is.</summary>
    [JsonPropertyName("left")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTimeOffset? Left { get; init; }

    [JsonIgnore]
    public bool IsGone => Left is not null;
}

/// <summary>That a session began. Plain; its presence is what counts.</summary>
internal sealed record SessionRecord
{
    /// <summary>The machine that is backed up; null for maintenance.</summary>
    [JsonPropertyName("machine")]
    public required string? MachineId { get; init; }

    [JsonPropertyName("started")]
    public required DateTimeOffset Started { get; init; }

    [JsonPropertyName("agentVersion")]
    public required string AgentVersion { get; init; }
}

[JsonSerializable(typeof(VaultHeader))]
[JsonSerializable(typeof(MachineRecord))]
[JsonSerializable(typeof(SessionRecord))]
[JsonSerializable(typeof(CredentialRecord))]
[JsonSerializable(typeof(VaultSettings))]
internal sealed partial class VaultJson : JsonSerializerContext;
