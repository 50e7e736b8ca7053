using System.Runtime.CompilerServices;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Repair;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Stores;
using MSOnlineBackup.Vaults.Verification;

namespace MSOnlineBackup.Vaults;

/// <summary>
/// A vault whose key is at hand: its points, what they hold, its keys, and whether all of it is whole. What needs no key is <see cref="ClosedVault"/>. Every
/// failure is a <see cref="BackupException"/>; stopping is an <see cref="OperationCanceledException"/>.
/// </summary>
/// <remarks>Each operation reads the store's index afresh: nothing local is authoritative, and others write too.</remarks>
public sealed class UnlockedVault
{
    private const string Latest = "latest";

    private readonly IVaultStore _objects;
    private readonly IVaultStore _early;
    private readonly VaultHeader _header;
    private readonly VaultRecords _records;
    private readonly VaultOptions _options;
    private UnlockedKey _unlocked;

    private UnlockedVault(IVaultStore objects, VaultHeader header, VaultRecords records, UnlockedKey unlocked, VaultOptions options, IVaultStore? early = null)
    {
        records.Allow(VaultUse.Read);
        _objects = objects;
        _early = early ?? objects;
        _header = header;
        _records = records;
        _unlocked = unlocked;
        _options = options;
    }

    /// <summary>The vault's id.</summary>
    public string VaultId => _header.VaultId;

    /// <summary>The key that opened this vault.</summary>
    public UnlockedKey Key => _unlocked;

    /// <summary>What the vault was asked since its store was opened; null where nobody counts.</summary>
    public VaultTraffic? Traffic => _objects.Traffic;

    /// <summary>What it was opened with.</summary>
    internal VaultOptions Options => _options;

    /// <summary>The vault's objects.</summary>
    internal IVaultStore Objects => _objects;

    private KeyRing Keys => _options.Keys(_objects, _header);

    /// <summary>Opens a vault: finds the key slot that the passphrase opens. Takes about 0.2 s for each slot tried.</summary>
    /// <exception cref="BackupException">VaultHeaderInvalid, VaultFormatUnsupported, PassphraseRejected, KeySlotsNotTried, KeySlotDamaged, …</exception>
    public static async Task<UnlockedVault> OpenAsync(IVaultStore store, string passphrase, VaultOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(passphrase);
        ArgumentNullException.ThrowIfNull(options);
        Task<VaultHeader> reading = VaultHeader.ReadAsync(store, cancellationToken);
        Task<IReadOnlyList<KeyName>> listing = KeyRing.ListNamesAsync(store, VaultLayout.AllKeys, cancellationToken);
        Task<VaultRecords> recording = VaultRecords.ReadAsync(store, reading, cancellationToken);
        await Task.WhenAll(reading, listing).ConfigureAwait(false);
        VaultHeader header = await reading.ConfigureAwait(false);
        IReadOnlyList<KeyName> names = await listing.ConfigureAwait(false);
        IVaultStore early = Ahead(store, options.AskAhead, names, cancellationToken);
        UnlockedKey unlocked = await options.Keys(store, header).UnlockAsync(passphrase, names, cancellationToken).ConfigureAwait(false);
        return new UnlockedVault(store, header, await recording.ConfigureAwait(false), unlocked, options, early);
    }

    // Which of several chunk stores the passphrase opens is not known yet.
    private static IVaultStore Ahead(IVaultStore store, AskAhead wanted, IReadOnlyList<KeyName> keys, CancellationToken cancellationToken)
    {
        if (wanted == AskAhead.Nothing || keys.Select(key => key.StoreId).Distinct().Take(2).ToList() is not [var storeId])
        {
            return store;
        }

        // A backup wants names of points and checkpoints twice: what was there before, and an id that is higher than all.
        bool isBackup = wanted == AskAhead.ForBackup;
        var ahead = new AskedAhead(store);
        ahead.Ask(VaultLayout.Segments(storeId), newest: int.MaxValue, cancellationToken);
        ahead.Ask(VaultLayout.Points(storeId), newest: 1, cancellationToken, times: isBackup ? 2 : 1);
        if (isBackup)
        {
            ahead.Ask(VaultLayout.Machines, newest: 8, cancellationToken);
            ahead.Ask(VaultLayout.Checkpoints(storeId), newest: 0, cancellationToken, times: 2);
            ahead.Ask(VaultLayout.Sessions(storeId), newest: 0, cancellationToken);
        }

        return ahead;
    }

