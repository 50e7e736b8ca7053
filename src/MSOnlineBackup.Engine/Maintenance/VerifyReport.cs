namespace MSOnlineBackup.Engine.Maintenance;

/// <summary>How deep a verification goes.</summary>
public enum VerifyLevel
{
    /// <summary>Every point, every manifest block; every chunk named is indexed and its pack is there with the right length.</summary>
    Structure,

    /// <summary>Structure without what needs the key, and the checksum of every stored object: no passphrase needed.</summary>
    Packs,

    /// <summary>Structure, and every chunk that is stored opened: authenticated, decompressed, its identity computed again.</summary>
    Data,
}

/// <summary>One thing that is wrong.</summary>
/// <param name="Object">The stored object or chunk.</param>
/// <param name="Problem">What is wrong with it.</param>
/// <param name="AffectedPaths">Files that need it, with their point, as far as known; at most 100.</param>
public sealed record VerifyFinding(string Object, string Problem, IReadOnlyList<string> AffectedPaths);

/// <summary>The outcome of a verification.</summary>
/// <param name="Level">How deep it went.</param>
/// <param name="Points">Recovery points seen.</param>
/// <param name="Objects">Stored objects seen.</param>
/// <param name="Chunks">Chunks checked.</param>
/// <param name="Bytes">Bytes read from the vault.</param>
/// <param name="UnreferencedBytes">Bytes in packs that no index names: what interrupted jobs left; harmless.</param>
/// <param name="Leftovers">Broken objects of jobs that did not finish, which nothing names: harmless, and no finding.</param>
/// <param name="Findings">What is wrong; empty when all is well.</param>
public sealed record VerifyReport(
    VerifyLevel Level,
    int Points,
    long Objects,
    long Chunks,
    long Bytes,
    long UnreferencedBytes,
    int Leftovers,
    IReadOnlyList<VerifyFinding> Findings);

/// <summary>How a vault's header was made anew.</summary>
/// <param name="VaultId">The vault: 32 hexadecimal digits.</param>
/// <param name="IsExact">Whether it is as it was, all that it said included: one byte had changed. Else its name, the key of its owner and what a newer version
/// had written are lost, and it counts as another twin.</param>
/// <param name="KeySlots">How many key slots say that it is this vault.</param>
/// <param name="Sessions">How many records of sessions do.</param>
/// <param name="Machines">How many machines have the id that follows from it.</param>
public sealed record HeaderRepairReport(string VaultId, bool IsExact, int KeySlots, int Sessions, int Machines);

/// <summary>What a rebuild of the index did.</summary>
/// <param name="Packs">Packs read.</param>
/// <param name="Chunks">Chunks indexed.</param>
/// <param name="Damaged">Packs that could not be read, and why.</param>
public sealed record IndexRebuildReport(int Packs, long Chunks, IReadOnlyList<VerifyFinding> Damaged);
