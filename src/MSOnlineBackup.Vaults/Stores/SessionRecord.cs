using System.Text.Json;
using System.Text.Json.Serialization;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;

namespace MSOnlineBackup.Vaults.Stores;

/// <summary>That a session began. Plain, with a checksum; its presence is what counts.</summary>
internal sealed record SessionRecord
{
    /// <summary>The vault, the chunk store and the session, which are those of its name; set as it is written.</summary>
    [JsonPropertyName("vaultId")]
    public string VaultId { get; init; } = "";

    [JsonPropertyName("store")]
    public StoreId StoreId { get; init; }

    [JsonPropertyName("session")]
    public SessionId SessionId { get; init; }

    /// <summary>The machine that is backed up; null for maintenance, copies and readers.</summary>
    [JsonPropertyName("machine")]
    public required MachineId? MachineId { get; init; }

    [JsonPropertyName("started")]
    public required DateTimeOffset Started { get; init; }

    [JsonPropertyName("agentVersion")]
    public required string AgentVersion { get; init; }

    /// <summary>Whether it brings points from a twin.</summary>
    [JsonPropertyName("isCopy")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool IsCopy { get; init; }

    /// <summary>Decodes a stored record. A session counts whatever it says.</summary>
    /// <param name="content">What is stored.</param>
    /// <param name="header">The vault's header; null where that is damaged.</param>
    /// <param name="name">The object's name.</param>
    /// <exception cref="BackupException">VaultDataCorrupt.</exception>
    /// <exception cref="JsonException">It is as somebody wrote it, and no record of a session.</exception>
    public static SessionRecord Decode(ReadOnlySpan<byte> content, VaultHeader? header, string name) =>
        CheckedJson.TryDecode(content, SessionJson.Default.SessionRecord) is not { } record
            ? throw VaultDamage.Corrupt(name, "its checksum does not fit its content")
        : name != VaultLayout.Session(record.StoreId, record.SessionId)
            ? throw VaultDamage.Corrupt(name, $"it is the record of the session {record.SessionId} of the chunk store {record.StoreId}")
        : header is not null && record.VaultId != header.VaultId
            ? throw VaultDamage.Corrupt(name, $"it is of the vault {record.VaultId}, and this is the vault {header.VaultId}")
        : record;
}

/// <summary>The serialiser of sessions' records, generated when the assembly is built.</summary>
[JsonSerializable(typeof(SessionRecord))]
[JsonSourceGenerationOptions(MaxDepth = CheckedJson.MaxDepth, AllowDuplicateProperties = false)]
internal sealed partial class SessionJson : JsonSerializerContext;
