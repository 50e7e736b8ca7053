namespace MSOnlineBackup;

/// <summary>How the backups of a machine stand, by one policy.</summary>
public enum OBComplianceState
{
    /// <summary>They come as expected.</summary>
    Ok,

    /// <summary>One that was expected has not come.</summary>
    Late,

    /// <summary>The last one failed, or its recovery point is missing.</summary>
    Failing,

    /// <summary>There was never one.</summary>
    Never,

    /// <summary>The last one has less than half of what those before it had.</summary>
    Shrinking,

    /// <summary>The policy is paused.</summary>
    Stopped,
}

/// <summary>How the backups of a machine stand, by one policy. All times are by the clock of the vault's store, in UTC.</summary>
public sealed class OBCompliance
{
    /// <summary>The machine.</summary>
    public string ServerName { get; internal init; } = "";

    /// <summary>The policy: files, system-state, or other for backups by none; null where no status can be read.</summary>
    public string? Policy { get; internal init; }

    /// <summary>How they stand.</summary>
    public OBComplianceState State { get; internal init; }

    /// <summary>The same in whole sentences.</summary>
    public string Message { get; internal init; } = "";

    /// <summary>What to do; empty where nothing is.</summary>
    public string RecommendedAction { get; internal init; } = "";

    /// <summary>The error's stable id; null where all is well.</summary>
    public string? ErrorId { get; internal init; }

    /// <summary>When the last backup that succeeded had ended; null for never.</summary>
    public DateTime? LastSuccess { get; internal init; }

    /// <summary>When the last one had ended, whatever came of it; null for never.</summary>
    public DateTime? LastRun { get; internal init; }

    /// <summary>By when the next one must have come; null where none is expected.</summary>
    public DateTime? Due { get; internal init; }

    /// <summary>What the last status says; null where none can be read.</summary>
    public string? Outcome { get; internal init; }

    /// <summary>The job that it tells of.</summary>
    public Guid? JobId { get; internal init; }

    /// <summary>The error ids that it names.</summary>
    public string[] Errors { get; internal init; } = [];

    /// <summary>Files in the last backup that succeeded.</summary>
    public long Files { get; internal init; }

    /// <summary>Their bytes.</summary>
    public long Bytes { get; internal init; }

    /// <summary>Whether what this goes by was written by somebody who has the key of the machine's chunk store; false where that cannot be known.</summary>
    public bool IsProved { get; internal init; }

    /// <summary>The message.</summary>
    public override string ToString() => Message;
}
