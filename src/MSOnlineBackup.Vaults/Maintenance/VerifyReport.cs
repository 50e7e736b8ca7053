using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Vaults.Maintenance;

/// <summary>How deep a verification goes.</summary>
public enum VerifyLevel
{
    /// <summary>Every object but the contents of packs: every point, every manifest block; every chunk named is indexed and its pack is there with the right length.</summary>
    Structure,

    /// <summary>
    /// What can be seen without a passphrase: the checksum of every stored object. Not whether one is missing, or stands in another's place, nor what a point holds.
    /// </summary>
    Packs,

    /// <summary>Structure, and every chunk that is stored opened: authenticated, decompressed, its identity computed again.</summary>
    Data,
}

/// <summary>One thing that is wrong.</summary>
/// <param name="Object">The stored object or chunk.</param>
/// <param name="Problem">What is wrong with it.</param>
/// <param name="Affected">
/// What suffers, as far as known; of as many as <see cref="MostAffected"/> there may be more. Empty where it is not known, or nothing does.
/// </param>
public sealed record VerifyFinding(string Object, string Problem, IReadOnlyList<AffectedItem> Affected)
{
    /// <summary>How many a finding names at most.</summary>
    public const int MostAffected = 100;
}

/// <summary>Something that a damage affects.</summary>
/// <param name="PointId">The recovery point.</param>
/// <param name="Source">The path of the source within it; null for the point itself.</param>
/// <param name="Path">The item's full path, as listings show it; null where items of the source are affected and it cannot be told which.</param>
public sealed record AffectedItem(string PointId, string? Source, string? Path)
{
    /// <summary>As text: the beginning of the point's id, and the path.</summary>
    public override string ToString() => (Path ?? Source) is { } place ? $"{PointId[..12]}:{place}" : PointId[..12];
}

/// <summary>
/// A session newer than the newest recovery point of its machine: the job is running, was killed or lost its vault, or its point is lost. Once the machine has backed up
/// again this cannot be told any more: only the points that a later one names are known to have been there.
/// </summary>
/// <param name="SessionId">The session.</param>
/// <param name="MachineId">Its machine.</param>
/// <param name="Started">When it began (the client's clock, UTC).</param>
public sealed record UnfinishedSession(string SessionId, string MachineId, DateTimeOffset Started);

/// <summary>The outcome of a verification.</summary>
/// <param name="Level">How deep it went.</param>
/// <param name="Points">Recovery points that can be read.</param>
/// <param name="Objects">Stored objects seen.</param>
/// <param name="Chunks">Chunks checked.</param>
/// <param name="Bytes">Bytes read from the vault.</param>
/// <param name="UnreferencedBytes">Bytes in packs that no index names and no point needs: what interrupted jobs, or running ones, have left; harmless.</param>
/// <param name="Leftovers">Broken objects that nothing needs: of jobs that did not finish, and records that a newer one has replaced. No finding.</param>
/// <param name="Findings">What is wrong; empty when all is well.</param>
public sealed record VerifyReport(
    VerifyLevel Level,
    int Points,
    long Objects,
    long Chunks,
    long Bytes,
    long UnreferencedBytes,
    int Leftovers,
    IReadOnlyList<VerifyFinding> Findings)
{
    /// <summary>How many names <see cref="Strangers"/> has at most.</summary>
    public const int MostStrangers = 100;

    /// <summary>Entries of all points together.</summary>
    public long Entries { get; init; }

    /// <summary>Entries that were looked at: what points share was looked at once.</summary>
    public long DistinctEntries { get; init; }

    /// <summary>Objects of chunk stores that this key does not open; they were not looked at.</summary>
    public long OtherStores { get; init; }

    /// <summary>Objects that no vault of this version has, such as what a desktop leaves in a folder; no damage. Some of their names.</summary>
    public IReadOnlyList<string> Strangers { get; init; } = [];

    /// <summary>How many of them there are.</summary>
    public long StrangerCount { get; init; }

    /// <summary>Bytes of checkpoints that no job goes on from any more: their machine has a newer recovery point.</summary>
    public long StaleBytes { get; init; }

    /// <summary>What is being written at the moment, or was left by writers that died.</summary>
    public UnfinishedWrites UnfinishedWrites { get; init; }

    /// <summary>Sessions newer than the newest recovery point of their machine.</summary>
    public IReadOnlyList<UnfinishedSession> Unfinished { get; init; } = [];
}

/// <summary>How a vault's header was made anew.</summary>
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

/// <summary>What a rebuild of the index did.</summary>
/// <param name="Packs">Packs read.</param>
/// <param name="Chunks">Chunks indexed.</param>
/// <param name="Damaged">Packs that could not be read, and why.</param>
public sealed record IndexRebuildReport(int Packs, long Chunks, IReadOnlyList<VerifyFinding> Damaged);
