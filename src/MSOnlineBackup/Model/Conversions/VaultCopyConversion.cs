using MSOnlineBackup.Vaults.Copies;

namespace MSOnlineBackup.Model.Conversions;

/// <summary>From a copy to a twin to what scripts see of it.</summary>
internal static class VaultCopyConversion
{
    /// <summary>What was done.</summary>
    /// <param name="report">The copy.</param>
    /// <param name="twin">Where the twin is.</param>
    public static OBVaultCopyResult ToOutput(this VaultCopyReport report, string twin) => new()
    {
        IsRehearsal = report.IsRehearsal,
        Destination = twin,
        PointsCopied = report.PointsCopied,
        PointsThere = report.PointsThere,
        PointsOlder = report.PointsOlder,
        PointsDeleted = report.PointsEnded,
        PointsNotKept = report.PointsSpared,
        PointsExpired = report.PointsExpired,
        DamagedPoints = [.. report.Damaged.Select(point => point.SessionId.ToString())],
        Chunks = report.Chunks,
        Bytes = report.Bytes,
        BytesStored = report.StoredBytes,
        Problems =
        [
            .. report.Findings.Select(finding => new OBRecoveryPointProblem
            {
                Object = finding.Object, Problem = finding.Problem, AffectedPaths = [.. finding.Affected.Select(item => item.ToString())],
            }),
        ],
    };
}
