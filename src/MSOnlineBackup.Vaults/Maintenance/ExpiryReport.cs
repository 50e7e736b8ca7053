using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Protection;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Vaults.Maintenance;

/// <summary>What became of deleted recovery points.</summary>
/// <param name="Gone">Those whose time is over, and that are gone for good now; of a rehearsal, those that would be.</param>
/// <param name="Brakes">Machines of which nothing ended that was over, because something unusual happened lately.</param>
/// <param name="Kept">Points that somebody has said to be gone before their immutability is over: they, and what they need, stay until then.</param>
/// <param name="Damage">What could not be read: settings, by which nothing ended then, and decisions, each of which leaves its point as it is.</param>
internal sealed record ExpiryReport(IReadOnlyList<DeletedPoint> Gone, IReadOnlyList<DeletionBrake> Brakes, IReadOnlyList<PointName> Kept, IReadOnlyList<BackupException> Damage);
