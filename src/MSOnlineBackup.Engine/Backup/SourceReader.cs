using System.Threading.Channels;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Engine.Sources.Rules;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Engine.Backup;

/// <summary>
/// Walks one source beside its baseline and turns it into drafts: unchanged items by reference, small files into
/// bundles, large ones into chunks. One thread reads; the workers behind <see cref="ChunkWriter"/> do the rest.
/// </summary>
/// <remarks>
/// What it cuts depends on the source and the baseline only, never on timing: a job that is run again after a crash
/// makes the same chunks, and finds that they are there.
/// </remarks>
internal sealed class SourceReader
{
    private readonly ISourceTree _tree;
    private readonly bool _sizeUnknown;
    private readonly BackupScope _scope;
    private readonly Baseline _baseline;
    private readonly SourceDrafts _drafts;
    private readonly FileReader _files;
    private readonly DiskReader _disks;
    private readonly StreamReader _streams;
    private readonly EarlierVersions _earlier;
    private readonly StoredContents _stored;
    private readonly CancellationToken _stop;
    private readonly JobMonitor _monitor;
    private readonly bool _crossesMountPoints;
    private readonly ChangeCounter _changes;
    private EntryPath? _unmounted;

    /// <param name="tree">The source.</param>
    /// <param name="sizeUnknown">Whether files are read to their end, whatever size the stat told (a stream).</param>
    /// <param name="crossesMountPoints">Whether what is mounted below the root belongs to the source.</param>
    /// <param name="scope">What the whole job shares.</param>
    /// <param name="baseline">What is known from before.</param>
    /// <param name="changes">Told how the source differs from that.</param>
    /// <param name="drafts">Where the drafts go; holds at least <see cref="Bundler.MaxDrafts"/>, or the stages would wait for each other.</param>
    /// <param name="stop">Ends the walk in order: a last checkpoint is asked for, then <see cref="OperationCanceledException"/>.</param>
    /// <param name="stopping">Ends it at once, where nobody takes the drafts any more.</param>
    public SourceReader(
        ISourceTree tree,
        bool sizeUnknown,
        bool crossesMountPoints,
        BackupScope scope,
        Baseline baseline,
        ChangeCounter changes,
        ChannelWriter<Draft> drafts,
        CancellationToken stop,
        CancellationToken stopping)
    {
        _crossesMountPoints = crossesMountPoints;
        _tree = tree;
        _sizeUnknown = sizeUnknown;
        _scope = scope;
        _baseline = baseline;
        _changes = changes;
        _stop = stop;
        _monitor = scope.Monitor;
        _drafts = new SourceDrafts(scope, tree, drafts, stopping);
        _stored = new StoredContents(scope.Store, scope.Check);
        var contents = new ContentReader(_drafts);
        _files = new FileReader(_drafts, contents, _stored, sizeUnknown, stop);
        _disks = new DiskReader(_drafts, _stored, stop);
        _streams = new StreamReader(_drafts, contents, stop);
        _earlier = new EarlierVersions(_drafts, baseline, changes);
    }

    /// <summary>Takes the source.</summary>
    public Task RunAsync() => InOrderAsync(async () =>
    {
        foreach (SourceItem item in _tree.Walk(CancellationToken.None))
        {
            await TakeMissedAsync(item.Entry.Path).ConfigureAwait(false);
            await TakeNextAsync(item).ConfigureAwait(false);
        }

        await TakeMissedAsync(null).ConfigureAwait(false);
    });

    private async ValueTask TakeNextAsync(SourceItem item)
    {
        _stop.ThrowIfCancellationRequested();
        if (_unmounted is { } folder && item.Entry.Path.IsAtOrBelow(folder))
        {
            // What lies beneath a mount point is not what was mounted there.
            return;
        }

        await TakeAsync(item).ConfigureAwait(false);
        await _scope.WriteSkippedAsync(atLeast: 256).ConfigureAwait(false);
        await _drafts.CheckpointIfDueAsync(current: null).ConfigureAwait(false);
    }

