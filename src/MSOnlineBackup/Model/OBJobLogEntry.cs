namespace MSOnlineBackup;

/// <summary>How much a line of a job's log matters.</summary>
public enum OBLogLevel
{
    /// <summary>As it should be.</summary>
    Info,

    /// <summary>Somebody may have to see to it.</summary>
    Warning,

    /// <summary>The job, or one of its sources, failed.</summary>
    Error,
}

/// <summary>A line of a job's log.</summary>
public sealed class OBJobLogEntry
{
    /// <summary>When, in local time.</summary>
    public DateTime Time { get; internal init; }

    /// <summary>How much it matters.</summary>
    public OBLogLevel Level { get; internal init; }

    /// <summary>What it tells of: Started, Phase, Skipped, Note, Warning, Damage, Retry, Source, Full, Ended.</summary>
    public string Event { get; internal init; } = "";

    /// <summary>The same as a sentence.</summary>
    public string Message { get; internal init; } = "";

    /// <summary>The stable id that Get-OBErrorHelp explains; empty for none.</summary>
    public string ErrorId { get; internal init; } = "";

    /// <summary>What it is about: mostly a path.</summary>
    public string Path { get; internal init; } = "";

    /// <summary>What to do; empty where nothing is needed.</summary>
    public string RecommendedAction { get; internal init; } = "";

    /// <summary>What the job goes by, by name; never a secret. Empty but for its beginning.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; internal init; } = new Dictionary<string, string>();

    /// <summary>What the job did, by name: bytes, counts and milliseconds. Empty but for its end.</summary>
    public IReadOnlyDictionary<string, long> Figures { get; internal init; } = new Dictionary<string, long>();

    /// <summary>The job.</summary>
    public Guid JobId { get; internal init; }

    /// <summary>The sentence.</summary>
    public override string ToString() => Message;
}
