using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Vaults.Keys;

/// <summary>
/// A key slot as it lies in a vault: the slot, a copy beside it, and once it is removed a mark that says so. A removal begins with the mark and ends with the slot, and a copy
/// counts only where there is no mark: whoever is stopped leaves a slot that opens as before, or none. Anybody who may add could make the mark; it takes away no slot that is
/// there. But it does take away one that was written anew from its copy, which says so: else a repair that a removal overtakes could bring back what was removed.
/// </summary>
/// <param name="objects">The vault.</param>
/// <param name="vaultId">Its id; null where its header is damaged.</param>
/// <param name="key">Which slot.</param>
internal sealed class KeySlotFile(IVaultStore objects, string? vaultId, KeyName key)
{
    private const int MaxLength = 64 << 10;

    /// <summary>The slot's name.</summary>
    public string Name { get; } = VaultLayout.Key(key.StoreId, key.KeyId);

    /// <summary>Its copy's name.</summary>
    public string CopyName => VaultLayout.CopyBeside(Name);

    /// <summary>Reads the slot; where it is lost or damaged, its copy.</summary>
    /// <exception cref="BackupException">What is wrong with the slot, where its copy does not help: VaultDataMissing, KeySlotDamaged, VaultFormatUnsupported, …</exception>
    public async Task<KeySlot> ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await ReadFirstAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException e) when (IsBroken(e))
        {
            if (await TryReadCopyAsync(cancellationToken).ConfigureAwait(false) is { } copy)
            {
                return copy;
            }

            throw;
        }
    }

    /// <summary>Reads the slot itself.</summary>
    /// <exception cref="BackupException">What is wrong with it.</exception>
    public async Task<KeySlot> ReadFirstAsync(CancellationToken cancellationToken)
    {
        KeySlot slot = await ReadObjectAsync(Name, cancellationToken).ConfigureAwait(false);
        return slot.IsRestored == true && await IsRemovedAsync(cancellationToken).ConfigureAwait(false) ? throw VaultDamage.Missing(Name, "Key slot") : slot;
    }

    /// <summary>The copy; null where there is none, it does not count, or it is damaged.</summary>
    public async Task<KeySlot?> TryReadCopyAsync(CancellationToken cancellationToken)
    {
        try
        {
            // The mark is looked for last: it is made before anything goes.
            KeySlot copy = await ReadObjectAsync(CopyName, cancellationToken).ConfigureAwait(false);
            return await IsRemovedAsync(cancellationToken).ConfigureAwait(false) ? null : copy;
        }
        catch (BackupException e) when (IsBroken(e) || e.Id == BackupErrorId.VaultFormatUnsupported)
        {
            return null;
        }
    }

    /// <summary>Creates it, and then its copy.</summary>
    /// <exception cref="BackupException">VaultDataCorrupt where it does not read back.</exception>
    public async Task CreateAsync(KeySlot slot, CancellationToken cancellationToken)
    {
        byte[] content = slot.Encode();
        await objects.TryCreateAsync(Name, content, cancellationToken).ConfigureAwait(false);

        // Read back: a slot that does not open would be found out when it is too late.
        KeySlot written = await ReadFirstAsync(cancellationToken).ConfigureAwait(false);
        if (!written.Encode().AsSpan().SequenceEqual(content))
        {
            throw VaultDamage.Corrupt(Name, "it does not read back as it was written");
        }

        await objects.TryCreateAsync(CopyName, content, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Removes it: its copy first.</summary>
    public async Task RemoveAsync(CancellationToken cancellationToken)
    {
        await objects.TryCreateAsync(VaultLayout.KeyRemoval(key.StoreId, key.KeyId), "{}"u8.ToArray(), cancellationToken).ConfigureAwait(false);
        await PatientDeletion.DeleteAsync(objects, CopyName, cancellationToken).ConfigureAwait(false);
        await PatientDeletion.DeleteAsync(objects, Name, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Brings back one that was removed and may not be. It has no copy from now on, for a mark never goes.</summary>
    public ValueTask<bool> BringBackAsync(KeySlot slot, CancellationToken cancellationToken) =>
        objects.TryCreateAsync(Name, (slot with { IsRestored = null }).Encode(), cancellationToken);

    /// <summary>Whether its copy does not count any more.</summary>
    public async Task<bool> IsRemovedAsync(CancellationToken cancellationToken) =>
        await objects.StatAsync(VaultLayout.KeyRemoval(key.StoreId, key.KeyId), cancellationToken).ConfigureAwait(false) is not null;

    /// <summary>What is wrong with its copy; null where that is sound, missing, or does not count.</summary>
    /// <param name="slot">The slot; null where that cannot be read.</param>
    /// <param name="isProved">Whether a slot holds the right master key.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task<BackupException?> CheckCopyAsync(KeySlot? slot, Func<KeySlot, bool> isProved, CancellationToken cancellationToken)
    {
        try
        {
            KeySlot copy = await ReadObjectAsync(CopyName, cancellationToken).ConfigureAwait(false);
            bool isSame = slot is null ? isProved(copy) : (slot with { IsRestored = null }).Encode().AsSpan().SequenceEqual(copy.Encode());
            return isSame || await IsRemovedAsync(cancellationToken).ConfigureAwait(false) ? null : KeySlot.Damaged(CopyName, "it is not the copy of its key slot");
        }
        catch (BackupException e) when (e.Id == BackupErrorId.VaultDataMissing)
        {
            return null;
        }
        catch (BackupException e) when (IsBroken(e))
        {
            return e.Target == CopyName ? e : KeySlot.Damaged(CopyName, $"it cannot be taken for the key slot ({e.Message})", inner: e);
        }
    }

    /// <summary>Whether a copy may be taken in the place of a slot with which this is wrong.</summary>
    public static bool IsBroken(BackupException e) => e.IsDamage || e.Id == BackupErrorId.KeySlotDamaged;

    private async Task<KeySlot> ReadObjectAsync(string name, CancellationToken cancellationToken)
    {
        byte[]? content = await VaultHeader.ReadSmallAsync(objects, name, MaxLength, cancellationToken).ConfigureAwait(false);
        KeySlot slot = content is null ? throw VaultDamage.Missing(name, "Key slot") : KeySlot.Decode(content, key.StoreId, key.KeyId);
        return vaultId is null || slot.VaultId == vaultId
            ? slot
            : throw KeySlot.Damaged(
                name,
                $"it is of the vault {slot.VaultId}, and '{VaultLayout.Header}' says that this is the vault {vaultId}",
                "One of the two was brought here from another vault. 'obengine repair header' names what says which vault this is.");
    }
}
