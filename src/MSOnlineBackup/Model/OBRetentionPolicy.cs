namespace MSOnlineBackup;

/// <summary>For how long recovery points are kept.</summary>
public sealed class OBRetentionPolicy
{
    /// <summary>Every point for this many days.</summary>
    public long RetentionDays { get; set; }

    /// <summary>The saved policy's name; empty in a draft.</summary>
    public string RetentionPolicyName { get; internal set; } = "";

    /// <summary>Draft, or part of a saved policy.</summary>
    public OBObjectState State { get; internal set; }

    /// <summary>Which points are kept for weeks; null for none.</summary>
    public OBLTRSchedule? WeeklyLTRSchedule { get; set; }

    /// <summary>Which points are kept for months; null for none.</summary>
    public OBLTRSchedule? MonthlyLTRSchedule { get; set; }

    /// <summary>Which points are kept for years; null for none.</summary>
    public OBLTRSchedule? YearlyLTRSchedule { get; set; }

    /// <summary>All of it, by line.</summary>
    public override string ToString() =>
        $"""
        Retention Days : {RetentionDays}

        WeeklyLTRSchedule :
        {WeeklyLTRSchedule?.ToString() ?? "Weekly schedule is not set"}

        MonthlyLTRSchedule :
        {MonthlyLTRSchedule?.ToString() ?? "Monthly schedule is not set"}

        YearlyLTRSchedule :
        {YearlyLTRSchedule?.ToString() ?? "Yearly schedule is not set"}

        """;
}
