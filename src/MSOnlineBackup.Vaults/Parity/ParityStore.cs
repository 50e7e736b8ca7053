using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Vaults.Parity;

/// <summary>
/// The parity of a chunk store. A group is two objects: <c>parity/SESSION-NUMBER.shards</c>, which is created first, has the parity with the checksums of all shards, and
/// <c>.group</c> says which packs it is of.
/// </summary>
/// <param name="store">The store.</param>
internal sealed class ParityStore(ChunkStore store)
{
    /// <summary>What the parity begins with: magic 4 | version u8 | 3 zero bytes.</summary>
    public const int HeaderLength = 8;

    private const byte Version = 1;

    private readonly ShardReader _shards = new(store.Objects);

    private static ReadOnlySpan<byte> Magic => "OBPY"u8;

    /// <summary>The groups that are there, and whose parity is; in no order. Second, those of which something is there that is of no use any more.</summary>
    /// <param name="listed">The objects of parity, as they were listed.</param>
    /// <param name="damaged">Gets what cannot be read of them, and is passed over.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task<(List<KnownGroup> Groups, List<(SessionId Session, uint Number)> Ruins)> ReadAsync(
        IEnumerable<StoredObject> listed, Action<BackupException> damaged, CancellationToken cancellationToken)
    {
        var lengths = new Dictionary<(SessionId, uint), long>();
        var groups = new List<(StoredObject Found, SessionId Session, uint Number)>();
        foreach (StoredObject found in listed)
        {
            if (VaultLayout.TryParseParity(found.Name, out SessionId session, out uint number, out bool isGroup))
            {
                if (isGroup)
                {
                    groups.Add((found, session, number));
                }
                else
                {
                    lengths[(session, number)] = found.Length;
                }
            }
        }

        var known = new List<KnownGroup>();
        List<(SessionId Session, uint Number)> ruins = [.. lengths.Keys.Except(groups.Select(one => (one.Session, one.Number)))];
        await foreach ((KnownGroup? group, (SessionId, uint) key, BackupException? damage) in ReadAhead.SelectAsync(
            groups, store.Objects.Capabilities.MaxConcurrency, ReadOneAsync, cancellationToken).ConfigureAwait(false))
        {
            if (damage is not null)
            {
                damaged(damage);
                if (damage.Id == BackupErrorId.VaultDataCorrupt)
                {
                    ruins.Add(key);
                }
            }
            else if (group is not null)
            {
                known.Add(group);
            }
        }

        return (known, ruins);

        async Task<(KnownGroup? Group, (SessionId Session, uint Number) Key, BackupException? Damage)> ReadOneAsync((StoredObject Found, SessionId Session, uint Number) one, CancellationToken token)
        {
            (SessionId Session, uint Number) key = (one.Session, one.Number);
            try
            {
                if (await ReadGroupAsync(one.Found, token).ConfigureAwait(false) is not { } group)
                {
                    return (null, key, null);
                }

                string shards = VaultLayout.ParityShards(store.StoreId, one.Session, one.Number);
                if (!lengths.TryGetValue(key, out long length))
                {
                    // It came, or went, while the vault was listed: what went lost its group first.
                    length = (await store.Objects.StatAsync(shards, token).ConfigureAwait(false))?.Length ?? 0;
                    if (length == 0 && !await IsThereAsync(key, token).ConfigureAwait(false))
                    {
                        return (null, key, null);
                    }
                }

                return length == 0 ? (null, key, VaultDamage.Parity(shards, "it is not in the vault"))
                    : length != MeasureShards(group) ? (null, key, VaultDamage.Parity(shards, "its length is not the one that its group says"))
                    : (new KnownGroup(one.Session, one.Number, group), key, null);
            }
            catch (BackupException e) when (e.Id == BackupErrorId.VaultDataMissing)
            {
                // Another maintenance has replaced it.
                return (null, key, null);
            }
            catch (BackupException e) when (e.IsOfOneObject)
            {
                return (null, key, e);
            }
        }
    }

    /// <summary>Whether a group is there still.</summary>
    public async Task<bool> IsThereAsync((SessionId Session, uint Number) group, CancellationToken cancellationToken) =>
        await store.Objects.StatAsync(VaultLayout.ParityGroup(store.StoreId, group.Session, group.Number), cancellationToken).ConfigureAwait(false) is not null;

    /// <summary>Reads what a group consists of; null where it is something that a newer version put there.</summary>
    /// <exception cref="BackupException">VaultDataCorrupt, VaultDataMissing, VaultDataUnreadable, VaultFormatUnsupported.</exception>
    public async Task<ParityGroup?> ReadGroupAsync(StoredObject found, CancellationToken cancellationToken)
    {
        (ReadOnlyMemory<byte> content, SealedObjectKind kind) = await store.ReadSealedAsync(found.Name, found.Length, cancellationToken).ConfigureAwait(false);
        return kind == SealedObjectKind.ParityGroup ? ParityGroup.Decode(found.Name, content.Span)
            : Enum.IsDefined(kind) ? throw VaultDamage.Parity(found.Name, "it is sealed as something else")
            : null;
    }

    /// <summary>Reads the checksums of a group.</summary>
    /// <exception cref="BackupException">VaultDataCorrupt, VaultDataMissing, VaultDataUnreadable, VaultFormatUnsupported.</exception>
    public async Task<ShardSums> ReadSumsAsync(KnownGroup known, CancellationToken cancellationToken)
    {
        string name = NameOfShards(known);
        byte[] content = new byte[known.Group.SumsLength];
        if (await store.Objects.ReadAsync(name, HeaderLength, content, cancellationToken).ConfigureAwait(false) < content.Length)
        {
            throw VaultDamage.Parity(name, "it is truncated");
        }

        ReadOnlyMemory<byte> opened = SealedObject.Open(store.Keys, name, content, out SealedObjectKind kind);
        return kind == SealedObjectKind.ParitySums ? ShardSums.Decode(name, opened.Span, known.Group) : throw VaultDamage.Parity(name, "its checksums are sealed as something else");
    }

    /// <summary>Reads all parity of a group; null where anything of it is damaged.</summary>
    public async Task<(byte[] Parity, ShardSums Sums)?> TryReadParityAsync(KnownGroup known, CancellationToken cancellationToken)
    {
        try
        {
            ParityGeometry geometry = known.Group.Geometry;
            ShardSums sums = await ReadSumsAsync(known, cancellationToken).ConfigureAwait(false);
            byte[] parity = new byte[geometry.ParityLength];
            await foreach ((int shard, ReadOnlyMemory<byte>? content) in _shards.ReadAsync(
                NameOfShards(known), OffsetOfParity(known.Group), parity.Length, geometry.ShardLength, sums.Parity, _ => true, cancellationToken).ConfigureAwait(false))
            {
                if (content is not { } sound)
                {
                    return null;
                }

                sound.CopyTo(parity.AsMemory(shard * geometry.ShardLength));
            }

            return (parity, sums);
        }
        catch (BackupException e) when (e.IsOfOneObject)
        {
            return null;
        }
    }

    /// <summary>Whether the parity of a group is as it was written.</summary>
    public async Task<bool> IsSoundAsync(KnownGroup known, CancellationToken cancellationToken) => await TryReadParityAsync(known, cancellationToken).ConfigureAwait(false) is not null;

    /// <summary>The name of a group's parity.</summary>
    public string NameOfShards(KnownGroup known) => VaultLayout.ParityShards(store.StoreId, known.Session, known.Number);

    /// <summary>Where the parity of a group begins in its object.</summary>
    public static int OffsetOfParity(ParityGroup group) => HeaderLength + group.SumsLength;

    /// <summary>The length of a group's parity with all that is around it.</summary>
    public static long MeasureShards(ParityGroup group) => (long)OffsetOfParity(group) + group.Geometry.ParityLength + ObjectChecksum.Length;

    /// <summary>Creates a group: from when it returns, its packs are covered.</summary>
    /// <param name="session">The session of whoever creates it.</param>
    /// <param name="number">Its number within the session, never used before.</param>
    /// <param name="geometry">How its packs are cut.</param>
    /// <param name="members">Its packs, in the order of their slots.</param>
    /// <param name="sums">The checksums of each pack's shards.</param>
    /// <param name="parity">The parity.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">VaultFull, VaultUnreachable, …</exception>
    public async Task<KnownGroup> CreateAsync(
        SessionId session, uint number, ParityGeometry geometry, IReadOnlyList<ParityMember> members, IReadOnlyList<byte[]> sums, byte[] parity, CancellationToken cancellationToken)
    {
        string name = VaultLayout.ParityShards(store.StoreId, session, number);
        byte[] sealedSums = SealedObject.Seal(store.Keys, SealedObjectKind.ParitySums, name, new ShardSums(ShardSums.Compute(parity, geometry.ShardLength), sums).Encode());
        var group = new ParityGroup(geometry, sealedSums.Length, members);
        byte[] content = new byte[MeasureShards(group)];
        Magic.CopyTo(content);
        content[Magic.Length] = Version;
        sealedSums.CopyTo(content, HeaderLength);
        parity.CopyTo(content, OffsetOfParity(group));
        ObjectChecksum.WriteTo(content);
        await CreateAsync(name, content, cancellationToken).ConfigureAwait(false);
        string groupName = VaultLayout.ParityGroup(store.StoreId, session, number);
        await CreateAsync(groupName, SealedObject.Seal(store.Keys, SealedObjectKind.ParityGroup, groupName, group.Encode()), cancellationToken).ConfigureAwait(false);
        return new KnownGroup(session, number, group);
    }

    /// <summary>Deletes a group: what says that it is one first.</summary>
    public async Task DeleteAsync(SessionId session, uint number, CancellationToken cancellationToken)
    {
        if (await store.Deletion.TryDeleteAsync(VaultLayout.ParityGroup(store.StoreId, session, number), cancellationToken).ConfigureAwait(false))
        {
            await store.Deletion.TryDeleteAsync(VaultLayout.ParityShards(store.StoreId, session, number), cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task CreateAsync(string name, byte[] content, CancellationToken cancellationToken)
    {
        if (!await store.Objects.TryCreateAsync(name, content, cancellationToken).ConfigureAwait(false))
        {
            throw VaultDamage.Corrupt(name, "it exists, though its name should be new");
        }
    }
}
