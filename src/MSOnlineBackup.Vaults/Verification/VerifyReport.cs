using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Vaults.Verification;

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

    /// <summary>Objects that no vault of this version has, such as what a desktop leaves in a folder; they are not damage. Some of their names.</summary>
    public IReadOnlyList<string> Strangers { get; init; } = [];

    /// <summary>How many of them there are.</summary>
    public long StrangerCount { get; init; }

    /// <summary>Bytes of checkpoints that no job goes on from any more: their machine has a newer recovery point.</summary>
    public long StaleBytes { get; init; }

    /// <summary>What is being written at the moment, or was left by writers that died.</summary>
    public UnfinishedWrites UnfinishedWrites { get; init; }

    /// <summary>Chunks that were read from another copy, for the first is damaged.</summary>
    public long ChunksFromCopies { get; init; }

    /// <summary>Chunks that no pack gives any more, and that were reconstructed from parity. Nothing suffers by that; a repair is due.</summary>
    public long ChunksFromParity { get; init; }

    /// <summary>Sessions newer than the newest recovery point of their machine.</summary>
    public IReadOnlyList<UnfinishedSession> Unfinished { get; init; } = [];
}
