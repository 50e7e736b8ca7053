namespace MSOnlineBackup.Agent.Health;

/// <summary>How something stands that backups need.</summary>
public enum HealthVerdict
{
    /// <summary>Nothing is amiss.</summary>
    Pass,

    /// <summary>It works, and somebody should look at it.</summary>
    Warning,

    /// <summary>Backups do not work, or protect nothing, because of it.</summary>
    Fail,

    /// <summary>There is no such thing here, or what comes before it failed.</summary>
    NotApplicable,
}

/// <summary>What a check found.</summary>
/// <param name="Check">What was checked.</param>
/// <param name="Verdict">How it stands.</param>
/// <param name="Cause">The same as a sentence.</param>
/// <param name="Fix">What to do; empty where nothing is needed.</param>
public sealed record HealthFinding(HealthCheck Check, HealthVerdict Verdict, string Cause, string Fix = "")
{
    /// <summary>The row of docs/operations.md that has the check, and what the original's documents say of it.</summary>
    public string Row => HealthRows.Of(Check);

    internal static HealthFinding Pass(HealthCheck check, string cause) => new(check, HealthVerdict.Pass, cause);

    internal static HealthFinding Warning(HealthCheck check, string cause, string fix) => new(check, HealthVerdict.Warning, cause, fix);

    internal static HealthFinding Fail(HealthCheck check, string cause, string fix) => new(check, HealthVerdict.Fail, cause, fix);

    internal static HealthFinding NotApplicable(HealthCheck check, string cause) => new(check, HealthVerdict.NotApplicable, cause);
}
