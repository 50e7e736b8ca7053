namespace MSOnlineBackup.Vaults.Verification;

/// <summary>How deep a verification goes.</summary>
public enum VerifyLevel
{
    /// <summary>
    /// Every object but the contents of packs: every point, every manifest block; every chunk named is indexed and its pack is there with the right length.
    /// </summary>
    Structure,

    /// <summary>
    /// What can be seen without a passphrase: the checksum of every stored object. Not whether one is missing, or stands in another's place, nor what a point
    /// holds.
    /// </summary>
    Packs,

    /// <summary>Structure, and every chunk that is stored opened: authenticated, decompressed, its identity computed again.</summary>
    Data,
}
