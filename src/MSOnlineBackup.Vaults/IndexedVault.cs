using System.Runtime.CompilerServices;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Index;
using MSOnlineBackup.Vaults.Maintenance;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.Proofs;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Repair;
using MSOnlineBackup.Vaults.Stores;
using MSOnlineBackup.Vaults.Telemetry;
using MSOnlineBackup.Vaults.Verification;

namespace MSOnlineBackup.Vaults;

/// <summary>
/// An unlocked vault whose index has been read: what its recovery points hold, and whether all of it is whole. It knows what was there when its index was read;
/// <see cref="IsCurrentAsync"/> says whether more has come since. It lives as long as its <see cref="UnlockedVault"/>.
/// </summary>
public sealed class IndexedVault
{
    private readonly ChunkStore _store;
    private int _isUsed;

    internal IndexedVault(UnlockedVault vault, ChunkStore store) => (Vault, _store) = (vault, Reconstruction.On(store));

    /// <summary>What needs no index.</summary>
    public UnlockedVault Vault { get; }

    /// <summary>The chunk store, for whoever reads from it.</summary>
    internal ChunkStore Store
    {
        get
        {
            _isUsed = 1;
            return _store;
        }
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
        await foreach (RecoverableItem item in new RecoveryPointBrowser(Store, point, damaged).ListAsync(path, recursive, cancellationToken).ConfigureAwait(false))
        {
            yield return item;
        }

        Tell(damaged);
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
        var search = new ItemSearch(Store, pattern, ignoreCase);
        foreach (RecoveryPoint point in points)
        {
            await foreach (RecoverableItem item in search.FindAsync(point, damaged, cancellationToken).ConfigureAwait(false))
            {
                yield return new FoundItem(point, item);
            }
        }

        Tell(damaged);
    }

    /// <summary>
    /// In which versions points have the items that match a pattern: by machine, in the order of full paths, and of each item the newest version first. What the points of
    /// a machine share is read once.
    /// </summary>
    /// <param name="points">The points, in any order.</param>
    /// <param name="pattern">As for <see cref="FindItemsAsync(RecoveryPoint, string, bool, CancellationToken)"/>.</param>
    /// <param name="ignoreCase">Whether capital and small letters are the same; in points of Windows they always are.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <param name="damaged">Gets what of the vault cannot be read, and the search goes on behind it; where it is null, that is thrown.</param>
    /// <exception cref="BackupException">PatternInvalid.</exception>
    public async IAsyncEnumerable<ItemVersion> FindVersionsAsync(
        IEnumerable<RecoveryPoint> points,
        string pattern,
        bool ignoreCase,
        [EnumeratorCancellation] CancellationToken cancellationToken,
        Action<BackupException>? damaged = null)
    {
        ArgumentNullException.ThrowIfNull(points);
        var search = new VersionSearch(Store, pattern, ignoreCase, damaged ?? (fault => throw fault));
        await foreach (ItemVersion version in search.FindAsync(points, cancellationToken).ConfigureAwait(false))
        {
            yield return version;
        }

        Tell(damaged);
    }

    /// <summary>
    /// How the items of a point differ from those of another, by their full paths. It costs what differs, not what the points have in common: of content only small
    /// files are read that may be the same ones. What is new is weighed where the reference is the earlier of the two.
    /// </summary>
    /// <param name="reference">The point that the other is compared with.</param>
    /// <param name="point">The point.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <param name="damaged">Gets what of the vault cannot be read, and the comparison goes on behind it; where it is null, that is thrown.</param>
    public IAsyncEnumerable<PointDifference> CompareAsync(
        RecoveryPoint reference, RecoveryPoint point, CancellationToken cancellationToken, Action<BackupException>? damaged = null)
    {
        ArgumentNullException.ThrowIfNull(reference);
        ArgumentNullException.ThrowIfNull(point);
        return CompareAsync(reference, point, tellsStoredAnew: false, damaged, cancellationToken);
    }

