namespace MSOnlineBackup;

/// <summary>A version of an item, and the recovery points that have it.</summary>
public sealed class OBItemVersion
{
    /// <summary>The full path.</summary>
    public string Path { get; internal init; } = "";

    /// <summary>Whether it is a folder.</summary>
    public bool IsDir { get; internal init; }

    /// <summary>Size of a file in bytes; null for a folder.</summary>
    public long? ItemSize { get; internal init; }

    /// <summary>When its content last changed, in UTC; null where unknown, and where no <see cref="DateTime"/> can tell it.</summary>
    public DateTime? ItemLastModifiedTime { get; internal init; }

    /// <summary>When the backup began that has it first, in UTC.</summary>
    public DateTime FirstBackupTime { get; internal init; }

    /// <summary>When the backup began that has it last, in UTC.</summary>
    public DateTime LastBackupTime { get; internal init; }

    /// <summary>How many recovery points have it.</summary>
    public int RecoveryPointCount { get; internal init; }

    /// <summary>The first recovery point that has it.</summary>
    public string FirstRecoveryPointId { get; internal init; } = "";

    /// <summary>The last recovery point that has it.</summary>
    public string LastRecoveryPointId { get; internal init; } = "";

    /// <summary>The machine it is of.</summary>
    public string ServerName { get; internal init; } = "";

    /// <summary>The item of the last recovery point that has it, for Start-OBRecovery.</summary>
    public OBRecoverableItem Item { get; internal init; } = null!;

    /// <summary>The path.</summary>
    public override string ToString() => Path;
}
