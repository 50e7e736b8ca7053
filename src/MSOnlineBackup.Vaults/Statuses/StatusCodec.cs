using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;

namespace MSOnlineBackup.Vaults.Statuses;

/// <summary>What an object of a status was found to be.</summary>
/// <param name="Status">What it says; null where that cannot be known.</param>
/// <param name="IsSealed">Whether it is sealed, and the key is not at hand.</param>
/// <param name="IsProved">Whether somebody who has the key of its chunk store has written it.</param>
internal sealed record StatusReading(RunStatus? Status, bool IsSealed = false, bool IsProved = false)
{
    /// <summary>Damaged, or not written by who may.</summary>
    public static StatusReading Invalid { get; } = new((RunStatus?)null);
}

/// <summary>A status as it is stored: in the envelope of records, plain or sealed, with a code under the monitoring key.</summary>
internal static class StatusCodec
{
    // So lengths tell little of what was sealed.
    private const int PaddedTo = 512;

    /// <summary>From a status to the bytes of its object.</summary>
    /// <param name="key">That of its chunk store.</param>
    /// <param name="vaultId">32 hexadecimal digits.</param>
    /// <param name="name">The full name of the object.</param>
    /// <param name="status">The status.</param>
    /// <param name="isSealed">Whether only who has the key can read it.</param>
    public static byte[] Encode(MonitoringKey key, string vaultId, string name, RunStatus status, bool isSealed)
    {
        byte[] body = JsonSerializer.SerializeToUtf8Bytes(status with { Store = key.StoreId }, StatusJson.Default.RunStatus);
        if (isSealed)
        {
            // White space at its end is no part of what JSON says.
            byte[] padded = new byte[(body.Length + PaddedTo - 1) / PaddedTo * PaddedTo];
            padded.AsSpan().Fill((byte)' ');
            body.CopyTo(padded, 0);
            byte[] content = SaltedSeal.Seal(key.SealKey, padded, BoundTo(vaultId, name));
            body = JsonSerializer.SerializeToUtf8Bytes(new SealedStatus(key.StoreId, content), StatusJson.Default.SealedStatus);
        }

        return RecordEnvelope.Authenticate(key.CodeKey, vaultId, name, body);
    }

    /// <summary>From the bytes of an object to what it says.</summary>
    /// <param name="keys">The monitoring keys at hand.</param>
    /// <param name="storeId">The chunk store of the machine: a status of another one is not its own.</param>
    /// <param name="vaultId">32 hexadecimal digits.</param>
    /// <param name="name">The full name of the object, which is one of a status.</param>
    /// <param name="content">Its bytes.</param>
    public static StatusReading Decode(IReadOnlyCollection<MonitoringKey> keys, StoreId storeId, string vaultId, string name, ReadOnlySpan<byte> content)
    {
        if (!RecordEnvelope.TrySplit(content, out ReadOnlySpan<byte> body, out RecordProof proof) || proof.IsSignature)
        {
            return StatusReading.Invalid;
        }

        try
        {
            SealedStatus? said = JsonSerializer.Deserialize(body, StatusJson.Default.SealedStatus);
            if (said?.Store != storeId)
            {
                return StatusReading.Invalid;
            }

            MonitoringKey? key = keys.FirstOrDefault(known => known.StoreId == said.Store);
            if (key is not null && !proof.IsAuthentic(key.CodeKey, vaultId, name, body))
            {
                return StatusReading.Invalid;
            }

            if (said.Sealed is null)
            {
                return Take(body, key);
            }

            return key is null ? new StatusReading(null, IsSealed: true)
                : SaltedSeal.TryOpen(key.SealKey, said.Sealed, BoundTo(vaultId, name)) is { } plain ? Take(plain, key)
                : StatusReading.Invalid;
        }
        catch (JsonException)
        {
            return StatusReading.Invalid;
        }

        StatusReading Take(ReadOnlySpan<byte> json, MonitoringKey? key)
        {
            RunStatus? status = JsonSerializer.Deserialize(json, StatusJson.Default.RunStatus);
            return status is { IsValid: true } && VaultLayout.TryParseStatus(name, out _, out string policy, out _) && policy == status.Policy
                ? new StatusReading(status, IsProved: key is not null)
                : StatusReading.Invalid;
        }
    }

    private static byte[] BoundTo(string vaultId, string name) => Encoding.ASCII.GetBytes($"{vaultId}\n{name}");
}

/// <summary>What is read first: of which chunk store, and whether it is sealed.</summary>
internal sealed record SealedStatus(StoreId Store, byte[]? Sealed);

/// <summary>The serialisers, generated when the assembly is built.</summary>
[JsonSerializable(typeof(RunStatus))]
[JsonSerializable(typeof(SealedStatus))]
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true,
    RespectNullableAnnotations = true,
    MaxDepth = CheckedJson.MaxDepth,
    AllowDuplicateProperties = false)]
internal sealed partial class StatusJson : JsonSerializerContext;
