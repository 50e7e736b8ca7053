using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Proofs;
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

    /// <summary>
    /// Machines of which nothing was ended for good, though its time was over: something unusual happened lately, and the vault's owner should see it first.
    /// </summary>
    public IReadOnlyList<DeletionBrake> Brakes { get; init; } = [];

    /// <summary>Sessions that were taken for dead and shut out.</summary>
    public int SessionsShutOut { get; init; }

    /// <summary>Jobs that are, or may be, at work: what is condemned waits for them.</summary>
    public IReadOnlyList<UnfinishedSession> WaitingFor { get; init; } = [];

    /// <summary>What became of packs.</summary>
    public PackChanges Packs { get; init; } = new();

    /// <summary>
    /// Damaged and lost packs, on record by earlier runs and whoever else met them, of which everything was written anew from copies and parity before all else.
    /// </summary>
    public int PacksMended { get; init; }

    /// <summary>
    /// Index segments, checkpoints and records of sessions that were deleted because others stand in for them, or nothing needs them.
    /// </summary>
    public int ObjectsDeleted { get; init; }

    /// <summary>What became of parity.</summary>
    public ParityChanges Parity { get; init; } = ParityChanges.None;

    /// <summary>The packs that were read back and verified. What was found is among <see cref="Findings"/>.</summary>
    public ShareReport Verified { get; init; } = ShareReport.Nothing;

    /// <summary>Why nothing was put on record, or verified, though the rest is done: the vault is full. Null where it was.</summary>
    public BackupException? Unproven { get; init; }

    /// <summary>What was done about the locks of the storage, and what they kept from being deleted.</summary>
    public LockChanges Locks { get; init; } = LockChanges.None;

    /// <summary>
    /// What is damaged. Where a recovery point is, or the list of what it holds, nothing is deleted but what was decided before.
    /// </summary>
    public IReadOnlyList<VerifyFinding> Findings { get; init; } = [];

    /// <summary>What this run and a later one did together. How things stand now, the later one says.</summary>
    internal MaintenanceReport Then(MaintenanceReport later) => later with
    {
        PointsGone = PointsGone + later.PointsGone,
        SessionsShutOut = SessionsShutOut + later.SessionsShutOut,
        Packs = Packs.Then(later.Packs),
        Locks = later.Locks with { Changed = Locks.Changed + later.Locks.Changed },
        ObjectsDeleted = ObjectsDeleted + later.ObjectsDeleted,
        Parity = later.Parity with { BytesWritten = Parity.BytesWritten + later.Parity.BytesWritten },
    };
}
