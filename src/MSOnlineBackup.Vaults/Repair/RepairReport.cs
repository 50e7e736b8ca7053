using MSOnlineBackup.Vaults.Verification;

namespace MSOnlineBackup.Vaults.Repair;

/// <summary>What a repair found and did, or, where it was a rehearsal, would do.</summary>
public sealed record RepairReport
{
    /// <summary>Whether nothing was changed.</summary>
    public bool IsRehearsal { get; init; }

    /// <summary>Packs that were read.</summary>
    public long PacksRead { get; init; }

    /// <summary>Their bytes.</summary>
    public long BytesRead { get; init; }

    /// <summary>The packs that were damaged or missing, by name. Nothing is taken from them any more.</summary>
    public IReadOnlyList<PackRepair> Packs { get; init; } = [];

    /// <summary>Bytes that were written: what was salvaged, and index segments.</summary>
    public long BytesWritten { get; init; }

    /// <summary>Packs that no index segment named, and that are named now.</summary>
    public int PacksIndexed { get; init; }

    /// <summary>Damaged objects that were removed because nothing in them is needed: index segments, checkpoints, records of sessions; parity, which maintenance makes anew.</summary>
    public int ObjectsRemoved { get; init; }

    /// <summary>Objects that were damaged or lost and were restored from their copies: index segments, recovery points, key slots, settings and other records of the owner.</summary>
    public int ObjectsRestored { get; init; }

    /// <summary>Confirmations of recovery points that were missing and were made anew.</summary>
    public int CommitsRestored { get; init; }

    /// <summary>Damaged packs that were deleted.</summary>
    public int PacksDeleted { get; init; }

    /// <summary>Jobs that are, or may be, at work: what is damaged is deleted by a later run, once they have ended. Nothing relies on it until then.</summary>
    public IReadOnlyList<UnfinishedSession> WaitingFor { get; init; } = [];

    /// <summary>What this identity could not finish, and who has to do what; null where nothing is left.</summary>
    public string? Unfinished { get; init; }

    /// <summary>What is still damaged, and which recovery points and files suffer by it. The next backup stores again what the sources still have.</summary>
    public IReadOnlyList<VerifyFinding> Findings { get; init; } = [];

    /// <summary>Chunks that were salvaged from damaged packs.</summary>
    public long ChunksSalvaged => Packs.Sum(pack => (long)pack.Salvaged);

    /// <summary>Chunks of which another pack had a sound copy.</summary>
    public long ChunksFromCopies => Packs.Sum(pack => (long)pack.FromCopies);

    /// <summary>Chunks that were recovered from parity.</summary>
    public long ChunksFromParity => Packs.Sum(pack => (long)pack.FromParity);

    /// <summary>Chunks that nothing in the vault gives any more.</summary>
    public long ChunksLost => Packs.Sum(pack => (long)pack.Lost);

    /// <summary>Recovery points that suffer by what is still damaged, as far as the findings name them.</summary>
    public int PointsAffected => Findings.SelectMany(finding => finding.Affected).Select(item => item.PointId).Distinct().Count();

    /// <summary>Files in them that do, each in each point.</summary>
    public int FilesAffected => Findings.SelectMany(finding => finding.Affected).Where(item => item.Path is not null).Distinct().Count();
}
