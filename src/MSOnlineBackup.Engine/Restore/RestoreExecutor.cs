using MSOnlineBackup.Engine.Errors;
using MSOnlineBackup.Engine.Jobs;
using MSOnlineBackup.Engine.RecoveryPoints;
using MSOnlineBackup.Engine.Vaults;

namespace MSOnlineBackup.Engine.Restore;

/// <summary>
/// Carries a plan out: walks the selection in manifest order, makes folders and special files as it meets them, and hands
/// what files need to the <see cref="PackPump"/> in batches. A file is completed by whoever writes its last byte, a folder by
/// whoever finishes the last thing in it.
/// </summary>
internal sealed class RestoreExecutor
{
    private const int MaxNamesTried = 1000;

    private readonly ChunkStore _store;
    private readonly RestoreRequest _request;
    private readonly RestoreJob _job;
    private readonly CopyNaming _names;
    private readonly PackPump _pump;
    private readonly EntryContentReader _contents;
    private readonly HardLinks<RestoreFile> _links = new();
    private readonly HardLinks<ManifestEntry> _specials = new();
    private readonly Stack<RestoreFolder> _folders = new();
    private readonly ReadBatch _batch = new();

    private RestoreExecutor(ChunkStore store, RestoreRequest request, RestoreJob job, CopyNaming names, int workers)
    {
        _store = store;
        _request = request;
        _job = job;
        _names = names;
        _contents = new EntryContentReader(store);
        _pump = new PackPump(store, job.Tally, workers);
    }

    /// <summary>Restores. What goes wrong with one item is reported to the monitor, and the others go on.</summary>
    /// <exception cref="BackupException">RestoreTargetFull, VaultUnreachable and whatever else stops everything. What is
    /// complete by then stays; a rerun that overwrites leaves it as it is.</exception>
    public static async Task<RestoreResult> RunAsync(
        ChunkStore store,
        RestorePlan plan,
        IRestoreTarget target,
        JobMonitor monitor,
        EngineOptions options,
        CancellationToken cancellationToken)
    {
        monitor.Enter(JobPhase.Transferring);
        monitor.Expect(plan.Files, plan.Bytes);
        var tally = new RestoreTally(monitor);
        RestoreVerifier? verifier = plan.Request.Verify ? new RestoreVerifier(store, target, tally) : null;
        using var job = new RestoreJob(target, tally, verifier);
        var names = new CopyNaming(plan.Request.CopyNames, options.TimeProvider.GetLocalNow());
        await new RestoreExecutor(store, plan.Request, job, names, options.Workers).RunAsync(cancellationToken).ConfigureAwait(false);
        monitor.Enter(JobPhase.Finished);
        return tally.ToResult();
    }

    private async Task RunAsync(CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task pumping = PumpAsync();
        try
        {
            await WalkAsync(stop.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            // The pump failed and stopped the walk; what it failed with is thrown below.
        }
        catch
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await pumping.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw;
        }
        finally
        {
            _pump.Reads.TryComplete();
        }

        await pumping.ConfigureAwait(false);

        async Task PumpAsync()
        {
            try
            {
                await _pump.RunAsync(stop.Token).ConfigureAwait(false);
            }
            catch
            {
                await stop.CancelAsync().ConfigureAwait(false);
                throw;
            }
        }
    }

    private async Task WalkAsync(CancellationToken cancellationToken)
    {
        RestoreSelection selection = await RestoreSelection.ResolveAsync(_request, _store, cancellationToken).ConfigureAwait(false);
        await foreach (SelectedEntry selected in selection.ReadAsync(_job.Tally.Skip, cancellationToken).ConfigureAwait(false))
        {
            await PlaceAsync(selected, cancellationToken).ConfigureAwait(false);
        }

        await FetchBatchAsync(cancellationToken).ConfigureAwait(false);
        while (_folders.TryPop(out RestoreFolder? folder))
        {
            folder.Release();
        }
    }

    private async ValueTask PlaceAsync(SelectedEntry selected, CancellationToken cancellationToken)
    {
        ManifestEntry entry = selected.Entry;
        RestoreFolder? folder = FolderOf(selected.Place);
        EntryPath place = folder is null ? selected.Place : folder.Target.Append(selected.Place.Name);
        ManifestEntry? existing = null;
        BackupException? failure = folder?.Failure;
        if (failure is null && !entry.IsRestorable())
        {
            failure = Unrestorable(selected);
        }

        Placement placement = Placement.Free;
        if (folder?.Failure is null)
        {
            try
            {
                existing = folder is { IsNew: true } ? null : _job.Target.Find(place);
                placement = ConflictRule.Decide(entry, existing, _request.Conflict);
                if (placement == Placement.Rename)
                {
                    place = FindNameBeside(place);
                }
            }
            catch (BackupException fault) when (RestoreFault.IsOfOneItem(fault))
            {
                failure ??= fault;
            }
        }

        var item = new RestoreItem(selected, place, placement == Placement.Replace, folder);
        if (failure is not null)
        {
            _job.Tally.Report(item, failure);
        }
        else if (placement == Placement.Skip)
        {
            _job.Tally.Report(item, Exists(selected));
        }

        bool leftOut = failure is not null || placement == Placement.Skip;
        switch (entry.Kind)
        {
            case EntryKind.Directory:
                OpenFolder(selected, item, placement, folder?.Failure ?? (placement == Placement.Skip ? Exists(selected) : null));
                break;
            case EntryKind.File when placement == Placement.AlreadyThere && !leftOut:
                _job.Tally.CountAlreadyThere();
                _links.Add(entry, RestoreFile.AlreadyThere(_job, item));
                break;
            case EntryKind.File when !leftOut:
                await BeginFileAsync(item, cancellationToken).ConfigureAwait(false);
                break;
            case not EntryKind.File when !leftOut:
                CreateSpecial(item);
                break;
        }
    }

