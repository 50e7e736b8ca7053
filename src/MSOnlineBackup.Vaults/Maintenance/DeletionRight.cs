using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Vaults.Maintenance;

/// <summary>Whether an identity may delete from a vault: tried, before anything is decided.</summary>
internal static class DeletionRight
{
    /// <summary>Refuses an identity that may not.</summary>
    /// <param name="store">The store.</param>
    /// <param name="id">An id that nobody else uses: what is created and deleted bears it.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">VaultAccessDenied.</exception>
    public static async Task RequireAsync(ChunkStore store, SessionId id, CancellationToken cancellationToken)
    {
        if (await CollectionRecords.TryDeletingAsync(store, id, cancellationToken).ConfigureAwait(false) is { } denied)
        {
            throw new BackupException(
                denied.Id,
                $"This identity may not delete from the vault, so it cannot maintain it. Nothing was deleted. {denied.Message}",
                "Run maintenance under the identity of the vault's owner.",
                denied.Target,
                denied.IsTransient,
                denied);
        }
    }
}