    /// <summary>Opens a vault by a key in Azure Key Vault, which must consent.</summary>
    /// <exception cref="BackupException">VaultHeaderInvalid, VaultFormatUnsupported, KeySlotNotFound, KeySlotContradicted, KeyVaultAccessDenied, …</exception>
    public static async Task<UnlockedVault> OpenAsync(IVaultStore store, IKeyEncryptionKey key, VaultOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(options);
        VaultHeader header = await VaultHeader.ReadAsync(store, cancellationToken).ConfigureAwait(false);
        Task<VaultRecords> recording = VaultRecords.ReadAsync(store, Task.FromResult(header), cancellationToken);
        UnlockedKey unlocked = await options.Keys(store, header).UnlockAsync(key, cancellationToken).ConfigureAwait(false);
        return new UnlockedVault(store, header, await recording.ConfigureAwait(false), unlocked, options);
    }

    /// <summary>Opens a vault by a key that is at hand, once it has shown to be that of the chunk store.</summary>
    /// <exception cref="BackupException">VaultHeaderInvalid, VaultFormatUnsupported, KeyFileInvalid, KeySlotNotFound, KeySlotDamaged, …</exception>
    public static async Task<UnlockedVault> OpenAsync(IVaultStore store, UnlockedKey key, VaultOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(options);
        VaultHeader header = await VaultHeader.ReadAsync(store, cancellationToken).ConfigureAwait(false);
        return await OpenAsync(store, header, key, options, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The same where the header has been read.</summary>
    internal static async Task<UnlockedVault> OpenAsync(IVaultStore store, VaultHeader header, UnlockedKey key, VaultOptions options, CancellationToken cancellationToken)
    {
        Task<VaultRecords> recording = VaultRecords.ReadAsync(store, Task.FromResult(header), cancellationToken);
        await Task.WhenAll(recording, options.Keys(store, header).VerifyAsync(key, cancellationToken)).ConfigureAwait(false);
        return new UnlockedVault(store, header, await recording.ConfigureAwait(false), key, options);
    }

    /// <summary>Bytes of everything that this chunk store keeps in the vault.</summary>
    public async Task<long> MeasureStoreAsync(CancellationToken cancellationToken)
    {
        long bytes = 0;
        await foreach (StoredObject found in _objects.ListAsync(VaultLayout.Store(_unlocked.StoreId), cancellationToken).ConfigureAwait(false))
        {
            bytes += found.Length;
        }

        return bytes;
    }

    /// <summary>The recovery points of this store, newest first; of one machine where a name is given. Those that cannot be read stand beside them.</summary>
    public async Task<RecoveryPointList> ListPointsAsync(string? machineName, CancellationToken cancellationToken)
    {
        RecoveryPointCatalog catalog = Catalog();
        List<PointName> names = await catalog.ListNamesAndLossesAsync(MachineId(machineName), cancellationToken).ConfigureAwait(false);
        var points = new List<RecoveryPoint>();
        var damaged = new List<PointReading>();
        await foreach (PointReading reading in catalog.ReadAsync(names, cancellationToken).ConfigureAwait(false))
        {
            if (reading.Point is { } point)
            {
                points.Add(point);
            }
            else
            {
                damaged.Add(reading);
            }
        }

        return new RecoveryPointList(points, await DescribeAsync(damaged, cancellationToken).ConfigureAwait(false));
    }

    /// <summary>How many recovery points a machine has, and the points themselves, for who needs only the newest of them.</summary>
    public async Task<PointHistory> OpenHistoryAsync(string machineName, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(machineName);
        RecoveryPointCatalog catalog = Catalog();
        List<PointName> names = await catalog.ListNamesAsync(_header.MachineId(machineName), cancellationToken).ConfigureAwait(false);
        return new PointHistory(names.Count, catalog.ReadAsync(names, cancellationToken).Where(reading => reading.Point is not null).Select(reading => reading.Point!));
    }

    /// <summary>The point whose session id begins with the text; "latest" is the one with the newest name, whether it can be read or not.</summary>
    /// <param name="idPrefixOrLatest">The beginning of an id, or "latest".</param>
    /// <param name="machineName">Only points of this machine; null for those of all.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <param name="passOver">Gets each damaged point that is newer than the one returned for "latest". Where it is null, an older one is not taken for it.</param>
    /// <exception cref="BackupException">RecoveryPointNotFound, RecoveryPointAmbiguous; VaultDataCorrupt, VaultDataUnreadable, … where the point is there and cannot be read.</exception>
    public async Task<RecoveryPoint> GetPointAsync(
        string idPrefixOrLatest, string? machineName, CancellationToken cancellationToken, Action<DamagedPoint>? passOver = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(idPrefixOrLatest);
        bool latest = idPrefixOrLatest == Latest;
        RecoveryPointCatalog catalog = Catalog();
        List<PointName> names = await catalog.ListNamesAndLossesAsync(MachineId(machineName), cancellationToken).ConfigureAwait(false);
        IEnumerable<PointName> wanted = latest ? names : names.Where(name => name.SessionId.StartsWith(idPrefixOrLatest, StringComparison.OrdinalIgnoreCase));
        PointReading? found = null;
        await foreach (PointReading reading in catalog.ReadAsync(wanted, cancellationToken).ConfigureAwait(false))
        {
            if (latest && reading.Point is null && passOver is not null)
            {
                passOver((await DescribeAsync([reading], cancellationToken).ConfigureAwait(false))[0]);
                found = reading;
                continue;
            }

            if (!latest && found is { } other)
            {
                throw new BackupException(
                    BackupErrorId.RecoveryPointAmbiguous,
                    $"More than one recovery point begins with '{idPrefixOrLatest}': {other.Name.SessionId} and {reading.Name.SessionId}, perhaps others.",
                    "Give more digits of the id.",
                    idPrefixOrLatest);
            }

            found = reading;
            if (latest)
            {
                break;
            }
        }

        return found switch
        {
            { Point: { } point } => point,
            { } damaged => throw (await DescribeAsync([damaged], cancellationToken).ConfigureAwait(false))[0].ToError(),
            null => throw new BackupException(
                BackupErrorId.RecoveryPointNotFound,
                $"The vault has no recovery point{(machineName is null ? null : $" of a machine '{machineName}'")}{(latest ? null : $" that begins with '{idPrefixOrLatest}'")}.",
                "'obengine points' or 'Get-OBAllRecoveryPoints' lists them.",
                idPrefixOrLatest),
        };
    }

    /// <summary>The items of a point at or below a full path; null for the roots. Direct children only unless recursive.</summary>
    /// <param name="point">The point.</param>
    /// <param name="path">The full path.</param>
    /// <param name="recursive">Whether all that is below is wanted.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <param name="damaged">Gets what of the vault cannot be read, and the listing goes on behind it; where it is null, what is needed and cannot be read is thrown.</param>
    /// <exception cref="BackupException">RecoverableItemNotFound.</exception>
    public async IAsyncEnumerable<RecoverableItem> ListItemsAsync(
        RecoveryPoint point,
        string? path,
        bool recursive,
        [EnumeratorCancellation] CancellationToken cancellationToken,
        Action<BackupException>? damaged = null)
    {
        ArgumentNullException.ThrowIfNull(point);
        ChunkStore store = await OpenStoreAsync(cancellationToken).ConfigureAwait(false);
        await foreach (RecoverableItem item in new RecoveryPointBrowser(store, point, damaged).ListAsync(path, recursive, cancellationToken).ConfigureAwait(false))
        {
            yield return item;
        }

        Tell(store, damaged);
    }

    /// <summary>The items of a point whose name (or, where the pattern has a separator, whose full path) matches a wildcard pattern.</summary>
    /// <exception cref="BackupException">PatternInvalid.</exception>
    public IAsyncEnumerable<RecoverableItem> FindItemsAsync(RecoveryPoint point, string pattern, bool ignoreCase, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(point);
        return FindItemsAsync([point], pattern, ignoreCase, cancellationToken).Select(found => found.Item);
    }

    /// <summary>The same in several points, one after the other: what they share is searched once.</summary>
    /// <param name="points">The points.</param>
    /// <param name="pattern">The pattern.</param>
    /// <param name="ignoreCase">Whether capital and small letters are the same; in points of Windows they always are.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <param name="damaged">Gets what of the vault cannot be read, and the search goes on behind it; where it is null, what is needed and cannot be read is thrown.</param>
    /// <exception cref="BackupException">PatternInvalid.</exception>
    public async IAsyncEnumerable<FoundItem> FindItemsAsync(
        IEnumerable<RecoveryPoint> points,
        string pattern,
        bool ignoreCase,
        [EnumeratorCancellation] CancellationToken cancellationToken,
        Action<BackupException>? damaged = null)
    {
        ArgumentNullException.ThrowIfNull(points);
        ChunkStore store = await OpenStoreAsync(cancellationToken).ConfigureAwait(false);
        var search = new ItemSearch(store, pattern, ignoreCase);
        foreach (RecoveryPoint point in points)
        {
            await foreach (RecoverableItem item in search.FindAsync(point, damaged, cancellationToken).ConfigureAwait(false))
            {
                yield return new FoundItem(point, item);
            }
        }

        Tell(store, damaged);
    }

    /// <summary>Opens a file of a point: a stream that reads from the vault as it is read, from any position. For one reader at a time.</summary>
    /// <param name="item">The file.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">RestoreItemFailed: it is no file, or the point has no content of it.</exception>
    public async Task<Stream> OpenReadAsync(RecoverableItem item, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(item);
        if (!item.Entry.IsRestorable())
        {
            throw item.Entry.Unrestorable(item.FullPath);
        }

        if (item.Entry.Kind != EntryKind.File)
        {
            throw new BackupException(BackupErrorId.RestoreItemFailed, $"'{item.FullPath}' is no file: only files are read.", "Name a file.", item.FullPath);
        }

        return new ItemStream(await OpenStoreAsync(cancellationToken).ConfigureAwait(false), item.Entry);
    }

    /// <summary>What a backup skipped.</summary>
    /// <param name="point">The point.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <param name="damaged">Gets what of the vault cannot be read, and the list goes on behind it; where it is null, what is needed and cannot be read is thrown.</param>
    public async IAsyncEnumerable<SkippedItem> ListSkippedAsync(
        RecoveryPoint point, [EnumeratorCancellation] CancellationToken cancellationToken, Action<BackupException>? damaged = null)
    {
        ArgumentNullException.ThrowIfNull(point);
        ChunkStore store = await OpenStoreAsync(cancellationToken).ConfigureAwait(false);
        await foreach (SkippedItem item in SkippedItemsCodec.ReadAsync(store, point.SkippedItems, cancellationToken, damaged).ConfigureAwait(false))
        {
            yield return item with { Path = SourcePath.FromStored(point.Form, item.Path) };
        }

        Tell(store, damaged);
    }

    /// <summary>Verifies the store.</summary>
    public async Task<VerifyReport> VerifyAsync(VerifyLevel level, JobMonitor monitor, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(monitor);
        monitor.Watch(_objects);
        if (level == VerifyLevel.Packs)
        {
            return await ClosedVault.VerifyPacksAsync(_objects, monitor, cancellationToken).ConfigureAwait(false);
        }

        ChunkStore store = await OpenStoreAsync(cancellationToken).ConfigureAwait(false);
        return await new StoreVerifier(store, monitor).RunAsync(level, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Writes index segments for all packs that no sound segment names, from the packs alone.</summary>
    public async Task<IndexRebuildReport> RebuildIndexAsync(JobMonitor monitor, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(monitor);
        _records.Allow(VaultUse.Write);
        monitor.Watch(_objects);
        ChunkStore store = await OpenStoreAsync(cancellationToken).ConfigureAwait(false);
        return await new IndexRebuild(store, _options, monitor).RunAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The key slots of the opened chunk store.</summary>
    public async Task<IReadOnlyList<KeySlotInfo>> ListKeysAsync(CancellationToken cancellationToken) =>
        [.. (await Keys.ListAsync(_unlocked.StoreId, cancellationToken).ConfigureAwait(false)).Select(slot => Describe(slot.KeyId, slot.Slot))];

    /// <summary>Adds a key slot for another passphrase.</summary>
    /// <exception cref="BackupException">PassphraseInvalid.</exception>
    public async Task<KeySlotInfo> AddKeyAsync(string passphrase, string? label, CancellationToken cancellationToken)
    {
        string keyId = await Keys.AddAsync(_unlocked.StoreId, _unlocked.MasterKey, passphrase, label, cancellationToken).ConfigureAwait(false);
        return await FindKeyAsync(keyId, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Adds a key slot for a key in Azure Key Vault.</summary>
    /// <exception cref="BackupException">KeyVaultKeyTaken, KeyVaultAccessDenied, …</exception>
    public async Task<KeySlotInfo> AddKeyAsync(IKeyEncryptionKey key, string? label, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(key);
        string keyId = await Keys.AddAsync(_unlocked.StoreId, _unlocked.MasterKey, key, label, cancellationToken).ConfigureAwait(false);
        return await FindKeyAsync(keyId, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Adds a slot for the new passphrase, opens it, then removes the slot that opened it. No data are touched.</summary>
    /// <exception cref="BackupException">PassphraseInvalid.</exception>
    public Task<KeySlotInfo> ChangeKeyAsync(string newPassphrase, CancellationToken cancellationToken) =>
        ReplaceKeyAsync(label => Keys.AddAsync(_unlocked.StoreId, _unlocked.MasterKey, newPassphrase, label, cancellationToken), cancellationToken);

    /// <summary>Adds a slot for a Key Vault key, opens it, then removes the slot that opened it: so a new version of a key replaces the old.</summary>
    /// <exception cref="BackupException">KeyVaultKeyTaken, KeyVaultAccessDenied, …</exception>
    public Task<KeySlotInfo> ChangeKeyAsync(IKeyEncryptionKey newKey, CancellationToken cancellationToken) =>
        ReplaceKeyAsync(label => Keys.AddAsync(_unlocked.StoreId, _unlocked.MasterKey, newKey, label, cancellationToken), cancellationToken);

    /// <summary>Removes a key slot, named by its id or the beginning of it; the last one cannot be removed.</summary>
    /// <exception cref="BackupException">KeySlotNotFound, KeySlotIsLast.</exception>
    public async Task RemoveKeyAsync(string keyId, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(keyId);
        KeySlotInfo found = await FindKeyAsync(keyId, cancellationToken).ConfigureAwait(false);
        await Keys.RemoveAsync(_unlocked.StoreId, found.KeyId, cancellationToken).ConfigureAwait(false);
    }

    private async Task<KeySlotInfo> ReplaceKeyAsync(Func<string?, Task<string>> add, CancellationToken cancellationToken)
    {
        string old = _unlocked.KeyId;
        string? label = (await FindKeyAsync(old, cancellationToken).ConfigureAwait(false)).Label;
        string keyId = await add(label).ConfigureAwait(false);
        _unlocked = _unlocked with { KeyId = keyId };
        try
        {
            await Keys.RemoveAsync(_unlocked.StoreId, old, cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException e)
        {
            throw new BackupException(
                e.Id,
                $"The new key slot '{keyId}' opens the vault, and so does the old one, '{old}', still, for it could not be removed: {e.Message}",
                $"Remove it by 'obengine key remove {old}' as somebody who may delete. {e.RecommendedAction}",
                old,
                e.IsTransient,
                e);
        }

        return await FindKeyAsync(keyId, cancellationToken).ConfigureAwait(false);
    }

    private async Task<KeySlotInfo> FindKeyAsync(string keyId, CancellationToken cancellationToken)
    {
        IReadOnlyList<KeySlotInfo> slots = await ListKeysAsync(cancellationToken).ConfigureAwait(false);
        KeySlotInfo[] found = [.. slots.Where(slot => slot.KeyId.StartsWith(keyId, StringComparison.Ordinal))];
        return found.Length == 1
            ? found[0]
            : throw new BackupException(
                BackupErrorId.KeySlotNotFound,
                found.Length == 0 ? $"There is no key slot '{keyId}'." : $"More than one key slot begins with '{keyId}'.",
                "'obengine key list' shows the slots.",
                keyId);
    }

    private KeySlotInfo Describe(string keyId, KeySlot? slot) => new(
        keyId,
        slot?.Label,
        slot?.Kind ?? "damaged",
        slot?.CreatedAt ?? DateTimeOffset.UnixEpoch,
        keyId == _unlocked.KeyId,
        slot?.KeyVaultKey,
        slot?.Kdf);

    // Points that cannot be read, with what the vault tells of them elsewhere.
    private async Task<IReadOnlyList<DamagedPoint>> DescribeAsync(List<PointReading> damaged, CancellationToken cancellationToken)
    {
        if (damaged.Count == 0)
        {
            return [];
        }

        var names = (await MachineDirectory.ListAsync(_objects, _header, cancellationToken).ConfigureAwait(false)).ToLookup(machine => _header.MachineId(machine.Name), machine => machine.Name);
        return
        [
            .. damaged.Select(reading => new DamagedPoint(
                reading.Name.SessionId,
                reading.Name.MachineId,
                names[reading.Name.MachineId].FirstOrDefault(),
                VaultLayout.TimeOf(reading.Name.SessionId),
                reading.Damage!)),
        ];
    }

    /// <summary>Refuses what the vault's records allow newer versions only.</summary>
    internal void Allow(VaultUse use) => _records.Allow(use);

    private static void Tell(ChunkStore store, Action<BackupException>? damaged)
    {
        foreach (BackupException damage in damaged is null ? [] : store.Damage)
        {
            damaged!(damage);
        }
    }

    internal string? MachineId(string? machineName) => machineName is null ? null : _header.MachineId(machineName);

    // Points are sealed objects of their own: their listing needs no index.
    internal RecoveryPointCatalog Catalog() => new(WithoutIndex());

    internal ChunkStore WithoutIndex() => Report(ChunkStore.WithoutIndex(_objects, _header, _unlocked.StoreId, _unlocked.MasterKey, _early));

    internal async Task<ChunkStore> OpenStoreAsync(CancellationToken cancellationToken) =>
        Report(await ChunkStore.OpenAsync(_objects, _header, _unlocked.StoreId, _unlocked.MasterKey, cancellationToken, _early).ConfigureAwait(false));

    private ChunkStore Report(ChunkStore store)
    {
        foreach (BackupException damage in _records.Damage)
        {
            store.Report(damage);
        }

        return store;
    }
}
