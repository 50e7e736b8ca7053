using System.Collections;

namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>The recovery points that can be read, newest first, and beside them those that cannot: a list never leaves one out in silence.</summary>
/// <param name="points">The points, newest first.</param>
/// <param name="damaged">Those that cannot be read, newest first.</param>
public sealed class RecoveryPointList(IReadOnlyList<RecoveryPoint> points, IReadOnlyList<DamagedPoint> damaged) : IReadOnlyList<RecoveryPoint>
{
    /// <summary>The points that are there and cannot be read, newest first.</summary>
    public IReadOnlyList<DamagedPoint> Damaged { get; } = damaged;

    /// <inheritdoc/>
    public int Count => points.Count;

    /// <inheritdoc/>
    public RecoveryPoint this[int index] => points[index];

    /// <inheritdoc/>
    public IEnumerator<RecoveryPoint> GetEnumerator() => points.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
