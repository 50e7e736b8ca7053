using System.Text.Json.Serialization;
using MSOnlineBackup.Vaults.Ids;

namespace MSOnlineBackup.Vaults.Registers;

/// <summary>What the vault knows of a machine before any passphrase. Proved by a key of the machine's chunk store, or, once it has left, signed by the vault's owner.</summary>
internal sealed record MachineRecord
{
    [JsonPropertyName("name")]
    public required string Name { get; init; }

    [JsonPropertyName("operatingSystem")]
    public required string OperatingSystem { get; init; }

    [JsonPropertyName("agentVersion")]
    public required string AgentVersion { get; init; }

    [JsonPropertyName("store")]
    public required StoreId StoreId { get; init; }

    /// <summary>The public key of the owner that the vault had for this machine, in base64; null where it had none.</summary>
    [JsonPropertyName("owner")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Owner { get; init; }

    /// <summary>The name that the machine had first, from which its id comes; null where this is it.</summary>
    [JsonPropertyName("first")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? First { get; init; }

    /// <summary>In the series of its first name: what the machine is called now; null where that is still it.</summary>
    [JsonPropertyName("called")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Called { get; init; }

    /// <summary>Since when the machine is no longer registered; null where it is.</summary>
    [JsonPropertyName("left")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTimeOffset? Left { get; init; }

    [JsonIgnore]
    public bool IsGone => Left is not null;
}
