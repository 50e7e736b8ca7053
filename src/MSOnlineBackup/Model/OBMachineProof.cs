namespace MSOnlineBackup;

/// <summary>What is proven of a machine's backups: when the last was made, since when all of it was read back, and when a restore was tried.</summary>
public sealed class OBMachineProof
{
    /// <summary>The machine.</summary>
    public string ServerName { get; internal init; } = "";

    /// <summary>Its newest recovery point.</summary>
    public string RecoveryPointId { get; internal init; } = "";

    /// <summary>When the vault got that point, in UTC.</summary>
    public DateTime LastBackup { get; internal init; }

    /// <summary>Since when all stored data that it may need have been read back and found whole, in UTC; null where some of them were not yet.</summary>
    public DateTime? LastVerified { get; internal init; }

    /// <summary>How much of these data was read back and found whole since it was stored: 0 to 100, in percent of the bytes.</summary>
    public double VerifiedPercent { get; internal init; }

    /// <summary>When a restore of one of its points was tried last, in UTC; null where none is on record.</summary>
    public DateTime? LastTrialRestore { get; internal init; }

    /// <summary>How many files of that trial could not be restored, or were not as the point says; null where none is on record.</summary>
    public int? TrialDifferences { get; internal init; }

    /// <summary>The machine, and how old its last backup is.</summary>
    public override string ToString() =>
        $"{ServerName}: backup {LastBackup:u}, verified {(LastVerified is { } verified ? $"{verified:u}" : $"{VerifiedPercent:0} %")}, "
            + $"trial restore {(LastTrialRestore is { } trial ? $"{trial:u}" : "never")}";
}
