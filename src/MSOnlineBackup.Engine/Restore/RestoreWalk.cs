using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Engine.Restore;

/// <summary>
/// A restore, and its rehearsal: walks the selection once in manifest order, decides for each item once, makes folders and special files as it
/// meets them, and hands what files need to the <see cref="PackPump"/> in batches. A file is completed by whoever writes its last byte, a
/// folder by whoever finishes the last thing in it.
/// </summary>
internal sealed class RestoreWalk
{
    private readonly ChunkStore _store;
    private readonly RestoreRequest _request;
    private readonly RestoreJob _job;
    private readonly PackPump _pump;
    private readonly LocalContents _local;
    private readonly EntryContentReader _contents;
    private readonly HardLinks<RestoreFile> _links = new();
    private readonly HardLinks<ManifestEntry> _specials = new();
    private readonly Stack<RestoreFolder> _folders = new();

    // Of folders on the way to what was selected, which may be come to again: by their place.
    private readonly Dictionary<EntryPath, FolderNames> _names = [];
    private readonly ReadBatch _batch;
    private Task _settling = Task.CompletedTask;

    private RestoreWalk(ChunkStore store, RestoreRequest request, RestoreJob job, VaultOptions options, bool isRehearsal)
    {
        _store = store;
        _request = request;
        _job = job;
        _contents = new EntryContentReader(store);
        _local = new LocalContents(store, job.Target, options.Workers);
        _pump = new PackPump(store, job.Tally, options.Workers, isRehearsal);
        _batch = new ReadBatch(job.Target.MostOpenFiles);
    }

    /// <summary>Restores. What goes wrong with one item is reported to the monitor, and the others go on.</summary>
    /// <exception cref="BackupException">RestoreTargetFull, VaultUnreachable and whatever else stops everything. What is
    /// complete by then stays, and counts as done when the restore is run again.</exception>
    public static async Task<RestoreResult> RestoreAsync(
        ChunkStore store,
        RestoreRequest request,
        RestoreSelection selection,
        IRestoreTarget target,
        JobMonitor monitor,
        VaultOptions options,
        CancellationToken cancellationToken)
    {
        monitor.Enter(JobPhase.Planning);
        ManifestTotals totals = await selection.MeasureAsync(cancellationToken).ConfigureAwait(false);
        monitor.Expect(totals.Files, totals.Bytes);
        monitor.Enter(JobPhase.Transferring);
        var tally = new RestoreTally(monitor);
        RestoreVerifier? verifier = request.Verify ? new RestoreVerifier(store, target, tally) : null;
        using (var job = new RestoreJob(target, tally, verifier, request.Conflict, new CopyNaming(request.CopyNames, options.TimeProvider.GetLocalNow())))
        {
            await new RestoreWalk(store, request, job, options, isRehearsal: false).RunAsync(selection, cancellationToken).ConfigureAwait(false);
            job.Freeze();
        }

        if (request.Synchronize)
        {
            target.Synchronize();
        }

        monitor.Enter(JobPhase.Finished);
        return tally.ToResult(selection.Layout);
    }

    /// <summary>Says what a restore would do: the same walk, with nothing written, and of contents only what a comparison needs fetched.</summary>
    public static async Task<RestorePlan> RehearseAsync(
        ChunkStore store,
        RestoreRequest request,
        RestoreSelection selection,
        IRestoreTarget? target,
        JobMonitor monitor,
        VaultOptions options,
        CancellationToken cancellationToken)
    {
        monitor.Enter(JobPhase.Planning);
        var tally = new RestoreTally(new JobMonitor());
        using var rehearsal = new RehearsalTarget(target);
        using var job = new RestoreJob(
            rehearsal, tally, Verifier: null, request.Conflict, new CopyNaming(request.CopyNames, options.TimeProvider.GetLocalNow()));
        await new RestoreWalk(store, request, job, options, isRehearsal: true).RunAsync(selection, cancellationToken).ConfigureAwait(false);
        return tally.ToPlan(request);
    }

