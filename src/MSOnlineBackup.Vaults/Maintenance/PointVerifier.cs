using System.Collections.Concurrent;
using System.Globalization;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Index;
using MSOnlineBackup.Vaults.Packs;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Vaults.Maintenance;

/// <summary>Verifies the recovery points of a chunk store: themselves, their manifests, and that everything they name is there.</summary>
/// <param name="store">The store, its packs surveyed.</param>
/// <param name="monitor">Counts entries.</param>
/// <param name="problems">Gets what is wrong.</param>
/// <param name="damaged">Chunks that are known not to open.</param>
/// <param name="named">The packs that index segments name.</param>
internal sealed class PointVerifier(ChunkStore store, JobMonitor monitor, ProblemList problems, HashSet<ChunkId> damaged, HashSet<PackInfo> named) : IChunkReader
{
    private readonly ConcurrentDictionary<PackInfo, byte> _unindexed = new();
    private readonly HashSet<ChunkId> _soundLists = [];
    private readonly List<UnfinishedSession> _unfinished = [];
    private ILookup<string, string>? _newest;
    private (ChunkId Id, int Length) _last;

    /// <summary>Points that can be read.</summary>
    public int Points { get; private set; }

    /// <summary>Entries of all points together.</summary>
    public long Entries { get; private set; }

    /// <summary>Entries that were looked at.</summary>
    public long DistinctEntries { get; private set; }

    /// <summary>Packs that something needs and no segment names.</summary>
    public IReadOnlyCollection<PackInfo> Unindexed => [.. _unindexed.Keys];

    /// <summary>The newest point of a machine, by name; null where it has none.</summary>
    public string? NewestOf(string machineId) => _newest?[machineId].FirstOrDefault();

    /// <summary>Sessions newer than the newest point of their machine.</summary>
    public IReadOnlyList<UnfinishedSession> Unfinished => _unfinished;

    public async Task RunAsync(Inventory inventory, CancellationToken cancellationToken)
    {
        var catalog = new RecoveryPointCatalog(store);
        List<PointName> names = await catalog.ListNamesAsync(null, cancellationToken).ConfigureAwait(false);
        var present = names.Select(name => (name.MachineId, name.SessionId)).ToHashSet();
        var walk = new ManifestWalk(this);
        await foreach (PointReading reading in catalog.ReadAsync(names, cancellationToken).ConfigureAwait(false))
        {
            if (reading.Point is not { } point)
            {
                problems.Note(reading.Damage!, new AffectedItem(reading.Name.SessionId, null, null));
                continue;
            }

            Points++;
            Entries += point.Sources.Sum(source => source.Manifest.Entries);
            if (point.ParentSessionId is { } parent && !present.Contains((point.MachineId, parent)))
            {
                string name = VaultLayout.Point(store.StoreId, point.MachineId, parent);
                problems.Note(VaultDamage.Missing(name, $"Recovery point {point.SessionId[..12]} of '{point.MachineName}' goes on from an earlier one, which was deleted or lost:"));
            }

            await VerifyListsAsync(point, cancellationToken).ConfigureAwait(false);
            foreach (RecoveryPointSource source in point.Sources)
            {
                await foreach (WalkedLeaf leaf in walk.ReadAsync(source.Manifest, cancellationToken).ConfigureAwait(false))
                {
                    await VerifyAsync(point, source, leaf, cancellationToken).ConfigureAwait(false);
                }
            }
        }

        FindUnfinished(inventory, names);
    }

    bool IChunkReader.Contains(ChunkId id) => store.Contains(id);

    // Blocks of manifests too are in packs that a segment should name.
    ValueTask<ReadOnlyMemory<byte>> IChunkReader.ReadAsync(ChunkKind kind, ChunkId id, CancellationToken cancellationToken)
    {
        if (store.Index.TryFind(id, out ChunkLocation location))
        {
            NotePack(id, location);
        }

        return store.ReadAsync(kind, id, cancellationToken);
    }

