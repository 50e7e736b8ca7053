using MSOnlineBackup.Agent.Capacity;

namespace MSOnlineBackup.Model.Conversions;

/// <summary>From what a plan says to what scripts see.</summary>
internal static class CapacityConversion
{
    /// <summary>A plan as scripts see it.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="measured">What the vault said; null without one.</param>
    /// <param name="now">From when its days count.</param>
    public static OBCapacity ToOutput(this CapacityPlan plan, CapacityMeasurement? measured, DateTimeOffset now) => new()
    {
        RequiredBytes = plan.RequiredBytes,
        FullBytes = plan.FullBytes,
        ChangeBytes = plan.ChangeBytes,
        RecoveryPoints = plan.Points,
        ProtectedBytes = plan.ProtectedBytes,
        DailyChange = plan.DailyChange,
        ReductionRatio = plan.ReductionRatio,
        StoredBytes = measured?.StoredBytes,
        PoolBytes = plan.PoolBytes,
        DaysUntilFull = plan.DaysUntilFull,
        FullOn = plan.DaysUntilFull is { } days ? now.UtcDateTime.Date.AddDays(days) : null,
    };
}
