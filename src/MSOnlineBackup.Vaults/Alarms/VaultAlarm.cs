using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Vaults.Alarms;

/// <summary>Something about a vault that somebody should see to. It is there as long as it holds, and gone once it was seen to.</summary>
/// <param name="Id">What it is: BackupUnusual, PointsDeletedAtOnce, RetentionShortened; VaultDataCorrupt.</param>
/// <param name="Since">Since when (UTC).</param>
/// <param name="Machine">The machine that it is about; null for the vault as a whole.</param>
/// <param name="Message">What it is, with the figures, in whole sentences.</param>
/// <param name="RecommendedAction">What to do about it.</param>
public sealed record VaultAlarm(BackupErrorId Id, DateTimeOffset Since, string? Machine, string Message, string RecommendedAction)
{
    /// <summary>Whether something is damaged, and not only unusual.</summary>
    public bool IsDamage => Id == BackupErrorId.VaultDataCorrupt;
}
