using MSOnlineBackup.Vaults.Maintenance;

namespace MSOnlineBackup.Agent.Retention;

/// <summary>What maintenance did from a machine, or, where it was a rehearsal, what it would do.</summary>
/// <param name="Plan">What becomes of the machine's recovery points.</param>
/// <param name="PointsDeleted">How many of them were let go of, or would be. They can be brought back for the vault's undelete time.</param>
/// <param name="Collection">What the vault was rid of.</param>
public sealed record MachineMaintenance(RetentionPlan Plan, int PointsDeleted, MaintenanceReport Collection);
