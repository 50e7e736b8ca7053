using MSOnlineBackup.Agent.Retention;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Cmdlets;

/// <summary>For cmdlets that put retention into force, or say what that would do.</summary>
public abstract class MaintenanceCmdlet : OBEngineCmdlet
{
    /// <summary>
    /// Of each point that is there and cannot be read a warning says so, and that none is deleted for that; and where it is not known how many bytes go.
    /// </summary>
    private protected static void WarnOfDamage(CmdletPump pump, RetentionPlan plan)
    {
        foreach (DamagedPoint damaged in plan.Damaged)
        {
            BackupException error = damaged.ToError();
            pump.WriteWarning(
                $"{error.Message} (recovery point {damaged.SessionId}, {error.Id}) No recovery point of this machine is deleted while one cannot be read. "
                    + $"{error.RecommendedAction} "
                + "Remove-OBRecoveryPoint deletes one that is lost.");
        }

        if (plan.Unmeasured is { } unmeasured)
        {
            pump.WriteWarning($"How many bytes go is not known: {unmeasured.Message} ({unmeasured.Id}) {unmeasured.RecommendedAction}");
        }
    }
}
