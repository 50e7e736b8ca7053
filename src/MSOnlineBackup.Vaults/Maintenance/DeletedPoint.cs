using MSOnlineBackup.Vaults.Ids;

namespace MSOnlineBackup.Vaults.Maintenance;

/// <summary>A recovery point that was deleted and can be brought back.</summary>
/// <param name="SessionId">Its session.</param>
/// <param name="MachineId">Its machine.</param>
/// <param name="Point">The point; null where it cannot be read.</param>
/// <param name="Deleted">When it was deleted (UTC), by the vault's own clock where it has one.</param>
/// <param name="KeptUntil">Until when it can be brought back at least (UTC).</param>
/// <param name="Reason">Why it was deleted, in the words of whoever did it.</param>
public sealed record DeletedPoint(
    SessionId SessionId,
    MachineId MachineId,
    RecoveryPoints.RecoveryPoint? Point,
    DateTimeOffset Deleted,
    DateTimeOffset KeptUntil,
    string Reason);
