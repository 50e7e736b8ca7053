using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Vaults.Parity;

/// <summary>Keeps second copies of index segments and points: small objects that much depends on. A copy has the same bytes, and opens under the name of the first.</summary>
/// <param name="store">The store.</param>
/// <param name="damaged">Gets what is damaged, or cannot be read, and that the vault is too full for more.</param>
internal sealed class CopyKeeper(ChunkStore store, Action<BackupException> damaged)
{
    /// <summary>Writes the copies that are missing.</summary>
    /// <param name="first">The objects that are to have one, as they were listed.</param>
    /// <param name="present">The names of the copies that are there.</param>
    /// <param name="isOverTime">Whether nothing further is to be begun.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task KeepAsync(IEnumerable<StoredObject> first, IReadOnlySet<string> present, Func<bool> isOverTime, CancellationToken cancellationToken)
    {
        foreach (StoredObject found in first.Where(found => !present.Contains(VaultLayout.CopyOf(found.Name))).TakeWhile(_ => !isOverTime()))
        {
            try
            {
                await CopyAsync(found, cancellationToken).ConfigureAwait(false);
            }
            catch (BackupException e) when (e.Id == BackupErrorId.VaultDataMissing)
            {
                // Somebody has deleted it meanwhile.
            }
            catch (BackupException e) when (e.IsOfOneObject)
            {
                damaged(e);
            }
            catch (BackupException e) when (e.Id == BackupErrorId.VaultFull)
            {
                damaged(e);
                return;
            }
        }
    }

    /// <summary>Deletes all copies.</summary>
    public async Task RemoveAsync(IEnumerable<string> present, CancellationToken cancellationToken)
    {
        foreach (string name in present)
        {
            await store.Deletion.TryDeleteAsync(name, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task CopyAsync(StoredObject found, CancellationToken cancellationToken)
    {
        if (found.Length > SealedObject.MaxLength)
        {
            throw VaultDamage.Corrupt(found.Name, "it is too long for what it is");
        }

        byte[] content = new byte[found.Length];
        if (await store.Objects.ReadAsync(found.Name, 0, content, cancellationToken).ConfigureAwait(false) < content.Length)
        {
            throw VaultDamage.Corrupt(found.Name, "it is truncated");
        }

        // Nothing is copied that does not open.
        SealedObject.Open(store.Keys, found.Name, content, out SealedObjectKind kind);
        if (kind == SealedObjectKind.Fence)
        {
            return;
        }

        string copy = VaultLayout.CopyOf(found.Name);
        await store.Objects.TryCreateAsync(copy, content, cancellationToken).ConfigureAwait(false);

        // A copy goes before its object. Where that went while it was made, the copy would be taken for what is left of a loss.
        if (await store.Objects.StatAsync(found.Name, cancellationToken).ConfigureAwait(false) is null)
        {
            await store.Deletion.TryDeleteAsync(copy, cancellationToken).ConfigureAwait(false);
        }
    }
}