    // What the last point has and the walk did not meet: it is looked at before it counts as deleted, for a listing may miss names.
    private async ValueTask TakeMissedAsync(EntryPath? before)
    {
        while (await _baseline.PassAsync(before, CancellationToken.None).ConfigureAwait(false) is { } missed)
        {
            _stop.ThrowIfCancellationRequested();
            bool isThere = false;
            foreach (SourceItem item in _tree.LookAgain(missed.Path, CancellationToken.None))
            {
                if (isThere)
                {
                    await TakeMissedAsync(item.Entry.Path).ConfigureAwait(false);
                }

                isThere = true;
                await TakeNextAsync(item).ConfigureAwait(false);
            }

            if (isThere)
            {
                continue;
            }

            _changes.NoteMissed(missed);
            if (missed.Kind == EntryKind.Directory)
            {
                await _baseline.SkipBelowAsync(missed.Path, CancellationToken.None).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Takes again what was taken, and reads anew those files of it whose content turned out not to be in the vault.</summary>
    /// <param name="taken">The manifest of this job so far.</param>
    public Task HealAsync(IAsyncEnumerable<ManifestEntry> taken) => InOrderAsync(async () =>
    {
        using IEnumerator<SourceItem> walk = _tree.Walk(CancellationToken.None).GetEnumerator();
        bool more = walk.MoveNext();
        await foreach (ManifestEntry entry in taken.ConfigureAwait(false))
        {
            _stop.ThrowIfCancellationRequested();
            if (await _stored.HaveAsync(entry).ConfigureAwait(false))
            {
                await _drafts.SendAsync(new Draft.Complete(entry)).ConfigureAwait(false);
                continue;
            }

            while (more && walk.Current.Entry.Path < entry.Path)
            {
                more = walk.MoveNext();
            }

            await TakeAgainAsync(entry, more && walk.Current.Entry.Path == entry.Path ? walk.Current : null).ConfigureAwait(false);
        }
    });

    private async Task InOrderAsync(Func<Task> take)
    {
        try
        {
            await take().ConfigureAwait(false);
            await _drafts.Bundler.CloseAsync().ConfigureAwait(false);
            _drafts.Complete();
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // In order: what was read is kept in a last checkpoint, and the next run goes on from there.
            await _drafts.Bundler.CloseAsync().ConfigureAwait(false);
            ManifestEntry? current = _files.Current ?? _disks.Current;
            if (current is null)
            {
                await _drafts.SendAsync(new Draft.FileGivenUp()).ConfigureAwait(false);
            }

            await _drafts.SendAsync(new Draft.Checkpoint(current)).ConfigureAwait(false);
            _drafts.Complete();
            throw;
        }
        catch (Exception e)
        {
            _drafts.Complete(e);
            throw;
        }
    }

    private async ValueTask TakeAsync(SourceItem item)
    {
        ManifestEntry entry = item.Entry;
        if (item.Note is { } note)
        {
            _monitor.Note(note);
        }

        if (item.Trouble is { } trouble && !IsExpectedOfLive(trouble))
        {
            _drafts.Skip(entry, trouble);
        }

        KnownEntries known = await _baseline.AdvanceToAsync(entry.Path, CancellationToken.None).ConfigureAwait(false);
        if (item.Failure is { } failure)
        {
            _changes.NoteKept(known.Previous);
            await _earlier.TakeUnreadableAsync(entry, known, failure).ConfigureAwait(false);
            return;
        }

        if (_crossesMountPoints && MountRule.IsUnmounted(item, known, _scope.Request))
        {
            _unmounted = entry.Path;
            _changes.NoteKept(known.Previous);
            await _earlier.TakeUnreadableAsync(entry, known, MountRule.NotMounted(_drafts.Full(entry))).ConfigureAwait(false);
            return;
        }

        _changes.Note(entry, known.Previous, isFirstName: !_scope.Links.IsFurtherName(entry));
        try
        {
            ThrowIfRefused(entry);
            if (!await TryTakeKnownAsync(item, known).ConfigureAwait(false))
            {
                await TakeChangedAsync(item, known, isHealing: false).ConfigureAwait(false);
            }
        }
        catch (BackupException e) when (e.Id == BackupErrorId.SourceItemVanished)
        {
            // Deleted while the job ran: it is not in the point, and the point's list says so.
            _drafts.Skip(entry, e);
        }
        catch (BackupException e) when (e.IsOfSourceItem)
        {
            _drafts.Skip(entry, e);
            await _earlier.KeepAsync(entry, known.Previous).ConfigureAwait(false);
        }

        if (entry.Kind == EntryKind.Directory && !item.IsEntered)
        {
            // Another file system's, or the backup's own: what the last point has below it is not looked for.
            await _baseline.SkipBelowAsync(entry.Path, CancellationToken.None).ConfigureAwait(false);
        }
    }

    private async ValueTask TakeAgainAsync(ManifestEntry entry, SourceItem? item)
    {
        BackupException? failure = item is null ? null : item.Failure;
        try
        {
            if (item is { Failure: null } && (item.Entry.Kind == EntryKind.File || entry.HasAttribute(AttributeTag.LongStream)))
            {
                await TakeChangedAsync(item, new KnownEntries(entry, null), isHealing: true).ConfigureAwait(false);
                return;
            }
        }
        catch (BackupException e) when (e.IsOfSourceItem)
        {
            failure = e;
        }

        // Its place stays: a copy of the vault may still have what it names.
        string path = _drafts.Full(entry);
        _scope.Skip(path, new BackupException(
            BackupErrorId.VaultDataCorrupt,
            $"The content of '{path}' is damaged in the vault, and the source can no longer supply it{(failure is null ? " (it is gone)" : $": {failure.Message.TrimEnd('.')}")}.",
            "Bring the damaged objects back from a copy of the vault, or restore the file from an earlier point.",
            path));
        await _drafts.SendAsync(new Draft.Complete(entry with { Flags = entry.Flags | EntryFlags.KeptFromEarlier })).ConfigureAwait(false);
    }

    private async ValueTask<bool> TryTakeKnownAsync(SourceItem item, KnownEntries earlier)
    {
        ManifestEntry entry = item.Entry;
        if (_scope.Request.ReadEverything || _sizeUnknown || !item.IsTimeTold || earlier.Matching(entry) is not { } known)
        {
            return false;
        }

        // Where the vault has lost what the entry names, reading the file again is what heals it.
        if (!await _stored.HaveAsync(known).ConfigureAwait(false))
        {
            _scope.Store.NoteLoss();
            return false;
        }

        // The device's number may differ after a restart, so hard links are told by what the stat says now; by what was known where it says nothing,
        // as listings of Windows do: a further name would have changed the file's change time.
        if (entry.Metadata.LinkCount == 0)
        {
            EntryMetadata told = known.Metadata;
            entry = entry with { Metadata = entry.Metadata with { LinkCount = told.LinkCount, DeviceId = told.DeviceId, FileId = told.FileId } };
        }

        ThrowIfRefused(entry);
        ManifestEntry carried = known with { Metadata = entry.Metadata, Flags = EntryFlags.None };
        if (known.HasAttribute(AttributeTag.Unread))
        {
            ManifestEntry details = item.ReadDetails();
            List<EntryAttribute> streams = [.. known.Attributes.Where(attribute => attribute.Tag == AttributeTag.LongStream)];
            if (!item.LongStreams.All(stream => streams.Exists(one => one.Name.Span.SequenceEqual(stream.Name.Span))))
            {
                // One that could not be read then, and can be now.
                return false;
            }

            NoteFaults(item, details);
            carried = carried with { Attributes = [.. details.Attributes, .. streams] };
        }

        if (!_scope.Links.TryGetFirst(entry, out _))
        {
            _scope.Links.Add(entry, Task.FromResult(carried.Content));
        }

        _scope.CountUnchanged(entry);
        await _drafts.SendAsync(new Draft.Complete(carried)).ConfigureAwait(false);
        return true;
    }

    private async ValueTask TakeChangedAsync(SourceItem item, KnownEntries known, bool isHealing)
    {
        _monitor.WorkOn(() => _drafts.Full(item.Entry));
        ManifestEntry entry = ReadDetails(item);
        ThrowIfRefused(entry);
        (entry, IReadOnlyList<DraftedStream> streams) = await _streams.TakeAsync(entry, item).ConfigureAwait(false);
        if (entry.Kind != EntryKind.File)
        {
            _monitor.AddItem(isFile: false);
            await _drafts.SendAsync(new Draft.Complete(entry) { Streams = streams }).ConfigureAwait(false);
            return;
        }

        _scope.CountRead(isNew: known.Previous is null);
        if (_scope.Links.TryGetFirst(entry, out Task<EntryContent>? content, out EntryFlags flags))
        {
            // What is to be doubted of the content is to be doubted under each name.
            _monitor.AddItem(isFile: true);
            _monitor.AddBytes(entry.Size);
            await _drafts.SendAsync(new Draft.Linked(entry with { Flags = entry.Flags | flags }, content) { Streams = streams }).ConfigureAwait(false);
            return;
        }

        if (item.Gridded is { } gridded)
        {
            await _disks.TakeAsync(entry, gridded, known, _baseline.Session, isHealing, item.IsTimeTold).ConfigureAwait(false);
            _monitor.AddItem(isFile: true);
            return;
        }

        using ISourceFile file = item.Open();
        await _files.TakeAsync(entry, file, known, streams).ConfigureAwait(false);
        _monitor.AddItem(isFile: true);
    }

    // A folder whose names come and go while it is listed.
    private bool IsExpectedOfLive(BackupException trouble) => _scope.Request.IsLive && trouble.Id == BackupErrorId.SourceItemChanged;

    private void ThrowIfRefused(ManifestEntry entry)
    {
        if (_scope.Request.Rules.SkipsLinks && Refuse(_scope.Request.Rules, entry, _drafts.Full(entry)) is { } refusal)
        {
            throw refusal;
        }
    }

    /// <summary>Why the rules do not take an item; null where they do.</summary>
    internal static BackupException? Refuse(SourceRules rules, ManifestEntry entry, string path) => rules.WhySkipped(entry) is not { } why ? null : new BackupException(
        BackupErrorId.SourceItemRefused,
        $"'{path}' was skipped: {why}, and the profile {rules.Name} does not take any.",
        "Use the profile Open, which keeps links and hard links as they are.",
        path);

    private ManifestEntry ReadDetails(SourceItem item)
    {
        ManifestEntry entry = item.ReadDetails();
        NoteFaults(item, entry);
        return entry;
    }

    private void NoteFaults(SourceItem item, ManifestEntry entry)
    {
        foreach (BackupException fault in item.AttributeFaults)
        {
            _drafts.Skip(entry, fault);
        }
    }
}
