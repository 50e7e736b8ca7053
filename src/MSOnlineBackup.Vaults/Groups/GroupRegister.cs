using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Vaults.Groups;

/// <summary>
/// The protection groups that a chunk store knows: one sealed, numbered record for each change. Nothing is ever changed or deleted; of each group the record with the highest number
/// counts that can be read.
/// </summary>
/// <param name="store">The chunk store; its index need not be read.</param>
internal sealed class GroupRegister(ChunkStore store)
{
    /// <summary>Reads all groups. A record that is damaged hides no other, and of its own group the one before it is shown.</summary>
    public async Task<GroupListing> ListAsync(CancellationToken cancellationToken)
    {
        var damage = new List<BackupException>();
        var groups = new List<NumberedGroup>();
        await foreach ((NumberedGroup? newest, IReadOnlyList<BackupException> found) in ReadAhead.SelectAsync(
            (await ListNamesAsync(store, cancellationToken).ConfigureAwait(false)).GroupBy(record => record.Id),
            store.Objects.Capabilities.MaxConcurrency,
            (series, token) => ReadNewestAsync(series.OrderByDescending(record => record.Number), token),
            cancellationToken).ConfigureAwait(false))
        {
            damage.AddRange(found);
            if (newest is not null)
            {
                groups.Add(newest);
            }
        }

        return new GroupListing([.. groups.OrderBy(group => group.Record.Name, StringComparer.OrdinalIgnoreCase).ThenBy(group => group.Record.Id, StringComparer.Ordinal)], damage);
    }

    /// <summary>Writes a record under its number; false where that number of the group is taken.</summary>
    /// <exception cref="BackupException">ArgumentInvalid: it is no record; VaultFull, VaultAccessDenied, VaultUnreachable, …</exception>
    public async Task<bool> TryWriteAsync(NumberedGroup group, CancellationToken cancellationToken)
    {
        string name = VaultLayout.Group(store.StoreId, group.Record.Id, group.Number);
        byte[] content = SealedObject.Seal(store.Keys, SealedObjectKind.Group, name, GroupCodec.Encode(group.Record));
        return await store.Objects.TryCreateAsync(name, content, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>What one object says.</summary>
    /// <exception cref="BackupException">VaultDataCorrupt, VaultDataMissing, VaultDataUnreadable, VaultFormatUnsupported.</exception>
    public async Task<GroupRecord> ReadAsync(StoredObject found, CancellationToken cancellationToken)
    {
        (ReadOnlyMemory<byte> content, SealedObjectKind kind) = await store.ReadSealedAsync(found.Name, found.Length, cancellationToken).ConfigureAwait(false);
        GroupRecord group = kind == SealedObjectKind.Group
            ? GroupCodec.Decode(content.Span, found.Name)
            : throw VaultDamage.Corrupt(found.Name, "it is sealed as something else");
        return VaultLayout.TryParseGroup(found.Name, out string id, out _) && id == group.Id ? group : throw VaultDamage.Corrupt(found.Name, "it is the record of another group");
    }

    /// <summary>Brings the records that a twin lacks, each sealed anew for it. One that is damaged is not brought, and stops none.</summary>
    /// <returns>How many were brought.</returns>
    public static async Task<int> BringAsync(ChunkStore from, ChunkStore to, CancellationToken cancellationToken)
    {
        List<Named> offered = await ListNamesAsync(from, cancellationToken).ConfigureAwait(false);
        if (offered.Count == 0)
        {
            return 0;
        }

        HashSet<string> there = [.. (await ListNamesAsync(to, cancellationToken).ConfigureAwait(false)).Select(record => record.Object.Name)];
        var source = new GroupRegister(from);
        var target = new GroupRegister(to);
        int brought = 0;

        // Of a group the highest number comes last: until then the one before holds.
        foreach (Named record in offered.Where(record => !there.Contains(record.Object.Name)).OrderBy(record => record.Number))
        {
            try
            {
                GroupRecord group = await source.ReadAsync(record.Object, cancellationToken).ConfigureAwait(false);
                brought += await target.TryWriteAsync(new NumberedGroup(record.Number, group), cancellationToken).ConfigureAwait(false) ? 1 : 0;
            }
            catch (BackupException e) when (e.IsOfOneObject && e.Target == record.Object.Name)
            {
                // Verification tells of it; the other place may have it whole.
            }
        }

        return brought;
    }

    private static async Task<List<Named>> ListNamesAsync(ChunkStore store, CancellationToken cancellationToken)
    {
        var names = new List<Named>();
        await foreach (StoredObject found in store.Objects.ListAsync(VaultLayout.Groups(store.StoreId), cancellationToken).ConfigureAwait(false))
        {
            if (VaultLayout.TryParseGroup(found.Name, out string id, out uint number))
            {
                names.Add(new Named(id, number, found));
            }
        }

        return names;
    }

    private async Task<(NumberedGroup? Newest, IReadOnlyList<BackupException> Damage)> ReadNewestAsync(IEnumerable<Named> series, CancellationToken cancellationToken)
    {
        var damage = new List<BackupException>();
        foreach (Named record in series)
        {
            try
            {
                return (new NumberedGroup(record.Number, await ReadAsync(record.Object, cancellationToken).ConfigureAwait(false)), damage);
            }
            catch (BackupException e) when (e.IsOfOneObject)
            {
                damage.Add(e);
            }
        }

        return (null, damage);
    }

    private sealed record Named(string Id, uint Number, StoredObject Object);
}
