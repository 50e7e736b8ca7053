using MSOnlineBackup.Vaults.Ids;

namespace MSOnlineBackup.Vaults.Verification;

/// <summary>
/// A session newer than the newest recovery point of its machine: the job is running, was killed or lost its vault, or its point is lost. Once the machine has
/// backed up again this cannot be told any more: only the points that a later one names are known to have been there.
/// </summary>
/// <param name="SessionId">The session.</param>
/// <param name="MachineId">Its machine.</param>
/// <param name="Started">When it began (the client's clock, UTC).</param>
public sealed record UnfinishedSession(SessionId SessionId, MachineId MachineId, DateTimeOffset Started);
