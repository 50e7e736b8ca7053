using MSOnlineBackup.Vaults.Repair;

namespace MSOnlineBackup.Model.Conversions;

/// <summary>From a repair to what scripts see of it.</summary>
internal static class RepairConversion
{
    /// <summary>What was done.</summary>
    public static OBRepairResult ToOutput(this RepairReport report) => new()
    {
        IsRehearsal = report.IsRehearsal,
        PacksRead = report.PacksRead,
        BytesRead = report.BytesRead,
        DamagedPacks =
        [
            .. report.Packs.Select(pack => new OBRepairedPack
            {
                Object = pack.Object,
                Problem = pack.Problem,
                Salvaged = pack.Salvaged,
                FromCopies = pack.FromCopies,
                FromParity = pack.FromParity,
                Lost = pack.Lost,
                LostBytes = pack.LostBytes,
            }),
        ],
        ChunksSalvaged = report.ChunksSalvaged,
        ChunksFromCopies = report.ChunksFromCopies,
        ChunksFromParity = report.ChunksFromParity,
        ChunksLost = report.ChunksLost,
        BytesWritten = report.BytesWritten,
        PacksDeleted = report.PacksDeleted,
        PacksIndexed = report.PacksIndexed,
        ObjectsRemoved = report.ObjectsRemoved,
        ObjectsRestored = report.ObjectsRestored,
        PointsAffected = report.PointsAffected,
        FilesAffected = report.FilesAffected,
        WaitingFor = [.. report.WaitingFor.Select(MaintenanceConversion.ToOutput)],
        Unfinished = report.Unfinished,
        Problems =
        [
            .. report.Findings.Select(finding => new OBRecoveryPointProblem
            {
                Object = finding.Object, Problem = finding.Problem, AffectedPaths = [.. finding.Affected.Select(item => item.ToString())],
            }),
        ],
    };
}
