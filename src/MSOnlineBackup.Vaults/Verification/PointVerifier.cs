using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Vaults.Verification;

/// <summary>
/// Verifies the recovery points of a chunk store: themselves, their manifests, and that everything they name is there. Each block of a manifest is looked at
/// once, however many points have it. Only where something is wrong, the points are gone through again, to tell what suffers: <see cref="DamageTrace"/>.
/// </summary>
/// <param name="store">The store, its packs surveyed.</param>
/// <param name="monitor">Counts entries.</param>
/// <param name="problems">Gets what is wrong.</param>
/// <param name="chunks">The store's chunks.</param>
/// <param name="damaged">Chunks that are known not to open.</param>
internal sealed class PointVerifier(ChunkStore store, JobMonitor monitor, ProblemList problems, PointChunks chunks, IReadOnlySet<ChunkId> damaged)
{
    private readonly ContentVerifier _contents = new(chunks, damaged);

    // By what is damaged.
    private readonly ConcurrentDictionary<string, BackupException> _found = new(StringComparer.Ordinal);
    private bool _areListsWhole = true;
    private long _distinctEntries;

    /// <summary>Points that can be read.</summary>
    public int Points { get; private set; }

    /// <summary>Entries of all points together.</summary>
    public long Entries { get; private set; }

    /// <summary>Entries that were looked at.</summary>
    public long DistinctEntries => _distinctEntries;

    /// <summary>Whether anything that a point needs is not there, or cannot be read.</summary>
    public bool MissesAnything => !_found.IsEmpty;

    /// <summary>Verifies points.</summary>
    /// <param name="names">The names of the points, newest first.</param>
    /// <param name="known">All points that are there, and those that somebody has deleted: any of them may be gone on from.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task RunAsync(
        IReadOnlyList<PointName> names, IReadOnlySet<(MachineId MachineId, SessionId SessionId)> known, CancellationToken cancellationToken)
    {
        var walk = new BlockWalk(chunks, Math.Max(Environment.ProcessorCount, store.Objects.Capabilities.MaxConcurrency));
        await walk.RunAsync(ReadPointsAsync(names, known, cancellationToken), VisitAsync, cancellationToken).ConfigureAwait(false);
        if (walk.IsAllSettled && _areListsWhole)
        {
            return;
        }

        await new DamageTrace(store, problems, chunks, _contents, walk).RunAsync(names, cancellationToken).ConfigureAwait(false);

        // What can be read by now could not be read before: that stays told.
        foreach (BackupException damage in _found.Values)
        {
            problems.Note(damage);
        }
    }

    // Verifies each point alone, and gives its manifests.
    private async IAsyncEnumerable<ManifestRoot> ReadPointsAsync(
        IReadOnlyList<PointName> names, IReadOnlySet<(MachineId MachineId, SessionId SessionId)> known, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (PointReading reading in new RecoveryPointCatalog(store).ReadAsync(names, cancellationToken).ConfigureAwait(false))
        {
            if (reading.Point is not { } point)
            {
                problems.Note(reading.Damage!, new AffectedItem(reading.Name.SessionId, null, null));
                continue;
            }

            Points++;
            Entries += point.Sources.Sum(source => source.Manifest.Entries);
            if (point.ParentSessionId is { } parent && !known.Contains((point.MachineId, parent))
                && !await CopiedPoints.HasAsync(store, point.MachineId, point.SessionId, cancellationToken).ConfigureAwait(false))
            {
                string name = VaultLayout.Point(store.StoreId, point.MachineId, parent);
                problems.Note(VaultDamage.Missing(name, $"Recovery point {point.SessionId.ToShortString()} of '{point.MachineName}' goes on from an "
                    + "earlier one, which was deleted or lost:"));
            }

            foreach (ChunkId list in point.SkippedItems)
            {
                if (await _contents.FindDamageAsync(list, cancellationToken).ConfigureAwait(false) is { } damage)
                {
                    _areListsWhole = false;
                    Keep(damage);
                }
            }

            foreach (RecoveryPointSource source in point.Sources)
            {
                yield return source.Manifest;
            }
        }
    }

    private async ValueTask VisitAsync(WalkedLeaf leaf, CancellationToken cancellationToken)
    {
        var last = new ContentVerifier.LastChunk();
        long entries = 0;
        while (leaf.MoveNext())
        {
            entries++;
            monitor.AddItem(leaf.Kind == EntryKind.File);
            foreach (ItemContent part in leaf.Contents)
            {
                if (await _contents.FindDamageAsync(part.Content, last, cancellationToken).ConfigureAwait(false) is { } faults)
                {
                    leaf.IsSettled = false;
                    foreach (BackupException fault in faults)
                    {
                        Keep(fault);
                    }
                }
            }
        }

        if (leaf.Damage is { } damage)
        {
            Keep(damage);
        }

        Interlocked.Add(ref _distinctEntries, entries);
    }

    private void Keep(BackupException damage) => _found.TryAdd(damage.Target ?? string.Empty, damage);
}
