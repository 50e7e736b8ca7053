using System.Diagnostics;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Agent.Retention;
using MSOnlineBackup.Vaults.Maintenance;
using MSOnlineBackup.Vaults.Verification;

namespace MSOnlineBackup.Model.Conversions;

/// <summary>From maintenance and its plan to what scripts see of them.</summary>
internal static class MaintenanceConversion
{
    /// <summary>What was done.</summary>
    public static OBMaintenanceResult ToOutput(this MachineMaintenance done)
    {
        MaintenanceReport report = done.Collection;
        return new OBMaintenanceResult
        {
            IsRehearsal = report.IsRehearsal,
            PointsDeleted = done.PointsDeleted,
            BytesExpiring = done.Plan.Bytes,
            PointsGone = report.PointsGone,
            PacksDeleted = report.Packs.Deleted,
            BytesFreed = report.Packs.BytesFreed,
            PacksCondemned = report.Packs.Condemned,
            BytesCondemned = report.Packs.BytesCondemned,
            PacksRepacked = report.Packs.Repacked,
            BytesRepacked = report.Packs.BytesRepacked,
            BytesUnused = report.Packs.BytesUnused,
            BytesUnderEarlierKeys = report.Packs.BytesUnderEarlierKeys,
            ObjectsDeleted = report.ObjectsDeleted,
            ParityWritten = report.Parity.BytesWritten,
            PacksProtected = report.Parity.PacksProtected,
            PacksUnprotected = report.Parity.PacksUnprotected,
            PacksMended = report.PacksMended,
            SessionsShutOut = report.SessionsShutOut,
            PacksVerified = report.Verified.Packs,
            BytesVerified = report.Verified.Bytes,
            DamagedPacks = [.. report.Verified.DamagedPacks],
            WaitingFor = [.. report.WaitingFor.Select(ToOutput)],
            LocksChanged = report.Locks.Changed,
            LockObstacle = report.Locks.Obstacle,
            Kept = [.. report.Locks.Kept.Select(kept => kept.Target ?? "")],
            Problems = [.. report.Findings.Select(finding => new OBRecoveryPointProblem { Object = finding.Object, Problem = finding.Problem })],
        };
    }

    /// <summary>A job that is waited for.</summary>
    public static OBMaintenanceWait ToOutput(this UnfinishedSession session) => new()
    {
        SessionId = session.SessionId.ToString(), MachineId = session.MachineId.ToString(), Started = session.Started.UtcDateTime,
    };

    /// <summary>What becomes of a point.</summary>
    public static OBRetentionDecision ToOutput(this PlannedPoint planned) => new()
    {
        RecoveryPointId = planned.Point.SessionId.ToString(),
        BackupTime = planned.Point.Started.UtcDateTime,
        DataSources = string.Join(", ", planned.Point.SourceNames()),
        IsKept = !planned.Expires,
        Reason = planned.Reason switch
        {
            RetentionReason.Expired => OBRetentionReason.Expired,
            RetentionReason.WithinRetention => OBRetentionReason.WithinRetention,
            RetentionReason.Newest => OBRetentionReason.Newest,
            RetentionReason.LongestKept => OBRetentionReason.LongestKept,
            RetentionReason.ClockUnproven => OBRetentionReason.ClockUnproven,
            RetentionReason.NotByPolicy => OBRetentionReason.NotByPolicy,
            RetentionReason.TagUnknown => OBRetentionReason.TagUnknown,
            RetentionReason.Immutable => OBRetentionReason.Immutable,
            RetentionReason.NeededByWorkload => OBRetentionReason.NeededByWorkload,
            _ => throw new UnreachableException(),
        },
        PolicyType = planned.Policy is { } policy ? policy == PolicyKind.Files ? OBPolicyType.Files : OBPolicyType.SystemState : null,
        Rule = planned.Rule switch
        {
            null => null,
            RetentionKind.Daily => OBRetentionRule.Daily,
            RetentionKind.Partial => OBRetentionRule.Partial,
            RetentionKind.Weekly => OBRetentionRule.Weekly,
            RetentionKind.Monthly => OBRetentionRule.Monthly,
            RetentionKind.Yearly => OBRetentionRule.Yearly,
            RetentionKind.Asked => OBRetentionRule.Asked,
            _ => throw new UnreachableException(),
        },
        Until = planned.Until?.UtcDateTime,
        Bytes = planned.Bytes,
    };
}
