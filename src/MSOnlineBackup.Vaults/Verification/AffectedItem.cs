using MSOnlineBackup.Vaults.Ids;

namespace MSOnlineBackup.Vaults.Verification;

/// <summary>Something that a damage affects.</summary>
/// <param name="PointId">The recovery point.</param>
/// <param name="Source">The path of the source within it; null for the point itself.</param>
/// <param name="Path">The item's full path, as listings show it; null where items of the source are affected and it cannot be told which.</param>
public sealed record AffectedItem(SessionId PointId, string? Source, string? Path)
{
    /// <summary>As text: the beginning of the point's id, and the path.</summary>
    public override string ToString() => (Path ?? Source) is { } place ? $"{PointId.ToShortString()}:{place}" : PointId.ToShortString();
}
