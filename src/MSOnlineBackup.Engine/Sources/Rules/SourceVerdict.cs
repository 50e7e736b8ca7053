using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Engine.Sources.Rules;

/// <summary>Whether a source is taken.</summary>
internal sealed record SourceVerdict
{
    /// <summary>It is, and there is nothing to say.</summary>
    public static SourceVerdict Fine { get; } = new();

    /// <summary>What is doubtful about a source that is taken, in a sentence or two; null for nothing.</summary>
    public string? Warning { get; init; }

    /// <summary>Why it is not taken; null where it is.</summary>
    public BackupException? Refusal { get; init; }

    /// <summary>Whether that is for what it is, and not for the state that it happens to be in: locked, not mounted.</summary>
    public bool IsForGood => Refusal is { Id: BackupErrorId.SourceRefused };

    /// <summary>Names of folders in it that are left out beyond what was selected.</summary>
    public IReadOnlyList<string> LeftOut { get; init; } = [];

    /// <summary>Which volume it is on; null where nothing tells.</summary>
    public string? Volume { get; init; }
}
