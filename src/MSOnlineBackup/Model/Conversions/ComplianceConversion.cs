using MSOnlineBackup.Vaults.Compliance;

namespace MSOnlineBackup.Model.Conversions;

/// <summary>From what a watch finds to what scripts see.</summary>
internal static class ComplianceConversion
{
    /// <summary>A machine and policy as scripts see it.</summary>
    public static OBCompliance ToOutput(this PolicyCompliance policy) => new()
    {
        ServerName = policy.Machine,
        Policy = policy.Policy,
        State = Enum.Parse<OBComplianceState>(policy.State.ToString()),
        Message = policy.Message,
        RecommendedAction = policy.RecommendedAction,
        ErrorId = policy.Id?.ToString(),
        LastSuccess = policy.LastSuccess?.UtcDateTime,
        LastRun = policy.LastRun?.UtcDateTime,
        Due = policy.Due?.UtcDateTime,
        Outcome = policy.Outcome?.ToString(),
        JobId = policy.Job,
        Errors = [.. policy.Errors],
        Files = policy.Files,
        Bytes = policy.Bytes,
        IsProved = policy.IsProved,
    };
}
