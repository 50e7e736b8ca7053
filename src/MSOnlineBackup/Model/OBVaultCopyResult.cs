namespace MSOnlineBackup;

/// <summary>What came of copying recovery points to a twin of their vault, or, where it was a rehearsal, what would. Sizes are in bytes.</summary>
public sealed class OBVaultCopyResult
{
    /// <summary>Whether nothing was copied.</summary>
    public bool IsRehearsal { get; internal init; }

    /// <summary>The twin: its folder or URL.</summary>
    public string Destination { get; internal init; } = "";

    /// <summary>Recovery points that this copy has brought to the twin.</summary>
    public int PointsCopied { get; internal init; }

    /// <summary>Recovery points that it had.</summary>
    public int PointsThere { get; internal init; }

    /// <summary>Recovery points that it lacks, and that were left out, because it has, or had, a later one of their machine.</summary>
    public int PointsOlder { get; internal init; }

    /// <summary>Recovery points that were deleted in the twin, and stay so.</summary>
    public int PointsDeleted { get; internal init; }

    /// <summary>Recovery points that the twin lacks, and that were not copied because its own retention keeps none of them.</summary>
    public int PointsNotKept { get; internal init; }

    /// <summary>Recovery points of the twin that its own retention has let go of now.</summary>
    public int PointsExpired { get; internal init; }

    /// <summary>The ids of recovery points that were not copied, because something that they need cannot be read.</summary>
    public string[] DamagedPoints { get; internal init; } = [];

    /// <summary>Pieces of data that the twin lacked.</summary>
    public long Chunks { get; internal init; }

    /// <summary>Their size, as they are stored.</summary>
    public long Bytes { get; internal init; }

    /// <summary>What was sent to the twin, everything included.</summary>
    public long BytesStored { get; internal init; }

    /// <summary>What is wrong in the vault with what the damaged points need, and which of their items suffer.</summary>
    public OBRecoveryPointProblem[] Problems { get; internal init; } = [];
}
