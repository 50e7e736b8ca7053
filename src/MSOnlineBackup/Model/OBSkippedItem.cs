namespace MSOnlineBackup;

/// <summary>Something that a job did not back up or bring back as asked, and why.</summary>
public sealed class OBSkippedItem
{
    /// <summary>The full path.</summary>
    public string Path { get; internal init; } = "";

    /// <summary>What happened, in a sentence.</summary>
    public string Reason { get; internal init; } = "";

    /// <summary>The stable id that Get-OBErrorHelp explains.</summary>
    public string ErrorId { get; internal init; } = "";

    /// <summary>The job.</summary>
    public Guid JobId { get; internal init; }

    /// <summary>The path.</summary>
    public override string ToString() => Path;
}
