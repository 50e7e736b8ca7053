namespace MSOnlineBackup.Vaults.Proofs;

/// <summary>What a record below <c>proofs/</c> says.</summary>
internal enum ProofKind
{
    /// <summary>Packs were read, and all of each was whole.</summary>
    Packs,

    /// <summary>Packs were read, and something of each was not, or they are missing.</summary>
    Damage,

    /// <summary>A sample of a recovery point was restored and compared.</summary>
    Restore,

    /// <summary>The store was maintained.</summary>
    Maintenance,
}
