namespace MSOnlineBackup;

/// <summary>For what a policy is.</summary>
public enum OBPolicyType
{
    /// <summary>Folders and files.</summary>
    Files,

    /// <summary>The system state.</summary>
    SystemState,
}

/// <summary>By which rule a recovery point is kept.</summary>
public enum OBRetentionRule
{
    /// <summary>As every point is: for the policy's days.</summary>
    Daily,

    /// <summary>Likewise; the point holds only some of the policy's sources.</summary>
    Partial,

    /// <summary>As the point of its week.</summary>
    Weekly,

    /// <summary>As the point of its month.</summary>
    Monthly,

    /// <summary>As the point of its year.</summary>
    Yearly,

    /// <summary>Until a date that was asked for when it was made.</summary>
    Asked,
}

/// <summary>Why a recovery point stays or goes.</summary>
public enum OBRetentionReason
{
    /// <summary>It goes: its time is over, and newer points stand in for it.</summary>
    Expired,

    /// <summary>A rule keeps it.</summary>
    WithinRetention,

    /// <summary>It is the newest, or the newest that holds all sources.</summary>
    Newest,

    /// <summary>The time of all points is over, and it was kept the longest.</summary>
    LongestKept,

    /// <summary>Its time is over by the clock alone, which has leapt ahead of the points.</summary>
    ClockUnproven,

    /// <summary>No policy has made it.</summary>
    NotByPolicy,

    /// <summary>One of its tags is of a kind that this version does not know.</summary>
    TagUnknown,

    /// <summary>Its time is over by the rules; the vault is immutable, and it is too young to go.</summary>
    Immutable,

    /// <summary>Its time is over by the rules; it is part of a workload's backup, and another part that stays cannot be recovered without it.</summary>
    NeededByWorkload,
}

/// <summary>What the next maintenance does with a recovery point, and why.</summary>
public sealed class OBRetentionDecision
{
    /// <summary>The point's id in the vault.</summary>
    public string RecoveryPointId { get; internal init; } = "";

    /// <summary>When the backup began, in UTC.</summary>
    public DateTime BackupTime { get; internal init; }

    /// <summary>What it holds: the sources, by comma.</summary>
    public string DataSources { get; internal init; } = "";

    /// <summary>Whether it stays.</summary>
    public bool IsKept { get; internal init; }

    /// <summary>Why.</summary>
    public OBRetentionReason Reason { get; internal init; }

    /// <summary>The policy that decided; null where none did.</summary>
    public OBPolicyType? PolicyType { get; internal init; }

    /// <summary>The rule that keeps it longest; null where no rule is known.</summary>
    public OBRetentionRule? Rule { get; internal init; }

    /// <summary>Until when that rule keeps it, in UTC; null where no rule is known.</summary>
    public DateTime? Until { get; internal init; }

    /// <summary>
    /// Stored bytes that it alone needs, of all points of the vault, and that go with it. What several points need that go together comes on top. Null where it
    /// stays, or where that is not known.
    /// </summary>
    public long? Bytes { get; internal init; }

    /// <summary>Its time and what becomes of it.</summary>
    public override string ToString() => $"{BackupTime:u} {Reason}";
}
