namespace MSOnlineBackup;

/// <summary>What a maintenance run did, or, where it was a rehearsal, what it would do. Sizes are in bytes.</summary>
public sealed class OBMaintenanceResult
{
    /// <summary>Whether nothing was changed.</summary>
    public bool IsRehearsal { get; internal init; }

    /// <summary>Recovery points of this machine that were deleted because no rule keeps them any more. They can be brought back for the vault's undelete time.</summary>
    public int PointsDeleted { get; internal init; }

    /// <summary>Of a rehearsal: the bytes that go with these points, once the undelete time is over. Null where nothing was rehearsed, or where that is not known.</summary>
    public long? BytesExpiring { get; internal init; }

    /// <summary>Deleted recovery points whose undelete time was over, and that are gone for good.</summary>
    public int PointsGone { get; internal init; }

    /// <summary>Packs that were deleted.</summary>
    public int PacksDeleted { get; internal init; }

    /// <summary>Their bytes.</summary>
    public long BytesFreed { get; internal init; }

    /// <summary>Packs that a later run deletes, once nobody can rely on them.</summary>
    public int PacksCondemned { get; internal init; }

    /// <summary>Their bytes.</summary>
    public long BytesCondemned { get; internal init; }

    /// <summary>Packs whose remaining data were written anew.</summary>
    public int PacksRepacked { get; internal init; }

    /// <summary>Bytes that were written for it.</summary>
    public long BytesRepacked { get; internal init; }

    /// <summary>Bytes that nothing needs and that stay, in packs that are worth keeping or beyond the limits of this run.</summary>
    public long BytesUnused { get; internal init; }

    /// <summary>Bytes in packs that stay and that an earlier master key has sealed.</summary>
    public long BytesUnderEarlierKeys { get; internal init; }

    /// <summary>Index segments, checkpoints and records of sessions that were deleted, because others stand in for them or nothing needs them.</summary>
    public int ObjectsDeleted { get; internal init; }

    /// <summary>Bytes of parity that were written.</summary>
    public long ParityWritten { get; internal init; }

    /// <summary>Packs that parity protects.</summary>
    public int PacksProtected { get; internal init; }

    /// <summary>Packs that are to have parity, and that this run had not the time, the space or the sound data for.</summary>
    public int PacksUnprotected { get; internal init; }

    /// <summary>Damaged and lost packs of which everything was written anew, from copies and parity.</summary>
    public int PacksMended { get; internal init; }

    /// <summary>Jobs that said nothing for long, and were taken for dead.</summary>
    public int SessionsShutOut { get; internal init; }

    /// <summary>Packs that were read back and verified.</summary>
    public int PacksVerified { get; internal init; }

    /// <summary>Bytes that were read for it.</summary>
    public long BytesVerified { get; internal init; }

    /// <summary>The names of packs that are damaged or missing, by verifications of now and before.</summary>
    public string[] DamagedPacks { get; internal init; } = [];

    /// <summary>Jobs that are, or may be, at work, and that a part of it waits for.</summary>
    public OBMaintenanceWait[] WaitingFor { get; internal init; } = [];

    /// <summary>Locks of the storage that were set or extended because the vault is immutable, or taken off because it is no more.</summary>
    public int LocksChanged { get; internal init; }

    /// <summary>Why the storage does not keep all that it should; null where it does, or has no such thing.</summary>
    public string? LockObstacle { get; internal init; }

    /// <summary>The names of objects that were to be deleted and that the storage keeps for now: a later run deletes them.</summary>
    public string[] Kept { get; internal init; } = [];

    /// <summary>What is damaged.</summary>
    public OBRecoveryPointProblem[] Problems { get; internal init; } = [];
}

/// <summary>A job that maintenance waits for.</summary>
public sealed class OBMaintenanceWait
{
    /// <summary>Its session in the vault.</summary>
    public string SessionId { get; internal init; } = "";

    /// <summary>Its machine's id in the vault.</summary>
    public string MachineId { get; internal init; } = "";

    /// <summary>When it began, in UTC.</summary>
    public DateTime Started { get; internal init; }

    /// <summary>Its time and machine.</summary>
    public override string ToString() => $"{Started:u} {MachineId}";
}
