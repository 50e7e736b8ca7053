namespace MSOnlineBackup.Vaults.Repair;

/// <summary>What a repair looks at, and whether it mends.</summary>
public sealed record RepairRequest
{
    /// <summary>Look, and change nothing.</summary>
    public bool IsRehearsal { get; init; }

    /// <summary>
    /// The share of the stored packs that is read, chosen at random, from 0 to 1. With 0 only what a listing tells is found: packs that are missing or have another length,
    /// and everything but the contents of packs.
    /// </summary>
    public double Share { get; init; } = 1;

    /// <summary>
    /// Whether of the packs only those are read that are on record as damaged, because a verification, a restore or a backup met them, whatever <see cref="Share"/> says. They
    /// are mended first in any case.
    /// </summary>
    public bool RecordedOnly { get; init; }

    /// <summary>Whether a pack stays as it is where anything would be lost with it. Nor is anything told of what suffers: whoever asks looks at the whole anyway.</summary>
    internal bool OnlyWhole { get; init; }
}