    private async Task RunAsync(RestoreSelection selection, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task pumping = PumpAsync();
        try
        {
            await WalkAsync(selection, stop.Token).ConfigureAwait(false);
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
            await _settling.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
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

    private async Task WalkAsync(RestoreSelection selection, CancellationToken cancellationToken)
    {
        await foreach (SelectedEntry selected in selection.ReadAsync(_job.Tally.Skip, cancellationToken).ConfigureAwait(false))
        {
            await PlaceAsync(selected, cancellationToken).ConfigureAwait(false);
        }

        await SettleBatchAsync(isLast: true, cancellationToken).ConfigureAwait(false);
        await _settling.ConfigureAwait(false);
        while (_folders.TryPop(out RestoreFolder? folder))
        {
            folder.Release();
        }
    }

    private async ValueTask PlaceAsync(SelectedEntry selected, CancellationToken cancellationToken)
    {
        ManifestEntry entry = selected.Entry;
        RestoreFolder? folder = FolderOf(selected.Place);
        BackupException? failure = folder?.Failure;
        EntryPath place = TargetOf(folder, selected.Place, selected.FullPath, ref failure);
        bool hasPlace = failure is null;
        ManifestEntry? existing = null;
        if (hasPlace && !entry.IsRestorable())
        {
            failure = entry.Unrestorable(selected.FullPath);
        }

        Placement placement = Placement.Free;
        if (hasPlace)
        {
            try
            {
                existing = folder is { IsNew: true } ? null : _job.Target.Find(place);
                placement = await DecideAsync(entry, place, existing, cancellationToken).ConfigureAwait(false);
                if (placement == Placement.Clear && existing!.Kind == EntryKind.Directory && _job.Target.HoldsItems(place))
                {
                    // More would go than was meant.
                    placement = Placement.Skip;
                }
                else if (placement == Placement.Clear)
                {
                    _job.Target.Remove(place);
                    _job.Tally.CountConflict();
                    (placement, existing) = (Placement.Free, null);
                }
                else if (placement == Placement.Rename)
                {
                    place = _job.Names.FindBeside(place, _job.Target);
                }
            }
            catch (BackupException fault) when (RestoreFault.IsOfOneItem(fault))
            {
                failure ??= fault;
            }
        }

        var item = new RestoreItem(selected, place, placement, existing, folder);
        if (failure is null && placement == Placement.Skip)
        {
            failure = item.Exists();
        }

        if (placement is Placement.Skip or Placement.Replace or Placement.Rename)
        {
            _job.Tally.CountConflict();
        }

        if (entry.Kind == EntryKind.Directory)
        {
            // What cannot be read of a folder is its list: it, and what was kept of it, is restored.
            OpenFolder(selected, item, entry.IsRestorable() || !hasPlace ? failure : null);
        }

        if (failure is not null)
        {
            _job.Tally.Report(item, failure);
        }
        else if (entry.Kind == EntryKind.File)
        {
            _job.Tally.CountKept(entry);
            await BeginFileAsync(item, cancellationToken).ConfigureAwait(false);
        }
        else if (entry.Kind != EntryKind.Directory)
        {
            CreateSpecial(item);
        }
    }

    private async ValueTask<Placement> DecideAsync(ManifestEntry entry, EntryPath place, ManifestEntry? existing, CancellationToken cancellationToken)
    {
        Placement placement = ConflictRule.Decide(entry, existing, _request.Conflict);
        if (placement == Placement.Compare && !_request.Verify && ConflictRule.IsOriginal(entry, existing!))
        {
            return Placement.Same;
        }

        if (placement != Placement.Compare || _job.Overwrites)
        {
            return placement;
        }

        // What is left as it is must be the same in everything to count as done. Of a file with several names it must be known at once, for
        // if it is another the next name is the first.
        bool isSame = _job.Target.HasMetadata(entry with { Path = place })
            && (entry.Kind != EntryKind.File || entry.Metadata.LinkCount <= 1
                || await HasContentAsync(entry, existing!, cancellationToken).ConfigureAwait(false));
        return isSame ? placement : _job.Conflict == RestoreConflict.Copy ? Placement.Rename : Placement.Skip;
    }

    private async ValueTask<bool> HasContentAsync(ManifestEntry entry, ManifestEntry existing, CancellationToken cancellationToken)
    {
        byte[] buffer = System.Buffers.ArrayPool<byte>.Shared.Rent((int)Math.Clamp(entry.Size, 1, ChunkCodec.MaxRawLength));
        try
        {
            long offset = 0;
            await foreach (ContentSlice slice in _contents.ReadAsync(entry.Content, cancellationToken).ConfigureAwait(false))
            {
                bool isSame = slice.Chunk is { } chunk
                    ? await HasSliceAsync(chunk, slice.Offset, existing, offset, buffer.AsMemory(0, (int)slice.Length), cancellationToken).ConfigureAwait(false)
                    : _job.Target.IsZero(existing, offset, slice.Length);
                if (!isSame)
                {
                    return false;
                }

                offset += slice.Length;
            }

            return true;
        }
        catch (BackupException fault) when (fault.IsDamage)
        {
            return false;
        }
        finally
        {
            System.Buffers.ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private async ValueTask<bool> HasSliceAsync(
        ChunkId chunk, int chunkOffset, ManifestEntry existing, long offset, Memory<byte> there, CancellationToken cancellationToken)
    {
        if (_job.Target.Read(existing, offset, there.Span) != there.Length)
        {
            return false;
        }

        if (chunkOffset == 0 && _store.Identity.Compute(ChunkKind.Content, there.Span) == chunk)
        {
            return true;
        }

        ReadOnlyMemory<byte> content = await _store.ReadAsync(ChunkKind.Content, chunk, cancellationToken).ConfigureAwait(false);
        return chunkOffset + there.Length <= content.Length && content.Span.Slice(chunkOffset, there.Length).SequenceEqual(there.Span);
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

    private FolderNames NamesOnTheWay(EntryPath place)
    {
        if (!_names.TryGetValue(place, out FolderNames? names))
        {
            _names.Add(place, names = new FolderNames());
        }

        return names;
    }

    // Where an item goes: its name, if the target can have it beside those that are there already; else another one, or a failure.
    private EntryPath TargetOf(RestoreFolder? folder, EntryPath place, string fullPath, ref BackupException? failure)
    {
        if (folder is null)
        {
            return place;
        }

        byte[] own = place.Name.ToArray();
        EntryPath target = folder.Target.Append(own);
        if (failure is not null)
        {
            return target;
        }

        byte[] name = _request.MapNames ? MappedName.Map(own) : own;
        if (!_job.Target.CanHave(name))
        {
            failure = RestoreFault.NameImpossible(PathText.Show(target));
            return target;
        }

        try
        {
            name = folder.Names.Choose(name, () => _job.Target.IgnoresCase(folder.Target), out bool isKnown);
            target = folder.Target.Append(name);
            if (!isKnown && !name.AsSpan().SequenceEqual(own))
            {
                _job.Tally.Rename(fullPath, target, wasAskedFor: _request.MapNames);
            }
        }
        catch (BackupException fault) when (RestoreFault.IsOfOneItem(fault))
        {
            failure = fault;
        }

        return target;
    }

    private RestoreFolder MakeFolder(EntryPath place)
    {
        RestoreFolder? above = FolderOf(place);
        BackupException? failure = above?.Failure;
        EntryPath target = TargetOf(above, place, PathText.Show(place), ref failure);
        var folder = new RestoreFolder(_job, above, place, target, item: null) { Failure = failure, Names = NamesOnTheWay(place) };
        if (folder.Failure is null && !place.IsRoot)
        {
            try
            {
                ManifestEntry? existing = _job.Target.Find(target);
                folder.IsNew = existing is null;
                folder.IsUnfinished = existing is null || ConflictRule.IsUnfinished(existing);
                folder.Open(unlock: _job.Overwrites);
            }
            catch (BackupException fault) when (RestoreFault.IsOfOneItem(fault))
            {
                folder.Failure = fault;
            }
        }

        _folders.Push(folder);
        return folder;
    }

    private void OpenFolder(SelectedEntry selected, RestoreItem item, BackupException? failure)
    {
        // A folder that was there keeps its own metadata unless everything is to be as it was, or an earlier restore did not come to set them; the
        // target itself and what is only on the way to a selected item always do.
        bool isNew = item.Placement is Placement.Free or Placement.Rename;
        bool isUnfinished = !item.Entry.Path.IsRoot && (isNew || ConflictRule.IsUnfinished(item.Existing));
        bool keepsItsOwn = item.Entry.Path.IsRoot || (!isUnfinished && (selected.IsAbove || !_job.Overwrites));
        var folder = new RestoreFolder(_job, item.Folder, selected.Place, item.Entry.Path, keepsItsOwn ? null : item)
        {
            IsNew = isNew,
            IsUnfinished = isUnfinished,
            Failure = failure,
            Names = selected.IsAbove ? NamesOnTheWay(selected.Place) : new FolderNames(),
        };
        if (failure is null)
        {
            try
            {
                folder.Open(unlock: _job.Overwrites);
                _job.Tally.CountDone(EntryKind.Directory);
            }
            catch (BackupException fault) when (RestoreFault.IsOfOneItem(fault))
            {
                folder.Failure = fault;
                _job.Tally.Report(item, fault);
            }
        }

        _folders.Push(folder);
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
        if (item.Placement == Placement.Same)
        {
            await file.ReleaseAsync(cancellationToken).ConfigureAwait(false);
            return;
        }

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
            else if (file.IsCompared)
            {
                file.SkipHole(offset, slice.Length);
            }

            if (_batch.IsFull)
            {
                await SettleBatchAsync(isLast: false, cancellationToken).ConfigureAwait(false);
            }

            offset += slice.Length;
        }
    }

    private void CreateSpecial(RestoreItem item)
    {
        try
        {
            bool isThere = item.Existing is not null;
            bool isLinked = _specials.TryGetFirst(item.Entry, out ManifestEntry? first);
            if (isLinked && isThere && _job.Target.Find(first!.Path) is { } found && found.Metadata.FileId == item.Existing!.Metadata.FileId)
            {
                _job.Tally.CountDone(item.Entry.Kind);
                return;
            }

            if (isLinked && isThere && !_job.Overwrites)
            {
                if (_job.Conflict == RestoreConflict.Skip)
                {
                    _job.Tally.Report(item, item.Exists());
                    return;
                }

                item.GoBeside(_job.Names.FindBeside(item.Entry.Path, _job.Target));
                isThere = false;
            }

            if (isLinked && _job.Target.TryCreateHardLink(item.Entry.Path, first!.Path, isThere))
            {
                _job.Tally.CountDone(item.Entry.Kind);
                return;
            }

            if (item.Placement != Placement.Compare)
            {
                _job.Target.CreateSpecial(item.Entry, isThere, fault => _job.Tally.Report(item, fault));
            }
            else if (_job.Overwrites)
            {
                _job.Target.SetMetadata(item.Entry, freeze: true, fault => _job.Tally.Report(item, fault));
            }

            if (!isLinked)
            {
                _specials.Add(item.Entry, item.Entry);
            }

            _job.Tally.CountDone(item.Entry.Kind);
        }
        catch (BackupException fault) when (RestoreFault.IsOfOneItem(fault))
        {
            _job.Tally.Report(item, fault);
        }
    }

    // The next batch is gathered while this one is looked for at the target, and what is not there is handed on to be fetched.
    private async ValueTask SettleBatchAsync(bool isLast, CancellationToken cancellationToken)
    {
        await _settling.ConfigureAwait(false);
        IReadOnlyList<NeededChunk> chunks = _batch.Take(isLast);
        _settling = Task.Run(() => SettleAsync(chunks, cancellationToken), CancellationToken.None);
    }

    private async Task SettleAsync(IReadOnlyList<NeededChunk> chunks, CancellationToken cancellationToken)
    {
        IReadOnlyCollection<NeededChunk> absent = await _local.TakeAsync(chunks, cancellationToken).ConfigureAwait(false);
        foreach (PackRead read in await ReadBatch.GroupAsync(absent, _store, cancellationToken).ConfigureAwait(false))
        {
            await _pump.Reads.WriteAsync(read, cancellationToken).ConfigureAwait(false);
        }
    }
}
