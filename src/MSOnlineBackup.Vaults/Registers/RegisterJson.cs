using System.Text.Json.Serialization;
using MSOnlineBackup.Vaults.Cryptography;

namespace MSOnlineBackup.Vaults.Registers;

/// <summary>The serialisers of what registers hold, generated when the assembly is built.</summary>
[JsonSerializable(typeof(MachineRecord))]
[JsonSerializable(typeof(CredentialRecord))]
[JsonSerializable(typeof(VaultSettings))]
[JsonSerializable(typeof(VaultRecord))]
[JsonSourceGenerationOptions(MaxDepth = CheckedJson.MaxDepth, AllowDuplicateProperties = false)]
internal sealed partial class RegisterJson : JsonSerializerContext;
