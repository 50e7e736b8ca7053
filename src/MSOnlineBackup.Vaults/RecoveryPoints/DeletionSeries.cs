using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>The names of all decisions on one recovery point.</summary>
/// <param name="MachineId">The point's machine.</param>
/// <param name="SessionId">The point's session.</param>
/// <param name="Records">The objects with their numbers, the highest first.</param>
internal sealed record DeletionSeries(MachineId MachineId, SessionId SessionId, IReadOnlyList<(uint Number, StoredObject Object)> Records)
{
    /// <summary>The highest number; 0 where nothing was ever decided.</summary>
    public uint Newest => Records.Count == 0 ? 0 : Records[0].Number;

    /// <summary>Whether a number is one of a series. Others are passed over.</summary>
    public static bool Counts(uint number) => number is > 0 and <= NumberedSeries.Last;
}

/// <summary>What holds of a recovery point.</summary>
/// <param name="State">What was decided; null where nothing was, or it cannot be read: then the point is as if nothing had been.</param>
/// <param name="Reason">Why.</param>
/// <param name="Since">Since when, by the vault's own clock where it has one (UTC), and never before a time that the vault is known to have reached by then.</param>
/// <param name="Damage">Why the newest decision cannot be read; null where it can.</param>
/// <param name="Due">See <see cref="DeletionRecord.Due"/>.</param>
internal readonly record struct Deletion(DeletionState? State, string Reason, DateTimeOffset Since, BackupException? Damage, DateTimeOffset? Due = null)
{
    /// <summary>Whether retention let go of it before the time that it was made for.</summary>
    public bool IsEarly => State == DeletionState.Deleted && Due > Since;

    /// <summary>Nothing was decided.</summary>
    public static Deletion None { get; } = new(null, string.Empty, default, null);

    /// <summary>Whether the point is in no list.</summary>
    public bool IsHidden => State is DeletionState.Deleted or DeletionState.Gone;
}
