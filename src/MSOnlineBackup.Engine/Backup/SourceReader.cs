using System.Threading.Channels;
using MSOnlineBackup.Engine.Chunking;
using MSOnlineBackup.Engine.Chunks;
using MSOnlineBackup.Engine.Errors;
using MSOnlineBackup.Engine.Jobs;
using MSOnlineBackup.Engine.RecoveryPoints;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Engine.Vaults;

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
    private readonly EntryContentReader _contents;
    private readonly CancellationToken _stop;
    private readonly JobMonitor _monitor;
    private ChunkId? _lastKnownChunk;

    // The large file in which the walk was stopped; its slices so far are all sent.
    private ManifestEntry? _current;

    /// <param name="tree">The source.</param>
    /// <param name="sizeUnknown">Whether files are read to their end, whatever size the stat told (a stream).</param>
    /// <param name="scope">What the whole job shares.</param>
    /// <param name="baseline">What is known from before.</param>
    /// <param name="drafts">Where the drafts go; holds at least <see cref="Bundler.MaxDrafts"/>, or the stages would wait for each other.</param>
    /// <param name="stop">Ends the walk in order: a last checkpoint is asked for, then <see cref="OperationCanceledException"/>.</param>
    public SourceReader(ISourceTree tree, bool sizeUnknown, BackupScope scope, Baseline baseline, ChannelWriter<Draft> drafts, CancellationToken stop)
    {
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
        _contents = new EntryContentReader(scope.Store);
    }

    public async Task RunAsync()
    {
        try
        {
            foreach (SourceItem item in _tree.Walk(CancellationToken.None))
            {
                _stop.ThrowIfCancellationRequested();
                await TakeAsync(item).ConfigureAwait(false);
                await _scope.WriteSkippedAsync(atLeast: 256).ConfigureAwait(false);
                if (!_bundler.IsOpen && _scope.IsCheckpointDue())
                {
                    await SendAsync(new Draft.Checkpoint(null)).ConfigureAwait(false);
                }
            }

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
        if (item.Failure is { } failure)
        {
            await TakeUnreadableAsync(entry, failure).ConfigureAwait(false);
            return;
        }

        KnownEntries known = await _baseline.AdvanceToAsync(entry.Path, CancellationToken.None).ConfigureAwait(false);
        try
        {
            if (!await TryTakeKnownAsync(entry, known).ConfigureAwait(false))
            {
                await TakeChangedAsync(item, known).ConfigureAwait(false);
            }
        }
        catch (BackupException e) when (e.Id == BackupErrorId.SourceItemVanished)
        {
            // Deleted while the job ran: it is not in the point, and the point's list says so.
            _scope.Skip(Full(entry), e);
        }
        catch (BackupException e) when (e.Id is BackupErrorId.SourceItemUnreadable or BackupErrorId.SourceItemChanged)
        {
            _scope.Skip(Full(entry), e);
            await KeepEarlierAsync(entry, known.Previous).ConfigureAwait(false);
        }
    }

    private async ValueTask<bool> TryTakeKnownAsync(ManifestEntry entry, KnownEntries earlier)
    {
        if (_scope.Request.ReadEverything || _sizeUnknown || earlier.Matching(entry) is not { } known || !HasInlineContent(known))
        {
            return false;
        }

        // Where the vault has lost what the entry names, reading the file again is what heals it.
        foreach (SliceListReference list in known.Content.Lists)
        {
            if (!await IsListThereAsync(list).ConfigureAwait(false))
            {
                return false;
            }
        }

        // The device's number may differ after a restart, so hard links are told by what the stat says now; by what was known where it says nothing,
        // as listings of Windows do: a further name would have changed the file's change time.
        if (entry.Metadata.LinkCount == 0)
        {
            EntryMetadata told = known.Metadata;
            entry = entry with { Metadata = entry.Metadata with { LinkCount = told.LinkCount, DeviceId = told.DeviceId, FileId = told.FileId } };
        }

        ManifestEntry carried = known with { Metadata = entry.Metadata, Flags = EntryFlags.None };
        if (!_scope.Links.TryGetFirst(entry, out _))
        {
            _scope.Links.Add(entry, Task.FromResult(carried.Content));
        }

        _scope.CountUnchanged(entry);
        await SendAsync(new Draft.Complete(carried)).ConfigureAwait(false);
        return true;
    }

    private bool HasInlineContent(ManifestEntry known)
    {
        IReadOnlyList<ContentSlice> slices = known.Content.Slices;
        for (int i = 0; i < slices.Count; i++)
        {
            if (slices[i].Chunk is { } chunk && !IsThere(chunk))
            {
                return false;
            }
        }

        return true;
    }

    private bool IsThere(ChunkId chunk)
    {
        // Neighbours share a bundle.
        if (_lastKnownChunk == chunk)
        {
            return true;
        }

        if (!_scope.Store.Contains(chunk))
        {
            return false;
        }

        _lastKnownChunk = chunk;
        return true;
    }

    private async ValueTask<bool> IsListThereAsync(SliceListReference list)
    {
        if (!_scope.Store.Contains(list.Id))
        {
            return false;
        }

        try
        {
            IReadOnlyList<ContentSlice> slices = await _contents.ReadListAsync(list, CancellationToken.None).ConfigureAwait(false);
            return slices.All(slice => slice.Chunk is not { } chunk || IsThere(chunk));
        }
        catch (BackupException e) when (e.IsDamage)
        {
            _scope.Store.Report(e);
            return false;
        }
    }

    private async ValueTask TakeChangedAsync(SourceItem item, KnownEntries known)
    {
        _monitor.WorkOn(() => Full(item.Entry));
        ManifestEntry entry = item.ReadDetails();
        if (entry.Kind != EntryKind.File)
        {
            _monitor.AddItem(isFile: false);
            await SendAsync(new Draft.Complete(entry)).ConfigureAwait(false);
            return;
        }

        _scope.CountRead(isNew: known.Previous is null);
        if (entry.Size == 0 && !_sizeUnknown)
        {
            _monitor.AddItem(isFile: true);
            await SendAsync(new Draft.Complete(entry)).ConfigureAwait(false);
            return;
        }

        if (_scope.Links.TryGetFirst(entry, out Task<EntryContent>? content))
        {
            _monitor.AddItem(isFile: true);
            _monitor.AddBytes(entry.Size);
            await SendAsync(new Draft.Linked(entry, content)).ConfigureAwait(false);
            return;
        }

        using ISourceFile file = item.Open();
        if (entry.Size <= Bundler.MaxFileLength && !_sizeUnknown)
        {
            await TakeSmallAsync(entry, file).ConfigureAwait(false);
        }
        else
        {
            ManifestEntry? begun = known.Checkpoint is { } earlier && earlier.Flags.HasFlag(EntryFlags.Partial) && earlier.SameStateAs(entry) ? earlier : null;
            await TakeLargeAsync(entry, file, begun).ConfigureAwait(false);
        }

        _monitor.AddItem(isFile: true);
    }

    private async ValueTask TakeSmallAsync(ManifestEntry entry, ISourceFile file)
    {
        Memory<byte> room = await _bundler.ReserveAsync((int)entry.Size).ConfigureAwait(false);
        int length = 0;
        while (length < room.Length && file.Read(length, room.Span[length..]) is > 0 and int read)
        {
            length += read;
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

    private async ValueTask TakeLargeAsync(ManifestEntry entry, ISourceFile file, ManifestEntry? begun)
    {
        long position = begun is null ? 0 : await TakeBegunAsync(begun).ConfigureAwait(false);
        long limit = _sizeUnknown ? long.MaxValue : entry.Size;
        ChunkWriter chunks = _scope.Session.Chunks;
        byte[] buffer = await chunks.RentBufferAsync().ConfigureAwait(false);
        int filled = 0;
        try
        {
            var scan = default(ChunkScan);
            while (position < limit && file.TryGetDataRun(position, out long start, out long length) && start < limit)
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

            if (!_sizeUnknown && position < limit)
            {
                // Behind the last data there is a hole, if the file still is as long as it was.
                long end = Math.Clamp(file.Stat().Size, position, limit);
                await SendHoleAsync(end - position).ConfigureAwait(false);
                position = end;
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

        entry = CheckAfterRead(entry, file, position);
        TaskCompletionSource<EntryContent>? content = null;
        if (entry.Metadata.LinkCount > 1)
        {
            content = new TaskCompletionSource<EntryContent>(TaskCreationOptions.RunContinuationsAsynchronously);
            _scope.Links.Add(entry, content.Task);
        }

        await SendAsync(new Draft.FileEnd(entry, content)).ConfigureAwait(false);
    }

    // What the checkpoint has of this very state of the file need not be read again.
    private async ValueTask<long> TakeBegunAsync(ManifestEntry begun)
    {
        if (!HasInlineContent(begun))
        {
            return 0;
        }

        foreach (SliceListReference list in begun.Content.Lists)
        {
            if (!await IsListThereAsync(list).ConfigureAwait(false))
            {
                return 0;
            }
        }

        long position = 0;
        await foreach (ContentSlice slice in _contents.ReadAsync(begun.Content, CancellationToken.None).ConfigureAwait(false))
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

    private ManifestEntry CheckAfterRead(ManifestEntry entry, ISourceFile file, long length)
    {
        if (_sizeUnknown)
        {
            return entry with { Size = length };
        }

        EntryFlags flags = EntryFlags.None;
        ManifestEntry now = file.Stat();
        if (length != entry.Size || !entry.SameStateAs(now with { Path = entry.Path }))
        {
            flags |= EntryFlags.ChangedWhileRead;
            _scope.Skip(Full(entry), new BackupException(
                BackupErrorId.SourceItemChanged,
                length == entry.Size ? "The file changed while it was read; its copy may mix two states." : $"The file's size changed from {entry.Size} to {now.Size} bytes while it was read.",
                "Back it up again at a quiet time, or from a snapshot.",
                Full(entry)));
        }
        else if (entry.Metadata.Changed > _scope.RacySince())
        {
            flags |= EntryFlags.Racy;
        }

        return entry with { Size = length, Flags = flags };
    }

    private async ValueTask TakeUnreadableAsync(ManifestEntry entry, BackupException failure)
    {
        KnownEntries known = await _baseline.AdvanceToAsync(entry.Path, CancellationToken.None).ConfigureAwait(false);
        if (failure.Id == BackupErrorId.SourceItemVanished)
        {
            _scope.Skip(Full(entry), failure);
            return;
        }

        _scope.Skip(Full(entry), failure);
        await KeepEarlierAsync(entry, known.Previous).ConfigureAwait(false);
        if (known.Previous?.Kind == EntryKind.Directory)
        {
            await foreach (ManifestEntry below in _baseline.ReadBelowAsync(entry.Path, CancellationToken.None).ConfigureAwait(false))
            {
                _monitor.AddItem(below.Kind == EntryKind.File);
                await SendAsync(new Draft.Complete(below with { Flags = below.Flags | EntryFlags.KeptFromEarlier })).ConfigureAwait(false);
            }
        }
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

    private string Full(ManifestEntry entry) => SourcePath.Join(_rootText, entry.Path);
}
