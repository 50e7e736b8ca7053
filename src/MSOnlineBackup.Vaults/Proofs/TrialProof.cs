using System.Text.Json;
using System.Text.Json.Serialization;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;

namespace MSOnlineBackup.Vaults.Proofs;

/// <summary>A sample of a recovery point that was restored and compared: sealed JSON.</summary>
/// <param name="MachineId">The point's machine.</param>
/// <param name="PointId">The point.</param>
/// <param name="Seed">By which the sample was drawn.</param>
/// <param name="Files">Files that were restored.</param>
/// <param name="Bytes">Their bytes.</param>
/// <param name="Differences">Files that could not be restored, or were not as the point says.</param>
/// <param name="AgentVersion">The version that did it.</param>
internal sealed record TrialProof(
    [property: JsonRequired] MachineId MachineId,
    [property: JsonRequired] SessionId PointId,
    [property: JsonRequired] long Seed,
    [property: JsonRequired] long Files,
    [property: JsonRequired] long Bytes,
    [property: JsonRequired] int Differences,
    string AgentVersion)
{
    /// <summary>Encodes it.</summary>
    public byte[] Encode() => JsonSerializer.SerializeToUtf8Bytes(this, ProofJson.Default.TrialProof);

    /// <summary>Decodes it. Fields that are not known are passed over.</summary>
    /// <exception cref="BackupException">VaultDataCorrupt.</exception>
    public static TrialProof Decode(string name, ReadOnlySpan<byte> content)
    {
        try
        {
            return JsonSerializer.Deserialize(content, ProofJson.Default.TrialProof) ?? throw VaultDamage.Corrupt(name, "it says nothing");
        }
        catch (JsonException e)
        {
            throw VaultDamage.Corrupt(name, "it is not the JSON of a trial restore", e);
        }
    }
}

/// <summary>Proofs as JSON, without reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, MaxDepth = 16)]
[JsonSerializable(typeof(TrialProof))]
internal sealed partial class ProofJson : JsonSerializerContext;
