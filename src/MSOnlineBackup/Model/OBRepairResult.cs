namespace MSOnlineBackup;

/// <summary>What a repair of a vault did, or, where it was a rehearsal, what it would do. Sizes are in bytes.</summary>
public sealed class OBRepairResult
{
    /// <summary>Whether nothing was changed.</summary>
    public bool IsRehearsal { get; internal init; }

    /// <summary>Packs that were read.</summary>
    public long PacksRead { get; internal init; }

    /// <summary>Their bytes.</summary>
    public long BytesRead { get; internal init; }

    /// <summary>Packs that were damaged or missing, and what became of each.</summary>
    public OBRepairedPack[] DamagedPacks { get; internal init; } = [];

    /// <summary>Chunks that still opened in them.</summary>
    public long ChunksSalvaged { get; internal init; }

    /// <summary>Chunks of which another pack had a sound copy.</summary>
    public long ChunksFromCopies { get; internal init; }

    /// <summary>Chunks that were recovered from parity.</summary>
    public long ChunksFromParity { get; internal init; }

    /// <summary>Chunks that nothing in the vault has any more.</summary>
    public long ChunksLost { get; internal init; }

    /// <summary>Bytes that were written: what was salvaged, and index segments.</summary>
    public long BytesWritten { get; internal init; }

    /// <summary>Damaged packs that were deleted.</summary>
    public int PacksDeleted { get; internal init; }

    /// <summary>Packs that no index segment named, and that are named again.</summary>
    public int PacksIndexed { get; internal init; }

    /// <summary>Other damaged objects that were removed because nothing needs them.</summary>
    public int ObjectsRemoved { get; internal init; }

    /// <summary>Damaged index segments, and damaged or lost recovery points, that were restored from their second copies.</summary>
    public int ObjectsRestored { get; internal init; }

    /// <summary>Recovery points that suffer by what is left, as far as Problems names them.</summary>
    public int PointsAffected { get; internal init; }

    /// <summary>Files that do, each counted in each point.</summary>
    public int FilesAffected { get; internal init; }

    /// <summary>Jobs that are, or may be, at work, and that the deletion of damaged packs waits for.</summary>
    public OBMaintenanceWait[] WaitingFor { get; internal init; } = [];

    /// <summary>What this identity could not finish, and who does; null where nothing is left to do.</summary>
    public string? Unfinished { get; internal init; }

    /// <summary>What is still damaged.</summary>
    public OBRecoveryPointProblem[] Problems { get; internal init; } = [];
}

/// <summary>A stored pack that was damaged or missing.</summary>
public sealed class OBRepairedPack
{
    /// <summary>Its name in the vault.</summary>
    public string Object { get; internal init; } = "";

    /// <summary>What was wrong with it, in a sentence.</summary>
    public string Problem { get; internal init; } = "";

    /// <summary>Chunks that still opened in it.</summary>
    public int Salvaged { get; internal init; }

    /// <summary>Chunks that did not, and of which another pack has a sound copy.</summary>
    public int FromCopies { get; internal init; }

    /// <summary>Chunks that were recovered from parity.</summary>
    public int FromParity { get; internal init; }

    /// <summary>Chunks that nothing in the vault has any more.</summary>
    public int Lost { get; internal init; }

    /// <summary>Their bytes before compression.</summary>
    public long LostBytes { get; internal init; }

    /// <summary>The sentence.</summary>
    public override string ToString() => Problem;
}
