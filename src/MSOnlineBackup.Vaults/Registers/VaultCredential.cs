using System.Text.Json.Serialization;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Vaults.Registers;

/// <summary>What a credential file says: where a vault is, and the token that shows that its owner issued the file.</summary>
internal sealed record VaultCredential
{
    /// <summary>An absolute folder, or a URL.</summary>
    [JsonPropertyName("location")]
    public required string Location { get; init; }

    [JsonPropertyName("vaultId")]
    public required string VaultId { get; init; }

    /// <summary>The public key of the vault's owner, in base64.</summary>
    [JsonPropertyName("owner")]
    public required string Owner { get; init; }

    [JsonPropertyName("vaultName")]
    public required string VaultName { get; init; }

    [JsonPropertyName("serial")]
    public required uint Serial { get; init; }

    [JsonPropertyName("token")]
    public required byte[] Token { get; init; }

    [JsonPropertyName("issued")]
    public required DateTimeOffset Issued { get; init; }

    [JsonPropertyName("expires")]
    public required DateTimeOffset Expires { get; init; }

    /// <summary>What opens the vault to a machine that has no identity of its own there; null for nothing.</summary>
    [JsonPropertyName("secret")]
    public string? Secret { get; init; }

    [JsonPropertyName("requiresPrivateEndpoint")]
    public bool RequiresPrivateEndpoint { get; init; }

    /// <summary>Whether it is of a vault's copy in the secondary region: then it serves to recover from there, and no machine registers with it.</summary>
    [JsonPropertyName("secondary")]
    public bool IsSecondary { get; init; }

    [JsonIgnore]
    public VaultAddress Address => new(Location) { Secret = Secret, RequiresPrivateEndpoint = RequiresPrivateEndpoint, IsSecondary = IsSecondary };

    /// <summary>Without the secrets.</summary>
    public override string ToString() => $"{VaultName} {Serial}";
}

/// <summary>What the vault knows of a credential file that was issued: <c>credentials/SERIAL</c>. Signed by the owner.</summary>
internal sealed record CredentialRecord
{
    /// <summary>SHA-256 of the token.</summary>
    [JsonPropertyName("token")]
    public required byte[] TokenHash { get; init; }

    [JsonPropertyName("issued")]
    public required DateTimeOffset Issued { get; init; }

    [JsonPropertyName("expires")]
    public required DateTimeOffset Expires { get; init; }
}

[JsonSerializable(typeof(VaultCredential))]
[JsonSourceGenerationOptions(RespectNullableAnnotations = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault)]
internal sealed partial class VaultCredentialJson : JsonSerializerContext;
