using System.Text.Json.Serialization;
using MSOnlineBackup.Vaults.Ids;

namespace MSOnlineBackup.Agent.Machine;

/// <summary>What <c>machine.json</c> holds.</summary>
internal sealed record MachineState
{
    public MachineRegistration? Registration { get; init; }

    /// <summary>What came with the registration to open the vault, wrapped by the machine's secret; null for nothing.</summary>
    public byte[]? VaultSecret { get; init; }

    /// <summary>Null until a passphrase is set.</summary>
    public MachineActivation? Activation { get; init; }

    /// <summary>The scratch folder; null for the one in the state folder.</summary>
    public string? Scratch { get; init; }
}

/// <summary>That the key file was written, read back and found to open the store.</summary>
/// <param name="StoreId">The machine's chunk store.</param>
/// <param name="KeyId">The slot of its passphrase.</param>
/// <param name="Since">When the passphrase was set.</param>
/// <param name="MasterKeyDigest">Of the store's master key: a store of the same name with another one is not this machine's.</param>
/// <param name="Epoch">Which of the store's master keys that is.</param>
internal sealed record MachineActivation(StoreId StoreId, string KeyId, DateTimeOffset Since, byte[] MasterKeyDigest, byte Epoch = 0);

[JsonSerializable(typeof(MachineState))]
[JsonSerializable(typeof(SettingsState))]
[JsonSerializable(typeof(SecretState))]
[JsonSerializable(typeof(OwnersState))]
[JsonSerializable(typeof(MovedState))]
[JsonSerializable(typeof(RetentionState))]
[JsonSerializable(typeof(ContactState))]
[JsonSerializable(typeof(ServerState))]
[JsonSourceGenerationOptions(
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    UseStringEnumConverter = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
internal sealed partial class StateJson : JsonSerializerContext;
