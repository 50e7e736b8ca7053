namespace MSOnlineBackup;

/// <summary>Where a recovery puts things, and how.</summary>
public sealed class OBRecoveryOption
{
    /// <summary>The folder to recover into; null for where the items came from.</summary>
    public string? DestinationPath { get; internal init; }

    /// <summary>What to do where an item exists.</summary>
    public OverwriteType OverwriteType { get; internal init; }

    /// <summary>Whether owner, permissions and ACLs are left as new files have them.</summary>
    public bool SkipRestoreSecurity { get; internal init; }

    /// <summary>Whether names that Windows does not have are recovered as names that it has.</summary>
    public bool MapNames { get; internal init; }
}
