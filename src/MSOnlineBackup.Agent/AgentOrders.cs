using System.Text.Json;
using System.Text.Json.Serialization;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Agent;

/// <summary>A backup to be run by this machine's policy.</summary>
public sealed record BackupOrder
{
    /// <summary>Which policy.</summary>
    public PolicyKind Kind { get; init; }

    /// <summary>Only these of the policy's sources; empty for all.</summary>
    public IReadOnlyList<string> Only { get; init; } = [];

    /// <summary>Until when the point is kept at least; null: by the policy.</summary>
    public DateTimeOffset? RetainUntil { get; init; }

    /// <summary>How hard it tries to make what it stores small.</summary>
    public Compression Compression { get; init; }
}

/// <summary>A recovery to be run.</summary>
public sealed record RecoveryOrder
{
    /// <summary>The vault; null for this machine's own.</summary>
    public VaultAddress? Vault { get; init; }

    /// <summary>Whose data.</summary>
    public required string MachineName { get; init; }

    /// <summary>The recovery point's session id.</summary>
    public required string PointId { get; init; }

    /// <summary>Full paths of the items.</summary>
    public required IReadOnlyList<string> Paths { get; init; }

    /// <summary>Where to; null for where they came from.</summary>
    public string? TargetFolder { get; init; }

    /// <summary>What to do where something is there.</summary>
    public RestoreConflict Conflict { get; init; } = RestoreConflict.Copy;

    /// <summary>Whether owner, mode and ACLs are left as new files have them.</summary>
    public bool SkipSecurity { get; init; }

    /// <summary>The passphrase; null for this machine's own key. Never written to disk.</summary>
    public string? Passphrase { get; init; }

    /// <summary>Whether names that Windows does not have are restored as names that it has.</summary>
    public bool MapNames { get; init; }

    /// <summary>Whether what was restored is read again and compared.</summary>
    public bool Verify { get; init; }
}

/// <summary>
/// What a background job is to do, as its folder has it: one of the two; and what its starter goes by that its own process could not know. Secrets
/// are not in it.
/// </summary>
/// <param name="Version">2.</param>
/// <param name="Limits">The name of the profile of limits that holds.</param>
/// <param name="MachineName">The name of the machine, where it is not registered.</param>
/// <param name="Backup">A backup.</param>
/// <param name="Recovery">A recovery; its secrets come by standard input, a line each.</param>
/// <param name="ReadsPassphrase">Whether the first is a passphrase.</param>
/// <param name="ReadsVaultSecret">Whether the next is the vault's secret.</param>
internal sealed record JobOrder(
    int Version, string Limits, string MachineName, BackupOrder? Backup, RecoveryOrder? Recovery, bool ReadsPassphrase, bool ReadsVaultSecret = false)
{
    /// <summary>The version that is written.</summary>
    public const int Current = 2;

    /// <summary>The file's name in the job's folder.</summary>
    public const string FileName = "order.json";

    /// <summary>An order to back up.</summary>
    public static JobOrder Of(BackupOrder order, AgentOptions starter) => new(Current, starter.Limits.Name, starter.MachineName, order, null, ReadsPassphrase: false);

    /// <summary>An order to recover, without its secrets, and with a target that does not depend on the current folder.</summary>
    public static JobOrder Of(RecoveryOrder order, AgentOptions starter)
    {
        string? target = order.TargetFolder is null ? null : Path.GetFullPath(order.TargetFolder);
        RecoveryOrder written = order with { Passphrase = null, TargetFolder = target, Vault = order.Vault is null ? null : order.Vault with { Secret = null } };
        return new JobOrder(Current, starter.Limits.Name, starter.MachineName, null, written, order.Passphrase is not null, order.Vault?.Secret is not null);
    }

    /// <summary>Reads an order.</summary>
    /// <param name="path">Where it came from, for the message.</param>
    /// <exception cref="BackupException">StateInvalid.</exception>
    public static JobOrder Decode(ReadOnlySpan<byte> content, string path)
    {
        try
        {
            JobOrder? order = JsonSerializer.Deserialize(content, OrderJson.Default.JobOrder);
            if (order is { Version: Current } && order.Limits is { } limits && PolicyLimits.Find(limits) is not null && (order.Backup is null) != (order.Recovery is null))
            {
                return order;
            }
        }
        catch (JsonException e)
        {
            throw Damaged(e);
        }

        throw Damaged(null);

        BackupException Damaged(JsonException? cause) => new(
            BackupErrorId.StateInvalid,
            $"The order '{path}' cannot be read: it is truncated, no order, or of another version.",
            "Start the job again.",
            path,
            innerException: cause);
    }
}

/// <summary>The serialisers, generated when the engine is built.</summary>
[JsonSourceGenerationOptions(
    WriteIndented = true,
    UseStringEnumConverter = true,
    RespectNullableAnnotations = true,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(JobOrder))]
internal sealed partial class OrderJson : JsonSerializerContext;
