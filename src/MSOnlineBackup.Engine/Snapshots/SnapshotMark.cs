using System.Text.Json.Serialization;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Snapshots;

/// <summary>A snapshot as it is written down before it is made: all that whoever removes it has to know.</summary>
/// <param name="Kind">Who makes it, as "Btrfs".</param>
/// <param name="Volume">The path of the volume, as <see cref="EntryName"/> writes it.</param>
/// <param name="Identity">What tells the volume from another one at that path.</param>
/// <param name="Name">The snapshot's own name, which nothing else has.</param>
internal sealed record SnapshotMark(string Kind, string Volume, string Identity, string Name)
{
    /// <summary>The folder that it is mounted at; null where it is not.</summary>
    public string? Mount { get; init; }

    /// <summary>What the volume itself calls the snapshot, where it stays after its backup; null before.</summary>
    public string? Uuid { get; init; }
}

/// <summary>The snapshots of one backup.</summary>
/// <param name="Version">1.</param>
/// <param name="Snapshots">They.</param>
internal sealed record SnapshotMarks(int Version, IReadOnlyList<SnapshotMark> Snapshots);

/// <summary>The serialisers, generated when the engine is built.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(SnapshotMarks))]
[JsonSerializable(typeof(LocalPointState))]
[JsonSerializable(typeof(LvmReport))]
internal sealed partial class SnapshotJson : JsonSerializerContext;