    /// <summary>What a point adds to an earlier one, by folder, the heaviest first: each folder with all that is below it.</summary>
    /// <param name="reference">The earlier point.</param>
    /// <param name="point">The point.</param>
    /// <param name="depth">How many folders below a source's root are told by themselves, from 0.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <param name="damaged">Gets what of the vault cannot be read, and what it is about counts for nothing; where it is null, that is thrown.</param>
    /// <returns>The folders, at most 50,000: where there are more, those that lie deepest are left out.</returns>
    /// <exception cref="BackupException">ArgumentInvalid: the reference is not the earlier one.</exception>
    public async Task<IReadOnlyList<FolderWeight>> WeighFoldersAsync(
        RecoveryPoint reference, RecoveryPoint point, int depth, CancellationToken cancellationToken, Action<BackupException>? damaged = null)
    {
        ArgumentNullException.ThrowIfNull(reference);
        ArgumentNullException.ThrowIfNull(point);
        ArgumentOutOfRangeException.ThrowIfNegative(depth);
        if (reference.SessionId.CompareTo(point.SessionId) > 0)
        {
            throw new BackupException(
                BackupErrorId.ArgumentInvalid,
                $"The recovery point {reference.SessionId.ToShortString()} is later than {point.SessionId.ToShortString()}: what a point adds is told by one before it.",
                "Name the earlier point as the reference.",
                reference.SessionId.ToString());
        }

        var folders = new FolderWeights(depth);
        await foreach (PointDifference difference in CompareAsync(reference, point, tellsStoredAnew: true, damaged, cancellationToken).ConfigureAwait(false))
        {
            folders.Add(difference);
        }

        return folders.ToList();
    }

    /// <summary>Opens a file of a point: a stream that reads from the vault as it is read, from any position. For one reader at a time.</summary>
    /// <param name="item">The file.</param>
    /// <exception cref="BackupException">RestoreItemFailed: it is no file, or the point has no content of it.</exception>
    public Stream OpenRead(RecoverableItem item) => new ItemStream(Store, FileOf(item));

    /// <summary>
    /// The bytes of a file of a point in order, in pieces, for whoever reads many of them: faster than a stream, because the next ones are fetched and opened meanwhile.
    /// </summary>
    /// <param name="item">The file.</param>
    /// <param name="offset">Where to begin, from 0; behind the file's end there is nothing.</param>
    /// <param name="length">How many bytes at most.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">RestoreItemFailed: it is no file, or the point has no content of it. VaultDataCorrupt, VaultDataMissing and the like, when all
    /// before it was given out.</exception>
    public IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync(RecoverableItem item, long offset, long length, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        return new ItemCopy(Store, FileOf(item)).ReadAsync(offset, length, cancellationToken);
    }

    /// <summary>What a backup skipped.</summary>
    /// <param name="point">The point.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <param name="damaged">Gets what of the vault cannot be read, and the list goes on behind it; where it is null, what is needed and cannot be read is thrown.</param>
    public async IAsyncEnumerable<SkippedItem> ListSkippedAsync(
        RecoveryPoint point, [EnumeratorCancellation] CancellationToken cancellationToken, Action<BackupException>? damaged = null)
    {
        ArgumentNullException.ThrowIfNull(point);
        await foreach (SkippedItem item in SkippedItemsCodec.ReadAsync(Store, point.SkippedItems, cancellationToken, damaged).ConfigureAwait(false))
        {
            yield return item with { Path = SourcePath.FromStored(point.Form, item.Path) };
        }

        Tell(damaged);
    }

    /// <summary>Verifies the vault as far as this key goes.</summary>
    /// <param name="level">How deep.</param>
    /// <param name="monitor">Is told how far it is.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <param name="keepsRecord">Whether the vault is to keep on record which packs were read, with <see cref="VerifyLevel.Data"/>, and which are damaged or missing, as far as this identity may add to it.</param>
    public Task<VerifyReport> VerifyAsync(VerifyLevel level, JobMonitor monitor, CancellationToken cancellationToken, bool keepsRecord = false)
    {
        ArgumentNullException.ThrowIfNull(monitor);
        monitor.Watch(Vault.Objects);
        return TracedOperation.RunAsync("verify", Vault.Options.TimeProvider, () => VerifyAtLevelAsync(level, monitor, keepsRecord, cancellationToken));
    }

