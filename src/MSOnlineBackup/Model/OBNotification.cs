namespace MSOnlineBackup;

/// <summary>Something about this machine's backups that somebody should see to.</summary>
public sealed class OBNotification
{
    /// <summary>When it came about, in UTC.</summary>
    public DateTime Time { get; internal init; }

    /// <summary>How grave it is: Warning or Error.</summary>
    public string Severity { get; internal init; } = "";

    /// <summary>What is wrong.</summary>
    public string Message { get; internal init; } = "";

    /// <summary>What to do about it.</summary>
    public string RecommendedAction { get; internal init; } = "";

    /// <summary>The error's stable id; null where none stands behind it.</summary>
    public string? ErrorId { get; internal init; }

    /// <summary>The message.</summary>
    public override string ToString() => Message;
}
