using MSOnlineBackup.Vaults.Ids;

namespace MSOnlineBackup.Vaults.Protection;

/// <summary>Why nothing of a machine is deleted for good for now: its owner looks at it first, or the time goes by.</summary>
/// <param name="MachineId">The machine.</param>
/// <param name="Since">When what raised it was written (UTC), by the vault's own clock.</param>
/// <param name="Until">Until when nothing of the machine ends unless the vault's owner releases it.</param>
/// <param name="Cause">What it was, with the figures: a sentence without its full stop.</param>
public sealed record DeletionBrake(MachineId MachineId, DateTimeOffset Since, DateTimeOffset Until, string Cause);
