using System.Threading.Channels;
using MSOnlineBackup.Engine.Chunking;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Chunks;
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
    private const int ReadLength = 256 << 10;

    private readonly ISourceTree _tree;
    private readonly string _rootText;
    private readonly bool _sizeUnknown;
    private readonly BackupScope _scope;
    private readonly Baseline _baseline;
    private readonly ChannelWriter<Draft> _drafts;
    private readonly Chunker _chunker;
    private readonly Bundler _bundler;
    private readonly StoredContents _stored;
    private readonly CancellationToken _stop;
    private readonly JobMonitor _monitor;
    private readonly bool _crossesMountPoints;
    private EntryPath? _unmounted;

    // The large file in which the walk was stopped; its slices so far are all sent.
    private ManifestEntry? _current;

    /// <param name="tree">The source.</param>
    /// <param name="sizeUnknown">Whether files are read to their end, whatever size the stat told (a stream).</param>
    /// <param name="crossesMountPoints">Whether what is mounted below the root belongs to the source.</param>
    /// <param name="scope">What the whole job shares.</param>
    /// <param name="baseline">What is known from before.</param>
    /// <param name="drafts">Where the drafts go; holds at least <see cref="Bundler.MaxDrafts"/>, or the stages would wait for each other.</param>
    /// <param name="stop">Ends the walk in order: a last checkpoint is asked for, then <see cref="OperationCanceledException"/>.</param>
    public SourceReader(
        ISourceTree tree,
        bool sizeUnknown,
        bool crossesMountPoints,
        BackupScope scope,
        Baseline baseline,
        ChannelWriter<Draft> drafts,
        CancellationToken stop)
    {
        _crossesMountPoints = crossesMountPoints;
        _tree = tree;
        _rootText = EntryName.Escape(tree.RootPath.Span);
        _sizeUnknown = sizeUnknown;
        _scope = scope;
        _baseline = baseline;
        _drafts = drafts;
        _stop = stop;
        _monitor = scope.Monitor;
        _chunker = new Chunker(scope.Store.Keys.GearTable);
        _bundler = new Bundler(scope.Session.Chunks, scope.Store.Keys.BundleBoundaryKey);
        _stored = new StoredContents(scope.Store, scope.Check);
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
        if (!_bundler.IsOpen && _scope.IsCheckpointDue())
        {
            await SendAsync(new Draft.Checkpoint(null)).ConfigureAwait(false);
        }
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

            if (!isThere && missed.Kind == EntryKind.Directory)
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
                await SendAsync(new Draft.Complete(entry)).ConfigureAwait(false);
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
            await _bundler.CloseAsync().ConfigureAwait(false);
            _drafts.Complete();
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // In order: what was read is kept in a last checkpoint, and the next run goes on from there.
            await _bundler.CloseAsync().ConfigureAwait(false);
            if (_current is null)
            {
                await SendAsync(new Draft.FileGivenUp()).ConfigureAwait(false);
            }

            await SendAsync(new Draft.Checkpoint(_current)).ConfigureAwait(false);
            _drafts.TryComplete();
            throw;
        }
        catch (Exception e)
        {
            _bundler.Abandon();
            _drafts.TryComplete(e);
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

        if (item.Trouble is { } trouble)
        {
            _scope.Skip(Full(entry), trouble);
        }

        KnownEntries known = await _baseline.AdvanceToAsync(entry.Path, CancellationToken.None).ConfigureAwait(false);
        if (item.Failure is { } failure)
        {
            await TakeUnreadableAsync(entry, known, failure).ConfigureAwait(false);
            return;
        }

        if (_crossesMountPoints && IsUnmounted(item, known, _scope.Request))
        {
            _unmounted = entry.Path;
            await TakeUnreadableAsync(entry, known, NotMounted(Full(entry))).ConfigureAwait(false);
            return;
        }

        try
        {
            if (!await TryTakeKnownAsync(item, known).ConfigureAwait(false))
            {
                await TakeChangedAsync(item, known).ConfigureAwait(false);
            }
        }
        catch (BackupException e) when (e.Id == BackupErrorId.SourceItemVanished)
        {
            // Deleted while the job ran: it is not in the point, and the point's list says so.
            _scope.Skip(Full(entry), e);
        }
        catch (BackupException e) when (e.IsOfSourceItem)
        {
            _scope.Skip(Full(entry), e);
            await KeepEarlierAsync(entry, known.Previous).ConfigureAwait(false);
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
            if (item is { Failure: null, Entry.Kind: EntryKind.File })
            {
                await TakeChangedAsync(item, new KnownEntries(entry, null)).ConfigureAwait(false);
                return;
            }
        }
        catch (BackupException e) when (e.IsOfSourceItem)
        {
            failure = e;
        }

        // Its place stays: a copy of the vault may still have what it names.
        string path = Full(entry);
        _scope.Skip(path, new BackupException(
            BackupErrorId.VaultDataCorrupt,
            $"The content of '{path}' is damaged in the vault, and the source does not give it again{(failure is null ? " (it is gone)" : $": {failure.Message.TrimEnd('.')}")}.",
            "Bring the vault's damaged objects back from a copy, or restore the file from an earlier point.",
            path));
        await SendAsync(new Draft.Complete(entry with { Flags = entry.Flags | EntryFlags.KeptFromEarlier })).ConfigureAwait(false);
    }

    private async ValueTask<bool> TryTakeKnownAsync(SourceItem item, KnownEntries earlier)
    {
        ManifestEntry entry = item.Entry;
        if (_scope.Request.ReadEverything || _sizeUnknown || earlier.Matching(entry) is not { } known)
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

        ManifestEntry carried = known with { Metadata = entry.Metadata, Flags = EntryFlags.None };
        if (HasAttribute(known, AttributeTag.Unread))
        {
            carried = carried with { Attributes = ReadDetails(item).Attributes };
        }

        if (!_scope.Links.TryGetFirst(entry, out _))
        {
            _scope.Links.Add(entry, Task.FromResult(carried.Content));
        }

        _scope.CountUnchanged(entry);
        await SendAsync(new Draft.Complete(carried)).ConfigureAwait(false);
        return true;
    }

    private async ValueTask TakeChangedAsync(SourceItem item, KnownEntries known)
    {
        _monitor.WorkOn(() => Full(item.Entry));
        ManifestEntry entry = ReadDetails(item);
        if (entry.Kind != EntryKind.File)
        {
            _monitor.AddItem(isFile: false);
            await SendAsync(new Draft.Complete(entry)).ConfigureAwait(false);
            return;
        }

        _scope.CountRead(isNew: known.Previous is null);
        if (_scope.Links.TryGetFirst(entry, out Task<EntryContent>? content, out EntryFlags flags))
        {
            // What is to be doubted of the content is to be doubted under each name.
            _monitor.AddItem(isFile: true);
            _monitor.AddBytes(entry.Size);
            await SendAsync(new Draft.Linked(entry with { Flags = entry.Flags | flags }, content)).ConfigureAwait(false);
            return;
        }

        using ISourceFile file = item.Open();
        if (_sizeUnknown || (entry.Size == 0 && IsSizeWrong(entry, file)))
        {
            await TakeLargeAsync(entry, file, null, toEnd: true).ConfigureAwait(false);
        }
        else if (entry.Size == 0)
        {
            await SendAsync(new Draft.Complete(entry)).ConfigureAwait(false);
        }
        else if (entry.Size <= Bundler.MaxFileLength)
        {
            await TakeSmallAsync(entry, file).ConfigureAwait(false);
        }
        else
        {
            ManifestEntry? begun = known.Checkpoint is { } earlier && earlier.Flags.HasFlag(EntryFlags.Partial) && earlier.SameStateAs(entry) ? earlier : null;
            await TakeLargeAsync(entry, file, begun, toEnd: false).ConfigureAwait(false);
        }

        _monitor.AddItem(isFile: true);
    }

    // File systems of programs, of networks and of the kernel tell sizes that are not: what lies beyond the end that was told is read too.
    private static bool IsSizeWrong(ManifestEntry entry, ISourceFile file)
    {
        Span<byte> beyond = stackalloc byte[1];
        return file.Read(entry.Size, beyond) > 0 && file.Stat().Size <= entry.Size;
    }

    private ManifestEntry ReadDetails(SourceItem item)
    {
        ManifestEntry entry = item.ReadDetails();
        foreach (BackupException fault in item.AttributeFaults)
        {
            _scope.Skip(Full(entry), fault);
        }

        return entry;
    }

    private static bool HasAttribute(ManifestEntry entry, AttributeTag tag)
    {
        for (int i = 0; i < entry.Attributes.Count; i++)
        {
            if (entry.Attributes[i].Tag == tag)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether an item below a source whose mounts belong to it was a mount point in the last backup and is none now.</summary>
    internal static bool IsUnmounted(SourceItem item, KnownEntries known, BackupRequest request) =>
        !item.IsCrossedMountPoint && !request.ReadEverything && known.Previous is { } mounted && HasAttribute(mounted, AttributeTag.MountPoint);

    /// <summary>That it is not mounted.</summary>
    internal static BackupException NotMounted(string path) => new(
        BackupErrorId.SourceNotMounted,
        $"'{path}' was a mount point in the last backup and is none now: its volume is not mounted.",
        "Mount the volume. If the folder is meant to be a plain one from now on, back it up once with 'obengine backup --force'.",
        path);

    private async ValueTask TakeSmallAsync(ManifestEntry entry, ISourceFile file)
    {
        Memory<byte> room = await _bundler.ReserveAsync((int)entry.Size).ConfigureAwait(false);
        int length = 0;
        while (length < room.Length && file.Read(length, room.Span[length..]) is > 0 and int read)
        {
            length += read;
        }

        if (length == room.Length && IsSizeWrong(entry, file))
        {
            await TakeLargeAsync(entry, file, null, toEnd: true).ConfigureAwait(false);
            return;
        }

        CountRead(length);
        entry = CheckAfterRead(entry, file, length);
        if (length == 0)
        {
            await SendAsync(new Draft.Complete(entry)).ConfigureAwait(false);
            return;
        }

        (Task<ChunkId> name, int offset) = await _bundler.CommitAsync(length).ConfigureAwait(false);
        await SendAsync(new Draft.Bundled(entry, name, offset)).ConfigureAwait(false);
        if (entry.Metadata.LinkCount > 1)
        {
            _scope.Links.Add(entry, ContentOfAsync(name, offset, length));
        }
    }

    private static async Task<EntryContent> ContentOfAsync(Task<ChunkId> name, int offset, int length) =>
        new EntryContent([new ContentSlice(await name.ConfigureAwait(false), offset, length)], []);

    /// <param name="entry">The file.</param>
    /// <param name="file">Open.</param>
    /// <param name="begun">What a checkpoint has of this state of it.</param>
    /// <param name="toEnd">Whether it is read to its end, whatever its size is said to be.</param>
    private async ValueTask TakeLargeAsync(ManifestEntry entry, ISourceFile file, ManifestEntry? begun, bool toEnd)
    {
        long position = begun is null ? 0 : await TakeBegunAsync(begun).ConfigureAwait(false);
        long limit = toEnd ? long.MaxValue : entry.Size;
        ChunkWriter chunks = _scope.Session.Chunks;
        byte[] buffer = await chunks.RentBufferAsync().ConfigureAwait(false);
        int filled = 0;
        try
        {
            var scan = default(ChunkScan);
            while (true)
            {
                while (position < limit && TryGetDataRun(file, position, toEnd, out long start, out long length) && start < limit)
                {
                    await SendHoleAsync(start - position).ConfigureAwait(false);
                    long end = length > limit - start ? limit : start + length;
                    position = start;
                    while (position < end)
                    {
                        int wanted = (int)Math.Min(Math.Min(ReadLength, buffer.Length - filled), end - position);
                        int read = file.Read(position, buffer.AsSpan(filled, wanted));
                        if (read == 0)
                        {
                            limit = position;
                            break;
                        }

                        CountRead(read);
                        filled += read;
                        position += read;
                        int cut = _chunker.FindCut(buffer.AsSpan(0, filled), ref scan);
                        if (cut > 0)
                        {
                            byte[] next = await chunks.RentBufferAsync().ConfigureAwait(false);
                            buffer.AsSpan(cut, filled - cut).CopyTo(next);
                            (byte[] full, buffer) = (buffer, next);
                            filled -= cut;
                            scan = default;
                            await SendChunkAsync(full, cut).ConfigureAwait(false);
                            await CheckpointInsideAsync(entry).ConfigureAwait(false);
                        }
                    }

                    if (filled > 0)
                    {
                        byte[] next = await chunks.RentBufferAsync().ConfigureAwait(false);
                        (byte[] full, buffer) = (buffer, next);
                        (int last, filled, scan) = (filled, 0, default);
                        await SendChunkAsync(full, last).ConfigureAwait(false);
                    }
                }

                if (!toEnd && position < limit)
                {
                    // Behind the last data there is a hole, if the file still is as long as it was.
                    long end = Math.Clamp(file.Stat().Size, position, limit);
                    await SendHoleAsync(end - position).ConfigureAwait(false);
                    position = end;
                }

                if (toEnd || !IsSizeWrong(entry, file))
                {
                    break;
                }

                (toEnd, limit) = (true, long.MaxValue);
            }
        }
        catch (BackupException)
        {
            await SendAsync(new Draft.FileGivenUp()).ConfigureAwait(false);
            throw;
        }
        finally
        {
            chunks.ReturnBuffer(buffer);
        }

        entry = CheckAfterRead(entry, file, position, toEnd);
        TaskCompletionSource<EntryContent>? content = null;
        if (entry.Metadata.LinkCount > 1)
        {
            content = new TaskCompletionSource<EntryContent>(TaskCreationOptions.RunContinuationsAsynchronously);
            _scope.Links.Add(entry, content.Task);
        }

        await SendAsync(new Draft.FileEnd(entry, content)).ConfigureAwait(false);
    }

    // Holes are not asked for where the size says nothing.
    private static bool TryGetDataRun(ISourceFile file, long position, bool toEnd, out long start, out long length)
    {
        (start, length) = (position, long.MaxValue - position);
        return toEnd || file.TryGetDataRun(position, out start, out length);
    }

    // What the checkpoint has of this very state of the file need not be read again.
    private async ValueTask<long> TakeBegunAsync(ManifestEntry begun)
    {
        if (!await _stored.HaveAsync(begun).ConfigureAwait(false))
        {
            return 0;
        }

        long position = 0;
        await foreach (ContentSlice slice in _stored.ReadAsync(begun).ConfigureAwait(false))
        {
            await SendAsync(new Draft.FileSlice(slice)).ConfigureAwait(false);
            position += slice.Length;
        }

        _monitor.AddBytes(position);
        return position;
    }

    private async ValueTask SendHoleAsync(long length)
    {
        if (length > 0)
        {
            _monitor.AddBytes(length);
            await SendAsync(new Draft.FileSlice(new ContentSlice(null, 0, length))).ConfigureAwait(false);
        }
    }

    private async ValueTask SendChunkAsync(byte[] buffer, int length)
    {
        var name = new TaskCompletionSource<ChunkId>(TaskCreationOptions.RunContinuationsAsynchronously);
        await _scope.Session.Chunks.SubmitAsync(buffer, length, name).ConfigureAwait(false);
        await SendAsync(new Draft.FileChunk(name.Task, length)).ConfigureAwait(false);
    }

    private async ValueTask CheckpointInsideAsync(ManifestEntry entry)
    {
        if (_stop.IsCancellationRequested)
        {
            _current = entry;
            _stop.ThrowIfCancellationRequested();
        }

        if (!_bundler.IsOpen && _scope.IsCheckpointDue())
        {
            await SendAsync(new Draft.Checkpoint(entry)).ConfigureAwait(false);
        }
    }

    private ManifestEntry CheckAfterRead(ManifestEntry entry, ISourceFile file, long length, bool toEnd = false)
    {
        if (_sizeUnknown)
        {
            return entry with { Size = length };
        }

        EntryFlags flags = EntryFlags.None;
        ManifestEntry now = file.Stat();
        if ((length != entry.Size && !toEnd) || !entry.SameStateAs(now with { Path = entry.Path }))
        {
            flags |= EntryFlags.ChangedWhileRead;
            _scope.Skip(Full(entry), new BackupException(
                BackupErrorId.SourceItemChanged,
                length == entry.Size || toEnd ? "The file changed while it was read; its copy may mix two states."
                    : now.Size == entry.Size ? $"The file is said to have {entry.Size} bytes, and gave {length}."
                    : $"The file's size changed from {entry.Size} to {now.Size} bytes while it was read.",
                "Back it up again at a quiet time, or from a snapshot.",
                Full(entry)));
        }
        else if (entry.Metadata.Changed > _scope.RacySince())
        {
            flags |= EntryFlags.Racy;
        }

        return entry with { Size = length, Flags = flags };
    }

    private async ValueTask TakeUnreadableAsync(ManifestEntry entry, KnownEntries known, BackupException failure)
    {
        if (failure.Id == BackupErrorId.SourceItemVanished)
        {
            _scope.Skip(Full(entry), failure);
            return;
        }

        _scope.Skip(Full(entry), failure);
        await KeepEarlierAsync(entry, known.Previous).ConfigureAwait(false);
        if (_baseline.Lost is { } damage)
        {
            SkipLost(entry, damage);
        }

        if ((known.Previous?.Kind ?? entry.Kind) == EntryKind.Directory)
        {
            await foreach (ManifestEntry below in _baseline.ReadBelowAsync(entry.Path, lost => SkipLost(entry, lost), CancellationToken.None).ConfigureAwait(false))
            {
                _monitor.AddItem(below.Kind == EntryKind.File);
                await SendAsync(new Draft.Complete(below with { Flags = below.Flags | EntryFlags.KeptFromEarlier })).ConfigureAwait(false);
            }
        }
    }

    private void SkipLost(ManifestEntry folder, BackupException lost)
    {
        string path = Full(folder);
        _scope.Skip(path, new BackupException(
            lost.Id,
            $"'{path}' cannot be read now, and a part of what the last recovery point has of it cannot be read in the vault: {lost.Message}",
            "Make the folder readable and back up again. Earlier points keep what they have of it.",
            path));
    }

    // What cannot be read is not absent: the earlier version stays, and where there is none, its place.
    private ValueTask KeepEarlierAsync(ManifestEntry entry, ManifestEntry? previous)
    {
        _monitor.AddItem(entry.Kind == EntryKind.File);
        return SendAsync(new Draft.Complete(previous is not null
            ? previous with { Flags = previous.Flags | EntryFlags.KeptFromEarlier }
            : entry with { Flags = EntryFlags.Unreadable }));
    }

    private async ValueTask SendAsync(Draft draft)
    {
        await _drafts.WriteAsync(draft, CancellationToken.None).ConfigureAwait(false);
        await _bundler.CountAsync(draft is Draft.FileChunk chunk ? chunk.Length : 0).ConfigureAwait(false);
    }

    private void CountRead(int length)
    {
        _monitor.AddBytes(length);
        _monitor.AddReadBytes(length);
    }

    private string Full(ManifestEntry entry) => SourcePath.Join(PathText.Local, _rootText, entry.Path);
}
