using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Vaults.Maintenance;

/// <summary>What a maintenance run did about the locks of the storage.</summary>
/// <param name="Changed">Locks that were set or extended, or, where the vault is not immutable any more, taken off.</param>
/// <param name="Obstacle">
/// Why the storage does not keep all that an immutable vault keeps, as a sentence; null where it does, or has no such thing. The product keeps it all the same.
/// </param>
/// <param name="Kept">What was to be deleted and the storage keeps for now, by what it said of each object: a later run deletes it.</param>
public sealed record LockChanges(int Changed, string? Obstacle, IReadOnlyList<BackupException> Kept)
{
    /// <summary>Nothing.</summary>
    public static LockChanges None { get; } = new(0, null, []);
}
