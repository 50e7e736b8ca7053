using MSOnlineBackup.Vaults.Ids;

namespace MSOnlineBackup.Vaults.Statuses;

/// <summary>What a status tells of.</summary>
public enum RunOutcome
{
    /// <summary>A backup was made.</summary>
    Completed,

    /// <summary>A backup was made; something of it was skipped, or somebody should see to something.</summary>
    CompletedWithWarnings,

    /// <summary>A backup failed.</summary>
    Failed,

    /// <summary>Somebody stopped a backup.</summary>
    Aborted,

    /// <summary>A backup that a schedule wanted was not begun.</summary>
    Skipped,

    /// <summary>Nothing ran: a policy was saved, and by its schedule a backup is expected.</summary>
    Expected,

    /// <summary>Nothing ran: the policy was paused, and no backup is expected.</summary>
    Paused,

    /// <summary>Nothing ran: there is no policy any more, or it has no schedule, and no backup is expected.</summary>
    Ended,
}

/// <summary>
/// What a machine leaves in the vault after each run, for whoever watches: small, without a name of a file. Its age is what the store says; the times in it are the machine's own, for
/// people only, and nothing is decided by them.
/// </summary>
public sealed record RunStatus
{
    /// <summary>The policy of a backup by none.</summary>
    public const string NoPolicy = StatusNames.NoPolicy;

    /// <summary>The longest text in it.</summary>
    internal const int LongestText = 255;

    internal const int MostErrors = 20;

    /// <summary>What the machine is called.</summary>
    public required string Machine { get; init; }

    /// <summary>By which policy: its name on command lines, such as <c>files</c>; <c>other</c> for a backup by none.</summary>
    public required string Policy { get; init; }

    /// <summary>What came of it.</summary>
    public required RunOutcome Outcome { get; init; }

    /// <summary>The job; null where nothing ran.</summary>
    public Guid? Job { get; init; }

    /// <summary>The recovery point that was made; null for none.</summary>
    public SessionId? Point { get; init; }

    /// <summary>When it began, by the machine's clock; null where nothing ran.</summary>
    public DateTimeOffset? Started { get; init; }

    /// <summary>When it ended, by the machine's clock; null where nothing ran.</summary>
    public DateTimeOffset? Ended { get; init; }

    /// <summary>Names of error ids: why it failed, and what was warned of; at most 20.</summary>
    public IReadOnlyList<string> Errors { get => field ?? []; init; } = [];

    /// <summary>Files in the recovery point, or as far as it came.</summary>
    public long Files { get; init; }

    /// <summary>Their bytes.</summary>
    public long Bytes { get; init; }

    /// <summary>Items that were skipped.</summary>
    public long Skipped { get; init; }

    /// <summary>In how many seconds from now on the schedule wants the next backup: it counts from when the store has this status. Null where nothing is expected.</summary>
    public long? NextSeconds { get; init; }

    /// <summary>How many seconds later than that it may have ended before it is late.</summary>
    public long GraceSeconds { get; init; }

    /// <summary>When that is by the machine's clock and zone, for people; null where nothing is expected.</summary>
    public DateTimeOffset? Next { get; init; }

    /// <summary>Whether the policy was paused then: what ran was asked for by somebody.</summary>
    public bool IsPaused { get; init; }

    /// <summary>The zone of the schedule: an IANA name, or an offset from UTC; null where nothing is expected.</summary>
    public string? Zone { get; init; }

    /// <summary>The agent's version.</summary>
    public required string AgentVersion { get; init; }

    /// <summary>The chunk store whose key proves it; set where it is written.</summary>
    public StoreId Store { get; init; }

    /// <summary>Whether it tells of a backup that was made.</summary>
    internal bool IsSuccess => Outcome is RunOutcome.Completed or RunOutcome.CompletedWithWarnings;

    /// <summary>Whether something ran, or should have.</summary>
    internal bool IsRun => Outcome <= RunOutcome.Skipped;

    /// <summary>Whether it is within bounds: whoever reads it is told by somebody else.</summary>
    internal bool IsValid =>
        IsText(Machine) && StatusNames.IsPolicy(Policy) && Enum.IsDefined(Outcome) && IsText(AgentVersion) && (Zone is null || IsText(Zone))
        && Errors.Count <= MostErrors && Errors.All(IsText)
        && Files >= 0 && Bytes >= 0 && Skipped >= 0 && NextSeconds is null or >= 0 and <= StatusNames.LongestWait && GraceSeconds is >= 0 and <= StatusNames.LongestWait;

    private static bool IsText(string? text) => text is { Length: > 0 and <= LongestText } && !text.Any(char.IsControl);
}
