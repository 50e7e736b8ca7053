using MSOnlineBackup.Vaults.Ids;

namespace MSOnlineBackup.Vaults.Proofs;

/// <summary>What is proven of a machine's backups. Times are the store's.</summary>
/// <param name="MachineName">The machine.</param>
/// <param name="PointId">Its newest recovery point.</param>
/// <param name="LastBackup">When that point was made.</param>
/// <param name="LastVerified">
/// Since when all packs that it may need have been read back and found whole, each at that time or later; null where some were not yet.
/// </param>
/// <param name="VerifiedShare">How much of these packs was read back and found whole since it was written, by bytes, 0 to 1.</param>
/// <param name="LastTrial">The last trial restore of one of its points; null where none is on record.</param>
public sealed record MachineProof(
    string MachineName, SessionId PointId, DateTimeOffset LastBackup, DateTimeOffset? LastVerified, double VerifiedShare, TrialRestoreProof? LastTrial);

/// <summary>A trial restore that is on record.</summary>
/// <param name="Time">When.</param>
/// <param name="PointId">Of which recovery point.</param>
/// <param name="Files">Files that were restored.</param>
/// <param name="Differences">Files that could not be restored, or were not as the point says.</param>
public sealed record TrialRestoreProof(DateTimeOffset Time, SessionId PointId, long Files, int Differences);

/// <summary>What is proven of a chunk store.</summary>
/// <param name="Machines">Its machines, by name.</param>
/// <param name="LastMaintained">When it was maintained; null where that is not on record.</param>
/// <param name="DamagedPacks">The names of packs that were found damaged or missing, and not found whole since.</param>
public sealed record VaultProofSummary(IReadOnlyList<MachineProof> Machines, DateTimeOffset? LastMaintained, IReadOnlyList<string> DamagedPacks);
