namespace MSOnlineBackup;

/// <summary>What the documentation says of an error.</summary>
public sealed class OBErrorHelp
{
    /// <summary>The stable id.</summary>
    public string Id { get; internal init; } = "";

    /// <summary>The numbers that the original gives it, and the codes of Blob Storage that end in it.</summary>
    public string[] ErrorCode { get; internal init; } = [];

    /// <summary>What it means.</summary>
    public string Meaning { get; internal init; } = "";

    /// <summary>What may have led to it.</summary>
    public string Causes { get; internal init; } = "";

    /// <summary>What to do.</summary>
    public string RecommendedAction { get; internal init; } = "";

    /// <summary>Of an error that only the original has: the ids of those that say the same here; empty where there is none.</summary>
    public string[] RelatedId { get; internal init; } = [];

    /// <summary>The id.</summary>
    public override string ToString() => Id;
}
