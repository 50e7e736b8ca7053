using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Protection;
using MSOnlineBackup.Vaults.Verification;

namespace MSOnlineBackup.Vaults.Maintenance;

/// <summary>What a maintenance run did, or, where it was a rehearsal, what it would do.</summary>
public sealed record MaintenanceReport
{
    /// <summary>Whether nothing was changed.</summary>
    public bool IsRehearsal { get; init; }

    /// <summary>Deleted recovery points whose time was over, and that are gone for good now.</summary>
    public int PointsGone { get; init; }

    /// <summary>Packs that were deleted.</summary>
    public int PacksDeleted { get; init; }

    /// <summary>Their bytes.</summary>
    public long BytesFreed { get; init; }

    /// <summary>Packs that are to go as soon as nobody can rely on them any more: the next run deletes them.</summary>
    public int PacksCondemned { get; init; }

    /// <summary>Their bytes.</summary>
    public long BytesCondemned { get; init; }

    /// <summary>Packs whose remaining chunks were written anew.</summary>
    public int PacksRepacked { get; init; }

    /// <summary>Bytes that were written for it.</summary>
    public long BytesRepacked { get; init; }

    /// <summary>Bytes that nothing needs and that stay, in packs that are worth keeping, or beyond the budget of this run.</summary>
    public long BytesUnused { get; init; }

    /// <summary>Bytes in packs that stay and that an earlier master key has sealed: after a rotation they are sealed anew as far as a run is asked to.</summary>
    public long BytesUnderEarlierKeys { get; init; }

    /// <summary>Index segments, checkpoints and records of sessions that were deleted because others stand in for them, or nothing needs them.</summary>
    public int ObjectsDeleted { get; init; }

    /// <summary>Bytes of parity that were written.</summary>
    public long ParityWritten { get; init; }

    /// <summary>Packs that parity protects.</summary>
    public int PacksProtected { get; init; }

    /// <summary>Packs that parity is to protect, and that this run had not the time, the space or the sound data for.</summary>
    public int PacksUnprotected { get; init; }

    /// <summary>Sessions that were taken for dead and shut out.</summary>
    public int SessionsShutOut { get; init; }

    /// <summary>Jobs that are, or may be, at work: what is condemned waits for them.</summary>
    public IReadOnlyList<UnfinishedSession> WaitingFor { get; init; } = [];

    /// <summary>Packs that were read back and verified.</summary>
    public int PacksVerified { get; init; }

    /// <summary>Bytes that were read for it.</summary>
    public long BytesVerified { get; init; }

    /// <summary>The names of packs that are damaged or missing, by verifications of now and before.</summary>
    public IReadOnlyList<string> DamagedPacks { get; init; } = [];

    /// <summary>Packs that are missing, and of which something is needed that no other has.</summary>
    internal IReadOnlyCollection<(SessionId Session, uint Number)> LostPacks { get; init; } = [];

    /// <summary>Why nothing was put on record, or verified, though the rest is done: the vault is full. Null where it was.</summary>
    public BackupException? Unproven { get; init; }

    /// <summary>Machines of which nothing was ended for good, though its time was over: something unusual happened lately, and the vault's owner should see it first.</summary>
    public IReadOnlyList<DeletionBrake> Brakes { get; init; } = [];

    /// <summary>What is damaged. Where a recovery point is, or the list of what it holds, nothing is deleted but what was decided before.</summary>
    public IReadOnlyList<VerifyFinding> Findings { get; init; } = [];

    /// <summary>What this run and a later one did together. How things stand now, the later one says.</summary>
    internal MaintenanceReport Then(MaintenanceReport later) => later with
    {
        PointsGone = PointsGone + later.PointsGone,
        PacksDeleted = PacksDeleted + later.PacksDeleted,
        BytesFreed = BytesFreed + later.BytesFreed,
        PacksRepacked = PacksRepacked + later.PacksRepacked,
        BytesRepacked = BytesRepacked + later.BytesRepacked,
        ObjectsDeleted = ObjectsDeleted + later.ObjectsDeleted,
        ParityWritten = ParityWritten + later.ParityWritten,
        SessionsShutOut = SessionsShutOut + later.SessionsShutOut,
    };
}
