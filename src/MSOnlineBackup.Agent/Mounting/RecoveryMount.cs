namespace MSOnlineBackup.Agent.Mounting;

/// <summary>A mount of this machine, as it is on record as long as its process serves it. All times are UTC.</summary>
public sealed record RecoveryMount
{
    /// <summary>Its id.</summary>
    public required Guid Id { get; init; }

    /// <summary>Where it is.</summary>
    public required string Folder { get; init; }

    /// <summary>Where the vault is.</summary>
    public required string VaultLocation { get; init; }

    /// <summary>The machine whose points it shows; null for those of all.</summary>
    public string? MachineName { get; init; }

    /// <summary>The recovery point; null where all are shown.</summary>
    public string? PointId { get; init; }

    /// <summary>When that was made.</summary>
    public DateTimeOffset? PointTime { get; init; }

    /// <summary>Whether it can be written to, into a layer that goes with it.</summary>
    public bool IsWritable { get; init; }

    /// <summary>Whether the vault knows of it, and keeps what it shows: not where the vault may only be read.</summary>
    public bool IsPinned { get; init; }

    /// <summary>The process that serves it.</summary>
    public required int ProcessId { get; init; }

    /// <summary>When it began.</summary>
    public required DateTimeOffset Started { get; init; }

    /// <summary>When it was read last, within half a minute.</summary>
    public required DateTimeOffset LastUsed { get; init; }

    /// <summary>When it ends where nobody reads it any more.</summary>
    public DateTimeOffset Expires => MountLife.EndOf(Started, LastUsed);

    /// <summary>How many items could not be read so far.</summary>
    public int Troubles { get; init; }

    /// <summary>What could not be read last, and why.</summary>
    public string? LastTrouble { get; init; }
}