    // The open folder that holds a place. One that the selection does not list is made on the way.
    private RestoreFolder? FolderOf(EntryPath place)
    {
        if (place.IsRoot)
        {
            return null;
        }

        EntryPath parent = place.Parent;
        while (_folders.TryPeek(out RestoreFolder? top) && !parent.IsAtOrBelow(top.Place))
        {
            _folders.Pop().Release();
        }

        return _folders.TryPeek(out RestoreFolder? open) && open.Place == parent ? open : MakeFolder(parent);
    }

    private RestoreFolder MakeFolder(EntryPath place)
    {
        RestoreFolder? above = FolderOf(place);
        EntryPath target = above is null ? place : above.Target.Append(place.Name);
        BackupException? failure = above?.Failure;
        bool isNew = false;
        if (failure is null && !place.IsRoot)
        {
            try
            {
                isNew = _job.Target.Find(target) is null;
                _job.Target.CreateDirectory(target);
            }
            catch (BackupException fault) when (RestoreFault.IsOfOneItem(fault))
            {
                failure = fault;
            }
        }

        var folder = new RestoreFolder(_job, above, place, target, item: null) { IsNew = isNew, Failure = failure };
        _folders.Push(folder);
        return folder;
    }

    private void OpenFolder(SelectedEntry selected, RestoreItem item, Placement placement, BackupException? failure)
    {
        if (failure is null)
        {
            try
            {
                _job.Target.CreateDirectory(item.Entry.Path);
                _job.Tally.CountDone(EntryKind.Directory);
            }
            catch (BackupException fault) when (RestoreFault.IsOfOneItem(fault))
            {
                failure = fault;
                _job.Tally.Report(item, fault);
            }
        }

        // A folder that was there keeps its own metadata unless everything is to be as it was; the target itself and what is only
        // on the way to a selected item always do.
        bool keepsItsOwn = item.Entry.Path.IsRoot || (placement == Placement.Merge && (selected.IsAbove || _request.Conflict != RestoreConflict.Overwrite));
        _folders.Push(new RestoreFolder(_job, item.Folder, selected.Place, item.Entry.Path, keepsItsOwn ? null : item)
        {
            IsNew = placement is Placement.Free or Placement.Rename,
            Failure = failure,
        });
    }

    private async ValueTask BeginFileAsync(RestoreItem item, CancellationToken cancellationToken)
    {
        if (_links.TryGetFirst(item.Entry, out RestoreFile? first))
        {
            first.AddLink(item);
            return;
        }

        var file = new RestoreFile(_job, item);
        _links.Add(item.Entry, file);
        try
        {
            await AddContentAsync(item.Entry.Content, file, cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException fault) when (fault.IsDamage)
        {
            file.Fail(fault);
        }

        await file.ReleaseAsync(cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask AddContentAsync(EntryContent content, RestoreFile file, CancellationToken cancellationToken)
    {
        _batch.BeginFile(content);
        long offset = 0;
        await foreach (ContentSlice slice in _contents.ReadAsync(content, cancellationToken).ConfigureAwait(false))
        {
            if (slice.Chunk is { } chunk)
            {
                file.Expect();
                _batch.Add(chunk, new ChunkUse(file, offset, slice.Offset, (int)slice.Length));
            }

            if (_batch.IsFull)
            {
                await FetchBatchAsync(cancellationToken).ConfigureAwait(false);
            }

            offset += slice.Length;
        }
    }

    private void CreateSpecial(RestoreItem item)
    {
        try
        {
            if (_specials.TryGetFirst(item.Entry, out ManifestEntry? first))
            {
                _job.Target.CreateHardLink(item.Entry.Path, first.Path, item.Replace);
            }
            else
            {
                _job.Target.CreateSpecial(item.Entry, item.Replace, fault => _job.Tally.Report(item, fault));
                _specials.Add(item.Entry, item.Entry);
            }

            _job.Tally.CountDone(item.Entry.Kind);
        }
        catch (BackupException fault) when (RestoreFault.IsOfOneItem(fault))
        {
            _job.Tally.Report(item, fault);
        }
    }

    private async ValueTask FetchBatchAsync(CancellationToken cancellationToken)
    {
        if (_batch.IsEmpty)
        {
            return;
        }

        foreach (PackRead read in await _batch.TakeReadsAsync(_store, cancellationToken).ConfigureAwait(false))
        {
            await _pump.Reads.WriteAsync(read, cancellationToken).ConfigureAwait(false);
        }
    }

    private EntryPath FindNameBeside(EntryPath place)
    {
        EntryPath parent = place.Parent;
        for (int number = 1; number <= MaxNamesTried; number++)
        {
            EntryPath candidate = parent.Append(_names.NameBeside(place.Name, number));
            if (_job.Target.Find(candidate) is null)
            {
                return candidate;
            }
        }

        throw new BackupException(
            BackupErrorId.RestoreItemExists,
            $"No free name was found beside '{place}': {MaxNamesTried} are taken.",
            "Restore into another folder, or remove what earlier restores left.",
            target: place.ToString());
    }

    private static BackupException Exists(SelectedEntry selected) => new(
        BackupErrorId.RestoreItemExists,
        $"'{selected.Place}' exists in the target and was left as it is.",
        "Restore into another folder, or choose to overwrite or to restore beside.",
        target: selected.FullPath);

    private static BackupException Unrestorable(SelectedEntry selected) => new(
        BackupErrorId.RestoreItemFailed,
        $"The recovery point has no content of '{selected.FullPath}': it could not be read when the backup ran.",
        "Look for the item in another recovery point.",
        target: selected.FullPath);
}
