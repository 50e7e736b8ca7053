using System.Text.Json.Serialization;

namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>A recovery point as JSON has it: everything optional until it is checked.</summary>
internal sealed record RecoveryPointJson(
    string? Session,
    string? Machine,
    string? MachineName,
    string? OperatingSystem,
    string? AgentVersion,
    string? Started,
    string? Ended,
    string? Status,
    string? Parent,
    IReadOnlyList<string?>? Tags,
    IReadOnlyList<RecoveryPointSourceJson?>? Sources,
    long NewBytes,
    long StoredBytes,
    long SkippedCount,
    IReadOnlyList<string?>? SkippedItems);

/// <summary>A source as JSON has it.</summary>
internal sealed record RecoveryPointSourceJson(string? Path, string? Form, string? FileSystem, bool IsMountPoint, ManifestRootJson? Manifest, SourceChangesJson? Changes)
{
    public string? Consistency { get; init; }

    public string? Snapshot { get; init; }

    public string? ConsistencyReason { get; init; }

    public string? Warning { get; init; }
}

/// <summary>What changed in a source, as JSON has it.</summary>
internal sealed record SourceChangesJson(long Earlier, long New, long Changed, long Gone, long Renamed, long ReadBytes);

/// <summary>A manifest's root as JSON has it.</summary>
internal sealed record ManifestRootJson(string? Id, int Depth, long Entries, long Files, long Directories, long Bytes);

/// <summary>A skipped item as JSON has it.</summary>
internal sealed record SkippedItemJson(string? Path, string? Id, string? Reason);

/// <summary>A record of deletion as JSON has it.</summary>
internal sealed record DeletionJson(string? State, string? Reason, string? After, string? Due, string? AgentVersion);

/// <summary>The serialisers, generated when the engine is built.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    MaxDepth = RecoveryPointCodec.MaxDepth)]
[JsonSerializable(typeof(RecoveryPointJson))]
[JsonSerializable(typeof(SkippedItemJson))]
[JsonSerializable(typeof(DeletionJson))]
internal sealed partial class RecoveryPointJsonContext : JsonSerializerContext;
