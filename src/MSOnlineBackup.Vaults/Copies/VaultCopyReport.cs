using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Verification;

namespace MSOnlineBackup.Vaults.Copies;

/// <summary>What came of copying recovery points to a twin.</summary>
/// <param name="PointsCopied">Points that the twin has now, by this copy; of a rehearsal, those that would be copied.</param>
/// <param name="PointsThere">Points that it had.</param>
/// <param name="PointsOlder">Points that it lacks, and that were not copied because it has a later one of their machine; see <see cref="VaultCopyRequest.IncludesOlder"/>.</param>
/// <param name="PointsEnded">Points that somebody has deleted there: they stay deleted.</param>
/// <param name="Damaged">Points that were not copied, because something that they need cannot be read.</param>
/// <param name="Findings">What that is, and which items of these points suffer by it.</param>
/// <param name="Chunks">Chunks that the twin lacked, and that were copied.</param>
/// <param name="Bytes">Their bytes, as they are stored.</param>
/// <param name="StoredBytes">Bytes that were sent to the twin, everything included.</param>
public sealed record VaultCopyReport(
    int PointsCopied,
    int PointsThere,
    int PointsOlder,
    int PointsEnded,
    IReadOnlyList<DamagedPoint> Damaged,
    IReadOnlyList<VerifyFinding> Findings,
    long Chunks,
    long Bytes,
    long StoredBytes)
{
    /// <summary>Points that the twin lacks, and that were not copied because its own retention keeps none of them.</summary>
    public int PointsSpared { get; init; }

    /// <summary>Points that the twin's own retention has let go of there, after the copy; of a rehearsal, those that it would.</summary>
    public int PointsExpired { get; init; }

    /// <summary>Whether nothing was copied.</summary>
    public bool IsRehearsal { get; init; }
}