    private async Task<VerifyReport> VerifyAtLevelAsync(VerifyLevel level, JobMonitor monitor, bool keepsRecord, CancellationToken cancellationToken)
    {
        if (level == VerifyLevel.Packs)
        {
            return await Vaults.Vault.VerifyPacksAsync(Vault.Objects, monitor, cancellationToken).ConfigureAwait(false);
        }

        ChunkStore store = await AfreshAsync(cancellationToken).ConfigureAwait(false);
        var found = new PackFindings(store);
        VerifyReport report = await new StoreVerifier(store, monitor, CollectionRecords.FindDamageAsync, found.Note)
            .RunAsync(level, cancellationToken).ConfigureAwait(false);
        try
        {
            if (keepsRecord)
            {
                await found.RecordAsync(cancellationToken).ConfigureAwait(false);
                await MetDamage.RecordAsync(store, monitor, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (BackupException e) when (e.Id is BackupErrorId.VaultAccessDenied or BackupErrorId.VaultFull)
        {
            monitor.Note($"What was verified is not on record: {e.Message}");
        }

        return report;
    }

    /// <summary>Writes index segments for all packs that no sound segment names, from the packs alone.</summary>
    public async Task<IndexRebuildReport> RebuildIndexAsync(JobMonitor monitor, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(monitor);
        Vault.Allow(VaultUse.Write);
        monitor.Watch(Vault.Objects);
        ChunkStore store = await AfreshAsync(cancellationToken).ConfigureAwait(false);
        return await new IndexRebuild(store, Vault.Options, monitor).RunAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Whether what is known of the vault may still be relied on: nobody has added to its index since it was read, or replaced parts of it, and nothing was met that
    /// could not be read, for that may have been mended.
    /// </summary>
    public async Task<bool> IsCurrentAsync(CancellationToken cancellationToken) =>
        !_store.HasMetTrouble && _store.Segments.SetEquals(await _store.ListSegmentsAsync(cancellationToken).ConfigureAwait(false));

    private async IAsyncEnumerable<PointDifference> CompareAsync(
        RecoveryPoint reference, RecoveryPoint point, bool tellsStoredAnew, Action<BackupException>? damaged, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        NewContent? weights = reference.SessionId.CompareTo(point.SessionId) < 0 ? new NewContent(Store, id => FindNew(id, reference.SessionId)) : null;
        var comparison = new PointComparison(Store, reference, point, weights, damaged ?? (fault => throw fault)) { TellsStoredAnew = tellsStoredAnew };
        await foreach (PointDifference difference in comparison.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            yield return difference;
        }

        Tell(damaged);
    }

    private static ManifestEntry FileOf(RecoverableItem item)
    {
        ArgumentNullException.ThrowIfNull(item);
        if (!item.Entry.IsRestorable())
        {
            throw item.Entry.Unrestorable(item.FullPath);
        }

        return item.Entry.Kind == EntryKind.File
            ? item.Entry
            : throw new BackupException(BackupErrorId.RestoreItemFailed, $"'{item.FullPath}' is not a file: only files are read.", "Name a file.", item.FullPath);
    }

    // A chunk of which no copy lies in a pack of the reference's time.
    private NewChunk? FindNew(ChunkId id, SessionId reference)
    {
        IReadOnlyList<ChunkLocation> copies = _store.Index.FindAll(id);
        return copies.Count == 0 || copies.Any(copy => copy.Pack.Session.CompareTo(reference) <= 0)
            ? null
            : new NewChunk(copies[0].Chunk.RawLength, copies[0].Chunk.StoredLength);
    }

    // What was found out by reading (packs that are gone, copies that do not open), and what a cache says, must hide nothing from who looks at the whole.
    private async Task<ChunkStore> AfreshAsync(CancellationToken cancellationToken) =>
        Interlocked.Exchange(ref _isUsed, 1) == 0 && !_store.IsIndexCached ? _store : Reconstruction.On(await Vault.OpenStoreAsync(cancellationToken, afresh: true).ConfigureAwait(false));

    private void Tell(Action<BackupException>? damaged)
    {
        foreach (BackupException damage in damaged is null ? [] : _store.Damage)
        {
            damaged!(damage);
        }
    }
}
