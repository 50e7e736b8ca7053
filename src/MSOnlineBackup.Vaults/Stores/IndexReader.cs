using System.Collections.Concurrent;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Index;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Packs;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Vaults.Stores;

/// <summary>
/// Reads the index of a store from its segments, and keeps it up to date. What this machine has in a cache need not be read again: a segment never changes, nor do the packs
/// that it names.
/// </summary>
/// <param name="store">The store.</param>
/// <param name="cache">Where the indexes of great stores lie on this machine; null for none.</param>
internal sealed class IndexReader(ChunkStore store, IndexCache? cache)
{
    private const int MostRefreshes = 5;

    // So many records are taken in one segment after the other: what is read would otherwise wait in memory for those before it.
    private const int GreatLength = IndexSegment.MaxRecords / 4 * IndexSegment.RecordLength;

    private static readonly SemaphoreSlim _great = new(1);

    private readonly ConcurrentDictionary<string, PackInfo[]> _segmentPacks = new(StringComparer.Ordinal);

    // Segments that were listed, and could not be found.
    private readonly ConcurrentDictionary<string, BackupException> _vanished = new(StringComparer.Ordinal);

    /// <summary>The names and lengths of the index segments that were read, or that a cache stands for.</summary>
    public IReadOnlySet<(string Name, long Length)> Segments { get; private set; } = new HashSet<(string, long)>();

    /// <summary>The packs that each of those names which could be read.</summary>
    public IReadOnlyDictionary<string, PackInfo[]> SegmentPacks => _segmentPacks;

    /// <summary>Whether a cache stands for any of them.</summary>
    public bool IsCached { get; private set; }

    /// <summary>Notes that a segment was written which names these packs, or, with null, that one was deleted.</summary>
    public void Note(string name, PackInfo[]? packs)
    {
        if (packs is null)
        {
            _segmentPacks.TryRemove(name, out _);
        }
        else
        {
            _segmentPacks[name] = packs;
        }
    }

    /// <summary>Those that are there now.</summary>
    public ValueTask<HashSet<(string Name, long Length)>> ListAsync(CancellationToken cancellationToken) => store.Objects
        .ListAsync(VaultLayout.Segments(store.StoreId), cancellationToken)
        .Select(found => (found.Name, found.Length))
        .ToHashSetAsync(cancellationToken: cancellationToken);

    /// <summary>Reads the index; once.</summary>
    /// <param name="afresh">Whether the segments themselves are read, whatever a cache says of them: for whoever wants to know whether they are whole.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task ReadAsync(bool afresh, CancellationToken cancellationToken)
    {
        List<StoredObject> segments = await store.Early.ListAsync(VaultLayout.Segments(store.StoreId), cancellationToken).ToListAsync(cancellationToken).ConfigureAwait(false);
        bool isGreat = cache is not null && segments.Sum(found => found.Length) / IndexSegment.RecordLength >= cache.Bounds.Smallest;
        if (isGreat && !afresh && cache!.TryRead() is { } cached)
        {
            TakeIn(cached, segments);
        }

        await LoadAsync([.. segments.Where(found => !Segments.Contains((found.Name, found.Length)))], cancellationToken).ConfigureAwait(false);
        if (!_vanished.IsEmpty)
        {
            await RefreshAsync(cancellationToken).ConfigureAwait(false);
        }

        if (isGreat)
        {
            store.Index.Save(cache!, Segments.Where(segment => _segmentPacks.ContainsKey(segment.Name)).Select(segment => (segment.Name, segment.Length, _segmentPacks[segment.Name])));
        }
    }

