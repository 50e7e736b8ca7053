namespace MSOnlineBackup;

/// <summary>What an update of the agent, or going back, has changed.</summary>
public sealed class OBAgentUpdate
{
    /// <summary>The version that was in use.</summary>
    public Version OldVersion { get; internal init; } = new();

    /// <summary>The version that is in use now; the same where there was nothing to do.</summary>
    public Version NewVersion { get; internal init; } = new();

    /// <summary>The folder of that version.</summary>
    public string Path { get; internal init; } = "";

    /// <summary>Where the version lies that -Rollback goes back to; null where there is none.</summary>
    public string? PreviousPath { get; internal init; }

    /// <summary>Whether this session goes on with another version until it ends.</summary>
    public bool NeedsNewSession { get; internal init; }

    /// <summary>The policies whose schedules were registered anew, for they name the folder of a version.</summary>
    public string[] Schedules { get; internal init; } = [];

    /// <summary>As in "0.1.0 -> 0.2.0".</summary>
    public override string ToString() => $"{OldVersion} -> {NewVersion}";
}