    private async Task VerifyAsync(RecoveryPoint point, RecoveryPointSource source, WalkedLeaf leaf, CancellationToken cancellationToken)
    {
        while (leaf.MoveNext())
        {
            DistinctEntries++;
            monitor.AddItem(leaf.Kind == EntryKind.File);
            if (leaf.Kind == EntryKind.File)
            {
                ManifestEntry entry = leaf.Current;
                if (await FindDamageAsync(entry.Content, cancellationToken).ConfigureAwait(false) is { Count: > 0 } faults)
                {
                    var affected = new AffectedItem(point.SessionId, source.ShownPath, SourcePath.Join(source, entry.Path));
                    foreach (BackupException fault in faults)
                    {
                        // Every point that has the file is named, until there are enough.
                        leaf.IsSettled &= !problems.Note(fault, affected);
                    }
                }
            }
        }

        if (leaf.Damage is { } damage)
        {
            problems.Note(damage, new AffectedItem(point.SessionId, source.ShownPath, null));
        }
    }

    private async Task VerifyListsAsync(RecoveryPoint point, CancellationToken cancellationToken)
    {
        foreach (ChunkId id in point.SkippedItems.Where(id => !_soundLists.Contains(id)))
        {
            try
            {
                SkippedItemsCodec.Read(id, (await ((IChunkReader)this).ReadAsync(ChunkKind.SkippedItems, id, cancellationToken).ConfigureAwait(false)).Span);
                _soundLists.Add(id);
            }
            catch (BackupException e) when (e.IsDamage)
            {
                problems.Note(e, new AffectedItem(point.SessionId, null, null));
            }
        }
    }

    // Null where the content is whole.
    private async ValueTask<List<BackupException>?> FindDamageAsync(EntryContent content, CancellationToken cancellationToken)
    {
        List<BackupException>? faults = null;
        foreach (ContentSlice slice in content.Slices)
        {
            if (FindDamage(slice) is { } fault)
            {
                (faults ??= []).Add(fault);
            }
        }

        foreach (SliceListReference list in content.Lists)
        {
            if (_soundLists.Contains(list.Id))
            {
                continue;
            }

            if (await FindDamageAsync(list, cancellationToken).ConfigureAwait(false) is { Count: > 0 } found)
            {
                (faults ??= []).AddRange(found);
            }
            else
            {
                _soundLists.Add(list.Id);
            }
        }

        return faults;
    }

    private async ValueTask<List<BackupException>?> FindDamageAsync(SliceListReference list, CancellationToken cancellationToken)
    {
        try
        {
            List<BackupException>? faults = null;
            foreach (ContentSlice slice in await new EntryContentReader(this).ReadListAsync(list, cancellationToken).ConfigureAwait(false))
            {
                if (FindDamage(slice) is { } fault)
                {
                    (faults ??= []).Add(fault);
                }
            }

            return faults;
        }
        catch (BackupException e) when (e.IsDamage)
        {
            return [e];
        }
    }

    private BackupException? FindDamage(ContentSlice slice)
    {
        if (slice.Chunk is not { } id)
        {
            return null;
        }

        // Small files lie in one bundle, one after the other.
        if (id != _last.Id)
        {
            if (!store.Index.TryFind(id, out ChunkLocation location))
            {
                return VaultDamage.Missing(id.ToString(), "Chunk");
            }

            if (damaged.Contains(id))
            {
                return VaultDamage.Unopened(id.ToString());
            }

            if (location.Chunk.Kind != ChunkKind.Content)
            {
                return VaultDamage.Corrupt(id.ToString(), "a file names it, and it holds no file's content");
            }

            NotePack(id, location);
            _last = (id, location.Chunk.RawLength);
        }

        return slice.Offset + slice.Length <= _last.Length
            ? null
            : VaultDamage.Corrupt(id.ToString(), string.Create(CultureInfo.InvariantCulture, $"a file names bytes up to {slice.Offset + slice.Length} of it, and it has {_last.Length}"));
    }

    private void NotePack(ChunkId id, in ChunkLocation location)
    {
        if (!named.Contains(location.Pack) && !store.Index.FindAll(id).Any(copy => named.Contains(copy.Pack)))
        {
            _unindexed.TryAdd(location.Pack, 0);
        }
    }

    private void FindUnfinished(Inventory inventory, IReadOnlyList<PointName> names)
    {
        // Newest first: the first of each machine is its newest.
        _newest = names.ToLookup(name => name.MachineId, name => name.SessionId);
        foreach ((string session, SessionRecord record) in inventory.WithoutPoint(store.StoreId))
        {
            if (record.MachineId is { } machine && string.CompareOrdinal(session, NewestOf(machine)) > 0)
            {
                _unfinished.Add(new UnfinishedSession(session, machine, record.Started));
            }
        }

        _unfinished.Sort((x, y) => string.CompareOrdinal(y.SessionId, x.SessionId));
    }
}
