using MSOnlineBackup.Vaults.Ids;

namespace MSOnlineBackup.Vaults.Copies;

/// <summary>Which recovery points are copied to a twin.</summary>
public sealed record VaultCopyRequest
{
    /// <summary>These points only, whatever their age; null for those of all machines.</summary>
    public IReadOnlySet<SessionId>? Points { get; init; }

    /// <summary>Those of this machine only; null for those of all machines.</summary>
    public MachineId? Machine { get; init; }

    /// <summary>Those of these machines only; null for those of all. Only these are then subject to the twin's own retention, too.</summary>
    public IReadOnlySet<MachineId>? Machines { get; init; }

    /// <summary>
    /// Whether points are copied, too, that are older than the newest one of their machine that the twin has of this vault. They may have ended there: of a point that is gone for
    /// good nothing is left that says so.
    /// </summary>
    public bool IncludesOlder { get; init; }

    /// <summary>Points that are not copied where the twin lacks them: its own retention would let go of them at once. Null for none.</summary>
    public IReadOnlySet<SessionId>? Spared { get; init; }

    /// <summary>Whether only the points are counted that would be copied: both places are listed, and nothing is read or written beside that.</summary>
    public bool IsRehearsal { get; init; }
}
