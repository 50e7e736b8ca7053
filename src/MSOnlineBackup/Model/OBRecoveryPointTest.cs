namespace MSOnlineBackup;

/// <summary>How deep a recovery point is tested.</summary>
public enum OBVerifyLevel
{
    /// <summary>Everything that it names is there.</summary>
    Structure,

    /// <summary>The checksum of every object that is stored in the vault, whoever needs it.</summary>
    Packs,

    /// <summary>As Structure, and all data are read, decrypted and compared with their identity.</summary>
    Data,
}

/// <summary>What the test of a recovery point has found.</summary>
public sealed class OBRecoveryPointTest
{
    /// <summary>The recovery point's id.</summary>
    public string RecoveryPointId { get; internal init; } = "";

    /// <summary>When the backup began, in UTC.</summary>
    public DateTime PointInTime { get; internal init; }

    /// <summary>How deep the test went.</summary>
    public OBVerifyLevel Level { get; internal init; }

    /// <summary>Whether nothing is wrong that the point needs, or may need.</summary>
    public bool Passed => Problems.Length == 0;

    /// <summary>What is wrong.</summary>
    public OBRecoveryPointProblem[] Problems { get; internal init; } = [];

    /// <summary>Objects of the vault that were seen.</summary>
    public long Objects { get; internal init; }

    /// <summary>Pieces of data that were checked.</summary>
    public long Chunks { get; internal init; }

    /// <summary>Bytes read from the vault.</summary>
    public long Bytes { get; internal init; }

    /// <summary>Files that a trial restore has written; null where none was asked for.</summary>
    public long? RestoredFiles { get; internal init; }

    /// <summary>Files of it that were read again and are as they were backed up; null likewise.</summary>
    public long? VerifiedFiles { get; internal init; }

    /// <summary>By which the sample was drawn that was restored; null where there was no sample.</summary>
    public int? TrialSeed { get; internal init; }

    /// <summary>As in "Passed", or "3 problems".</summary>
    public override string ToString() => Passed ? "Passed" : Problems.Length == 1 ? "1 problem" : $"{Problems.Length} problems";
}

/// <summary>Something that is wrong with a recovery point.</summary>
public sealed class OBRecoveryPointProblem
{
    /// <summary>What it is wrong with: an object of the vault, or an item.</summary>
    public string Object { get; internal init; } = "";

    /// <summary>What is wrong, in a sentence.</summary>
    public string Problem { get; internal init; } = "";

    /// <summary>Items that suffer, as far as known: at most a hundred. None where it is not known which.</summary>
    public string[] AffectedPaths { get; internal init; } = [];

    /// <summary>The sentence.</summary>
    public override string ToString() => Problem;
}
