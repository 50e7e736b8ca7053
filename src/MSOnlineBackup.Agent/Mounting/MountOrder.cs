using System.Text.Json;
using System.Text.Json.Serialization;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Agent.Mounting;

/// <summary>What is to be mounted, and where.</summary>
public sealed record MountOrder
{
    /// <summary>The vault; null for this machine's own. Its secret is never written to disk.</summary>
    public VaultAddress? Vault { get; init; }

    /// <summary>Whose points; null for those of all machines.</summary>
    public string? MachineName { get; init; }

    /// <summary>The recovery point's session id, or its beginning, or "latest"; null for all points.</summary>
    public string? PointId { get; init; }

    /// <summary>The folder, by its full path.</summary>
    public required string Folder { get; init; }

    /// <summary>Whether it can be written to, into a layer that goes when the mount goes.</summary>
    public bool IsWritable { get; init; }

    /// <summary>Whether other users see it.</summary>
    public bool AllowOther { get; init; }

    /// <summary>The passphrase; null for this machine's own key. Never written to disk.</summary>
    [JsonIgnore]
    public string? Passphrase { get; init; }

    /// <summary>Whether what lies in a folder is shown even where its subscription was given up, and the profile stops restores then.</summary>
    public bool EvenDeprovisioned { get; init; }

    /// <summary>What is mounted where; never a secret.</summary>
    public override string ToString() => $"{PointId ?? "all points"} on {Folder}";
}

/// <summary>An order as the process gets it that serves the mount. Its secrets come by standard input: two lines, the passphrase and the vault's secret, empty where there is none.</summary>
/// <param name="Version">1.</param>
/// <param name="Limits">The name of the profile of limits that holds.</param>
/// <param name="MachineName">The name of the machine, where it is not registered.</param>
/// <param name="Order">The order.</param>
internal sealed record MountOrderFile(int Version, string Limits, string MachineName, MountOrder Order)
{
    /// <summary>The version that is written, and the only one that is read.</summary>
    public const int Current = 1;

    /// <summary>As JSON, without secrets.</summary>
    public byte[] Encode() => JsonSerializer.SerializeToUtf8Bytes(
        this with { Order = Order with { Vault = Order.Vault is null ? null : Order.Vault with { Secret = null } } }, MountJson.Default.MountOrderFile);

    /// <summary>Reads what <see cref="Encode"/> wrote.</summary>
    /// <exception cref="BackupException">StateInvalid.</exception>
    public static MountOrderFile Decode(ReadOnlySpan<byte> content, string source)
    {
        try
        {
            return JsonSerializer.Deserialize(content, MountJson.Default.MountOrderFile) is { Version: Current } file ? file : throw Invalid(source, "another version wrote it", null);
        }
        catch (Exception e) when (e is JsonException or NotSupportedException or InvalidOperationException)
        {
            throw Invalid(source, e.Message.TrimEnd('.'), e);
        }
    }

    private static BackupException Invalid(string source, string why, Exception? cause) => new(
        BackupErrorId.StateInvalid, $"The order '{source}' cannot be carried out: {why}.", "Mount again.", source, innerException: cause);
}

/// <summary>The serialisers, generated when the agent is built.</summary>
[JsonSourceGenerationOptions(
    WriteIndented = true,
    UseStringEnumConverter = true,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(MountOrderFile))]
[JsonSerializable(typeof(RecoveryMount))]
internal sealed partial class MountJson : JsonSerializerContext;
