using MSOnlineBackup.Vaults.Ids;

namespace MSOnlineBackup.Vaults.Maintenance;

/// <summary>What a maintenance run did to packs, or, where it was a rehearsal, what it would do.</summary>
public sealed record PackChanges
{
    /// <summary>Packs that were deleted.</summary>
    public int Deleted { get; init; }

    /// <summary>Their bytes.</summary>
    public long BytesFreed { get; init; }

    /// <summary>Packs that are to go as soon as nobody can rely on them any more: the next run deletes them.</summary>
    public int Condemned { get; init; }

    /// <summary>Their bytes.</summary>
    public long BytesCondemned { get; init; }

    /// <summary>Packs whose remaining chunks were written anew.</summary>
    public int Repacked { get; init; }

    /// <summary>Bytes that were written for it.</summary>
    public long BytesRepacked { get; init; }

    /// <summary>Bytes that nothing needs and that stay, in packs that are worth keeping, or beyond the budget of this run.</summary>
    public long BytesUnused { get; init; }

    /// <summary>
    /// Bytes in packs that stay and that an earlier master key has sealed: after a rotation they are sealed anew as far as a run is asked to.
    /// </summary>
    public long BytesUnderEarlierKeys { get; init; }

    /// <summary>Packs that are missing, and of which something is needed that no other has.</summary>
    internal IReadOnlyCollection<(SessionId Session, uint Number)> Lost { get; init; } = [];

    /// <summary>What this run and a later one did together. How things stand now, the later one says.</summary>
    internal PackChanges Then(PackChanges later) => later with
    {
        Deleted = Deleted + later.Deleted,
        BytesFreed = BytesFreed + later.BytesFreed,
        Repacked = Repacked + later.Repacked,
        BytesRepacked = BytesRepacked + later.BytesRepacked,
    };
}
