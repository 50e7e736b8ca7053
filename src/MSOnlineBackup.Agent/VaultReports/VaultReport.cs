namespace MSOnlineBackup.Agent.VaultReports;

/// <summary>How a vault stands, for people: its machines, what they have brought, and what somebody should see to. Times are the store's (UTC), sizes bytes.</summary>
/// <param name="At">When that was found out.</param>
/// <param name="VaultId">The vault's id.</param>
/// <param name="Name">What its owner calls it; null where nobody said.</param>
/// <param name="Location">Its folder or URL.</param>
/// <param name="Created">When it was created.</param>
/// <param name="StoredBytes">All that it keeps.</param>
/// <param name="Points">Recovery points of the chunk store that was opened.</param>
/// <param name="ObjectiveHours">How old the newest recovery point of a machine may be at any time.</param>
/// <param name="Days">For how many days the objective and the growth are shown.</param>
/// <param name="Machines">Each machine and policy. First those that somebody should see to, each kind from the one that has been without a backup for longest; then the others by name.</param>
/// <param name="Growth">What each of the days brought, the oldest first.</param>
/// <param name="Alarms">What somebody should see to, beside machines whose backups do not come.</param>
/// <param name="Protection">What stands between an attacker and the backups, as it is set.</param>
/// <param name="Cost">What it costs in a month; null where no price was given.</param>
/// <param name="Warnings">What keeps this from being certain or whole, in whole sentences.</param>
public sealed record VaultReport(
    DateTimeOffset At,
    string VaultId,
    string? Name,
    string Location,
    DateTimeOffset Created,
    long StoredBytes,
    int Points,
    double ObjectiveHours,
    int Days,
    IReadOnlyList<ReportedMachine> Machines,
    IReadOnlyList<ReportedDay> Growth,
    IReadOnlyList<ReportedAlarm> Alarms,
    IReadOnlyList<ReportedProtection> Protection,
    ReportedCost? Cost,
    IReadOnlyList<string> Warnings)
{
    /// <summary>How many machines and policies need nobody.</summary>
    public int Sound => Machines.Count(machine => machine.ErrorId is null);
}

/// <summary>A machine by one policy. What comes from recovery points is null where those cannot be read by the key that was at hand.</summary>
/// <param name="Machine">What it is called.</param>
/// <param name="Policy">The policy; null where no status can be read.</param>
/// <param name="State">How its backups stand.</param>
/// <param name="ErrorId">The error id of that; null where all is well.</param>
/// <param name="Message">The same in whole sentences.</param>
/// <param name="RecommendedAction">What to do; empty where nothing is.</param>
/// <param name="Outcome">What came of the last run; null where that cannot be known.</param>
/// <param name="LastSuccess">When the last backup that succeeded had ended; null for never.</param>
/// <param name="LastRun">When the last run had ended; null for never.</param>
/// <param name="NextBy">By when the next must have come; null where none is expected.</param>
/// <param name="HoursSinceSuccess">How long it has been without a backup that succeeded, at the time of the report; null for always.</param>
/// <param name="OperatingSystem">Its system; null where the vault does not know.</param>
/// <param name="AgentVersion">The version of its software; null where the vault does not know.</param>
/// <param name="ProtectedBytes">What its newest recovery point holds.</param>
/// <param name="Points">How many recovery points it has.</param>
/// <param name="Objective">How its recovery points met the objective.</param>
/// <param name="LastVerified">Since when all that its newest point may need has been read back; null where it was not.</param>
public sealed record ReportedMachine(
    string Machine,
    string? Policy,
    string State,
    string? ErrorId,
    string Message,
    string RecommendedAction,
    string? Outcome,
    DateTimeOffset? LastSuccess,
    DateTimeOffset? LastRun,
    DateTimeOffset? NextBy,
    double? HoursSinceSuccess,
    string? OperatingSystem,
    string? AgentVersion,
    long? ProtectedBytes,
    int? Points,
    ObjectiveResult? Objective,
    DateTimeOffset? LastVerified);

/// <summary>What a day (UTC) brought.</summary>
/// <param name="Day">The day.</param>
/// <param name="Points">Recovery points of that day that are still there.</param>
/// <param name="AddedBytes">What they added to the vault.</param>
/// <param name="TotalBytes">What all added that are still there, from the first to the end of the day.</param>
public sealed record ReportedDay(DateOnly Day, int Points, long AddedBytes, long TotalBytes);

/// <summary>Something that somebody should see to.</summary>
public sealed record ReportedAlarm(string Id, DateTimeOffset Since, string? Machine, string Message, string RecommendedAction);

/// <summary>Something that protects the backups, or does not.</summary>
/// <param name="What">What.</param>
/// <param name="IsOn">Whether it does.</param>
/// <param name="Detail">How, in words.</param>
public sealed record ReportedProtection(string What, bool IsOn, string Detail);

/// <summary>What the vault costs in a month, by the price that was given.</summary>
/// <param name="PricePerGib">For one GiB in a month.</param>
/// <param name="Currency">Of the price; empty where that was not said.</param>
/// <param name="Total">For what is stored now. Operations and transfer are not in it.</param>
public sealed record ReportedCost(decimal PricePerGib, string Currency, decimal Total);
