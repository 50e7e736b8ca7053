using System.Text.Json.Serialization;
using MSOnlineBackup.Vaults.Ids;

namespace MSOnlineBackup.Vaults.Verification;

/// <summary>Something that a damage affects.</summary>
/// <param name="PointId">The recovery point.</param>
/// <param name="Source">The path of the source within it; null for the point itself.</param>
/// <param name="Path">The item's full path, as listings show it; null where items of the source are affected and it cannot be told which.</param>
/// <param name="Stream">The named stream of the item that is affected, as text; null where it is its content, or more than one item.</param>
public sealed record AffectedItem(SessionId PointId, string? Source, string? Path, string? Stream = null)
{
    /// <summary>Where it is, as text: the path, or that of the source, with the stream; null for the point itself.</summary>
    [JsonIgnore]
    public string? Place => Stream is null ? Path ?? Source : $"{Path} (stream '{Stream}')";

    /// <summary>As text: the beginning of the point's id, and the place.</summary>
    public override string ToString() => Place is { } place ? $"{PointId.ToShortString()}:{place}" : PointId.ToShortString();
}
