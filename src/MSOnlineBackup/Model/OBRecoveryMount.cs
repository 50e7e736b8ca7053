namespace MSOnlineBackup;

/// <summary>A recovery point, or all of them, as files in a folder of this machine.</summary>
public sealed class OBRecoveryMount
{
    /// <summary>Its id.</summary>
    public Guid Id { get; internal init; }

    /// <summary>The folder.</summary>
    public string Path { get; internal init; } = "";

    /// <summary>The recovery point's id; null where all points are shown.</summary>
    public string? RecoveryPointId { get; internal init; }

    /// <summary>When the point was made, in local time; null where all points are shown.</summary>
    public DateTime? RecoveryPointLocalTime { get; internal init; }

    /// <summary>The machine that it is of; null for those of all machines.</summary>
    public string? ServerName { get; internal init; }

    /// <summary>Where the vault is.</summary>
    public string VaultLocation { get; internal init; } = "";

    /// <summary>Whether it can be written to. What is written goes with the mount.</summary>
    public bool IsWritable { get; internal init; }

    /// <summary>Whether the vault keeps what it shows, whatever becomes of recovery points meanwhile; not where the vault may only be read.</summary>
    public bool IsPinned { get; internal init; }

    /// <summary>The process that serves it.</summary>
    public int ProcessId { get; internal init; }

    /// <summary>When it began, in local time.</summary>
    public DateTime StartTime { get; internal init; }

    /// <summary>When it was read last, in local time, within half a minute.</summary>
    public DateTime LastUsed { get; internal init; }

    /// <summary>When it ends where nobody reads it any more, in local time.</summary>
    public DateTime Expires { get; internal init; }

    /// <summary>How many times something could not be read so far.</summary>
    public int Troubles { get; internal init; }

    /// <summary>What could not be read last, and why.</summary>
    public string? LastTrouble { get; internal init; }

    /// <summary>The folder.</summary>
    public override string ToString() => Path;
}
