namespace MSOnlineBackup.Vaults.Repair;

/// <summary>How a vault's header was rebuilt.</summary>
/// <param name="VaultId">The vault: 32 hexadecimal digits.</param>
/// <param name="IsExact">Whether it is as it was, all that it said included: one byte had changed. Else its name and what a newer version had written are lost, and it
/// counts as another twin.</param>
/// <param name="KeySlots">How many key slots say that it is this vault.</param>
/// <param name="Sessions">How many records of sessions do.</param>
/// <param name="Machines">How many machines have the id that follows from it.</param>
public sealed record HeaderRepairReport(string VaultId, bool IsExact, int KeySlots, int Sessions, int Machines)
{
    /// <summary>The fingerprint of its owner's key; null where the vault has no owner, or nobody was there to say who that is.</summary>
    public string? Owner { get; init; }
}
