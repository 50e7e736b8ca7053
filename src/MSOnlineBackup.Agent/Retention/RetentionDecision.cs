namespace MSOnlineBackup.Agent.Retention;

/// <summary>What becomes of a recovery point.</summary>
/// <param name="Point">The point.</param>
/// <param name="Reason">Whether it stays, and why.</param>
/// <param name="Kind">The rule that keeps it longest; null where no rule is known.</param>
/// <param name="Until">Until when that rule keeps it (UTC); null where no rule is known.</param>
internal sealed record RetentionDecision(RetentionPoint Point, RetentionReason Reason, RetentionKind? Kind, DateTimeOffset? Until)
{
    /// <summary>Whether it is to go.</summary>
    public bool Expires => Reason == RetentionReason.Expired;
}

/// <summary>Why a recovery point stays or goes.</summary>
public enum RetentionReason
{
    /// <summary>It goes: its time is over, and newer points stand in for it.</summary>
    Expired,

    /// <summary>A rule keeps it.</summary>
    WithinRetention,

    /// <summary>Its time is over, and it is the newest point, or the newest that holds all of the policy's sources.</summary>
    Newest,

    /// <summary>Its time is over, as is that of all others; it was kept the longest of them, and stays until a new point is made.</summary>
    LongestKept,

    /// <summary>Its time is over by the clock alone, which has leapt ahead of the points.</summary>
    ClockUnproven,

    /// <summary>It was not made by this policy.</summary>
    NotByPolicy,

    /// <summary>One of its tags is of a kind that this version does not know.</summary>
    TagUnknown,

    /// <summary>Its time is over by the rules; the vault is immutable, and it is too young to go.</summary>
    Immutable,

    /// <summary>Its time is over by the rules; it is part of a workload's backup, and another part that stays cannot be recovered without it.</summary>
    NeededByWorkload,
}
