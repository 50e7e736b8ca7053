namespace MSOnlineBackup;

/// <summary>How something stands that backups need.</summary>
public enum OBHealthResult
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

/// <summary>Something that backups need, and how it stands.</summary>
public sealed class OBHealthTest
{
    /// <summary>What was checked: Process, ScratchRoom, KeyFile, Clock, LastBackup, …</summary>
    public string Id { get; internal init; } = "";

    /// <summary>How it stands.</summary>
    public OBHealthResult Result { get; internal init; }

    /// <summary>The same as a sentence.</summary>
    public string Cause { get; internal init; } = "";

    /// <summary>What to do; empty where nothing is needed.</summary>
    public string Fix { get; internal init; } = "";

    /// <summary>The rows of docs/operations.md that have it, and what the original's documents say of it.</summary>
    public string Row { get; internal init; } = "";

    /// <summary>As in "Clock: Fail".</summary>
    public override string ToString() => $"{Id}: {Result}";
}
