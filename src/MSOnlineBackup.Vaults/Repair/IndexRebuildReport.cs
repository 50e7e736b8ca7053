using MSOnlineBackup.Vaults.Verification;

namespace MSOnlineBackup.Vaults.Repair;

/// <summary>What a rebuild of the index did.</summary>
/// <param name="Packs">Packs read.</param>
/// <param name="Chunks">Chunks indexed.</param>
/// <param name="Damaged">Packs that could not be read, and why.</param>
public sealed record IndexRebuildReport(int Packs, long Chunks, IReadOnlyList<VerifyFinding> Damaged);