    /// <summary>
    /// Reads the index segments that have come since. A collector writes segments anew, and deletes the old ones: what was listed and could not be found is damage only where
    /// it is still listed.
    /// </summary>
    /// <returns>The names of the segments that are there.</returns>
    public async Task<IReadOnlySet<string>> RefreshAsync(CancellationToken cancellationToken)
    {
        for (int times = 0; ; times++)
        {
            BackupException[] vanished = [.. _vanished.Values];
            _vanished.Clear();
            List<StoredObject> segments = await store.Objects.ListAsync(VaultLayout.Segments(store.StoreId), cancellationToken).ToListAsync(cancellationToken).ConfigureAwait(false);
            HashSet<string> names = [.. segments.Select(found => found.Name)];
            foreach (BackupException missing in vanished.Where(missing => names.Contains(missing.Target!)))
            {
                store.Report(missing);
            }

            await LoadAsync([.. segments.Where(found => !Segments.Contains((found.Name, found.Length)))], cancellationToken).ConfigureAwait(false);
            if (_vanished.IsEmpty || times == MostRefreshes)
            {
                return names;
            }
        }
    }

    // Of a segment that is gone nothing counts but what others name too: the rest is as if it had never been read.
    private void TakeIn(CachedIndex cached, List<StoredObject> segments)
    {
        HashSet<(string Name, long Length)> present = [.. segments.Select(found => (found.Name, found.Length))];
        List<CachedSegment> covered = [.. cached.Segments.Where(segment => present.Contains((segment.Name, segment.Length)))];
        bool[] counts = new bool[cached.Packs.Count];
        foreach (int pack in covered.SelectMany(segment => segment.Packs))
        {
            counts[pack] = true;
        }

        store.Index.AddCached(cached, pack => counts[pack]);
        foreach (CachedSegment segment in covered)
        {
            _segmentPacks[segment.Name] = Array.ConvertAll(segment.Packs, pack => cached.Packs[pack]);
        }

        Segments = covered.Select(segment => (segment.Name, segment.Length)).ToHashSet();
        IsCached = covered.Count > 0;
    }

    private Task LoadAsync(List<StoredObject> segments, CancellationToken cancellationToken)
    {
        Segments = Segments.Concat(segments.Select(found => (found.Name, found.Length))).ToHashSet();

        // Most segments are small, and each backup adds one. What this session has written of packs that are known need not be read.
        var options = new ParallelOptions { CancellationToken = cancellationToken, MaxDegreeOfParallelism = 2 * store.Objects.Capabilities.MaxConcurrency };
        return Parallel.ForEachAsync(segments.Where(found => !_segmentPacks.ContainsKey(found.Name)), options, LoadAsync);
    }

    private async ValueTask LoadAsync(StoredObject segment, CancellationToken cancellationToken)
    {
        if (!VaultLayout.TryParseNumbered(segment.Name, out _, out _))
        {
            return;
        }

        bool isGreat = segment.Length >= GreatLength;
        if (isGreat)
        {
            await _great.WaitAsync(cancellationToken).ConfigureAwait(false);
        }

        try
        {
            (ReadOnlyMemory<byte> plaintext, SealedObjectKind kind) = await store.ReadSealedAsync(segment.Name, segment.Length, cancellationToken).ConfigureAwait(false);
            if (!Enum.IsDefined(kind))
            {
                return;
            }

            if (kind != SealedObjectKind.IndexSegment)
            {
                throw VaultDamage.Corrupt(segment.Name, "it is not an index segment");
            }

            IReadOnlyList<PackInfo> foreigners = store.Index.AddSegment(segment.Name, plaintext.Span, out PackInfo[] packs);
            _segmentPacks[segment.Name] = packs;
            if (cache is not null)
            {
                store.Index.Spill(cache);
            }

            foreach (PackInfo foreign in foreigners)
            {
                store.Report(new BackupException(
                    BackupErrorId.VaultFormatUnsupported,
                    $"Pack '{store.NameOf(foreign)}' is of a kind, or sealed in a way, that this version does not know.",
                    "Use the newest version of MSOnlineBackup that backs up into this vault.",
                    store.NameOf(foreign)));
            }
        }
        catch (BackupException e) when (e.Id == BackupErrorId.VaultDataMissing)
        {
            _vanished[segment.Name] = e;
        }
        catch (BackupException e) when (e.IsOfOneObject)
        {
            // What it named stands in the packs' own footers too.
            store.Report(e);
        }
        finally
        {
            if (isGreat)
            {
                _great.Release();
            }
        }
    }
}
