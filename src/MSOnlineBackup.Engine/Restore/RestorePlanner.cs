using MSOnlineBackup.Engine.Jobs;
using MSOnlineBackup.Engine.Packs;
using MSOnlineBackup.Engine.RecoveryPoints;
using MSOnlineBackup.Engine.Vaults;

namespace MSOnlineBackup.Engine.Restore;

/// <summary>Says what a restore would do. Reads manifests and the index, looks at the target, fetches and writes nothing.</summary>
/// <param name="store">The opened store.</param>
/// <param name="target">The target; null where it does not exist yet.</param>
internal sealed class RestorePlanner(ChunkStore store, IRestoreTarget? target)
{
    private readonly EntryContentReader _contents = new(store);
    private readonly HardLinks<ManifestEntry> _links = new();
    private readonly HashSet<PackInfo> _packs = new(ReferenceEqualityComparer.Instance);
    private readonly ReadBatch _batch = new();
    private EntryPath? _absent;
    private long _files;
    private long _directories;
    private long _others;
    private long _bytes;
    private long _packBytes;
    private long _conflicts;
    private long _unrestorable;

    /// <summary>Makes the plan.</summary>
    /// <exception cref="Errors.BackupException">RecoverableItemNotFound.</exception>
    public async Task<RestorePlan> PlanAsync(RestoreRequest request, JobMonitor monitor, CancellationToken cancellationToken)
    {
        monitor.Enter(JobPhase.Planning);
        RestoreSelection selection = await RestoreSelection.ResolveAsync(request, store, cancellationToken).ConfigureAwait(false);

        // The restore meets the same damage again, and reports it where it counts.
        await foreach (SelectedEntry selected in selection.ReadAsync(_ => _unrestorable++, cancellationToken).ConfigureAwait(false))
        {
            Placement placement = PlacementOf(selected, request.Conflict);
            if (selected.Entry.IsRestorable())
            {
                await CountAsync(selected.Entry, placement, cancellationToken).ConfigureAwait(false);
            }
            else
            {
                _unrestorable++;
                _directories += selected.Entry.Kind == EntryKind.Directory ? 1 : 0;
            }
        }

        await CountReadsAsync(cancellationToken).ConfigureAwait(false);
        return new RestorePlan(request, _files, _directories, _others, _bytes, _packBytes, _packs.Count, _conflicts, _unrestorable);
    }

    // Below a folder that is not there nothing is there: not even asked.
    private Placement PlacementOf(SelectedEntry selected, RestoreConflict conflict)
    {
        bool isAbsent = target is null || (_absent is { } absent && selected.Place.IsAtOrBelow(absent));
        ManifestEntry? existing = isAbsent ? null : target!.Find(selected.Place);
        if (!isAbsent && existing is null && selected.Entry.Kind == EntryKind.Directory)
        {
            _absent = selected.Place;
        }

        Placement placement = ConflictRule.Decide(selected.Entry, existing, conflict);
        _conflicts += placement is Placement.Free or Placement.Merge ? 0 : 1;
        return placement;
    }

    private async ValueTask CountAsync(ManifestEntry entry, Placement placement, CancellationToken cancellationToken)
    {
        if (placement is Placement.AlreadyThere or Placement.Skip)
        {
            return;
        }

        switch (entry.Kind)
        {
            case EntryKind.Directory:
                _directories++;
                break;
            case EntryKind.File:
                _files++;
                if (!_links.TryGetFirst(entry, out _))
                {
                    _links.Add(entry, entry);
                    await CountContentAsync(entry, cancellationToken).ConfigureAwait(false);
                }

                break;
            default:
                _others++;
                break;
        }
    }

    private async ValueTask CountContentAsync(ManifestEntry entry, CancellationToken cancellationToken)
    {
        _batch.BeginFile(entry.Content);
        try
        {
            await foreach (ContentSlice slice in _contents.ReadAsync(entry.Content, cancellationToken).ConfigureAwait(false))
            {
                if (slice.Chunk is { } chunk)
                {
                    _bytes += slice.Length;
                    _batch.Add(chunk, new ChunkUse(null, 0, slice.Offset, (int)slice.Length));
                }

                if (_batch.IsFull)
                {
                    await CountReadsAsync(cancellationToken).ConfigureAwait(false);
                }
            }
        }
        catch (Errors.BackupException fault) when (fault.IsDamage)
        {
            _unrestorable++;
        }
    }

    private async ValueTask CountReadsAsync(CancellationToken cancellationToken)
    {
        foreach (PackRead read in await _batch.TakeReadsAsync(store, cancellationToken).ConfigureAwait(false))
        {
            if (read.Pack is { } pack)
            {
                _packs.Add(pack);
                _packBytes += read.Length;
            }
        }
    }
}
