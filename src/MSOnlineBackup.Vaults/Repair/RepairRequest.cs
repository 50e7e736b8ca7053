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
}
