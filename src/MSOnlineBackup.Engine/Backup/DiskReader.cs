using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Engine.Backup;

/// <summary>
/// Reads disks on a grid: one chunk a block, blocks of zeroes as holes. Blocks that did not change since the recovery point that the source is compared with are taken over from it
/// without being read. Memory: one block, and one slice list of the earlier point.
/// </summary>
/// <param name="drafts">Where what is read goes.</param>
/// <param name="stored">What the vault has.</param>
/// <param name="stop">Ends a disk between two blocks; <see cref="Current"/> then says which.</param>
internal sealed class DiskReader(SourceDrafts drafts, StoredContents stored, CancellationToken stop)
{
    private ManifestEntry _entry = null!;
    private GriddedContent _content = null!;
    private byte[]? _buffer;

    // Zeroes up to the next data.
    private long _hole;

    /// <summary>The disk in which the reading was stopped; its slices so far are all sent, but for a hole.</summary>
    public ManifestEntry? Current { get; private set; }

    private int Grid => _content.BlockBytes;

    /// <summary>Takes a disk.</summary>
    /// <param name="entry">What it is to be in the recovery point.</param>
    /// <param name="content">What it is read from.</param>
    /// <param name="known">What is known of it from before.</param>
    /// <param name="session">The recovery point that <see cref="KnownEntries.Previous"/> is of; null where there is none.</param>
    /// <param name="isHealing">Whether that is what this very job has taken, some of which the vault has lost.</param>
    /// <param name="isTimeTold">Whether the same times in a checkpoint mean the same bytes.</param>
    /// <exception cref="BackupException">It cannot be read on: what was sent of it is given up.</exception>
    public async ValueTask TakeAsync(ManifestEntry entry, GriddedContent content, KnownEntries known, SessionId? session, bool isHealing, bool isTimeTold)
    {
        (_entry, _content, _hole) = (entry, content, 0);

        // Its drafts must not have to wait for a bundle.
        await drafts.Bundler.CloseAsync().ConfigureAwait(false);
        try
        {
            long begun = isTimeTold && known.Checkpoint is { } checkpoint && checkpoint.Flags.HasFlag(EntryFlags.Partial) && checkpoint.SameStateAs(entry)
                ? await TakeBegunAsync(checkpoint).ConfigureAwait(false)
                : 0;
            DiskChanges? changes = isHealing ? new DiskChanges(default, []) : ChangesSince(known.Previous, session);
            await TakeRestAsync(begun, known.Previous, changes).ConfigureAwait(false);
            await SendHoleAsync().ConfigureAwait(false);
        }
        catch (BackupException)
        {
            await drafts.SendAsync(new Draft.FileGivenUp()).ConfigureAwait(false);
            throw;
        }
        finally
        {
            if (_buffer is { } buffer)
            {
                drafts.Scope.Session.Chunks.ReturnBuffer(buffer);
                _buffer = null;
            }
        }

        bool isRacy = isTimeTold && entry.Metadata.Changed > drafts.Scope.RacySince();
        await drafts.SendAsync(new Draft.FileEnd(isRacy ? entry with { Flags = entry.Flags | EntryFlags.Racy } : entry, null)).ConfigureAwait(false);
    }

    // What a checkpoint has of this very state of the disk: its beginning.
    private async ValueTask<long> TakeBegunAsync(ManifestEntry checkpoint)
    {
        var blocks = new EarlierBlocks(stored, checkpoint.Content, _entry.Size, Grid);
        long end = blocks.Length < _entry.Size ? blocks.Length - (blocks.Length % Grid) : _entry.Size;
        await TakeOverAsync(blocks, 0, end).ConfigureAwait(false);
        return end;
    }

    private async ValueTask TakeRestAsync(long from, ManifestEntry? previous, DiskChanges? changes)
    {
        if (changes is null || previous is null)
        {
            await ReadAsync(from, _entry.Size).ConfigureAwait(false);
            return;
        }

        var blocks = new EarlierBlocks(stored, previous.Content, _entry.Size, Grid);
        foreach (DiskPart part in DiskPart.Divide(_entry.Size, blocks.Length, changes, Grid))
        {
            long start = Math.Max(from, part.Start);
            if (start < part.End && part.IsKnown)
            {
                await TakeOverAsync(blocks, start, part.End).ConfigureAwait(false);
            }
            else if (start < part.End)
            {
                await ReadAsync(start, part.End).ConfigureAwait(false);
            }
        }

        if (blocks.HasLost)
        {
            drafts.Scope.Store.NoteLoss();
        }

        if (blocks.IsOfOtherGrid)
        {
            Note($"the recovery point {changes.Since} has it cut into other pieces than blocks of {Grid:N0} bytes");
        }
    }

    // What was written since the previous point; null where that is not to be relied on.
    private DiskChanges? ChangesSince(ManifestEntry? previous, SessionId? session)
    {
        if (_content.Disk.Changes is not { } changes || drafts.Scope.Request.ReadEverything)
        {
            return null;
        }

        string? why = previous is null ? "no recovery point to be compared with has it"
            : previous.Kind != EntryKind.File || (previous.Flags & ~EntryFlags.Racy) != EntryFlags.None ? $"the recovery point {session} does not have it as it was then"
            : changes.Since != session ? $"what changed is known since the recovery point {changes.Since}, and it is compared with {session}"
            : !DiskPart.IsOrdered(changes) ? "what is said to have changed is not in order"
            : null;
        if (why is null)
        {
            return changes;
        }

        Note(why);
        return null;
    }

    private void Note(string why) => drafts.Scope.Monitor.Note($"'{drafts.Full(_entry)}' is read whole: {why}. What the vault has already is not stored again.");

    private async ValueTask TakeOverAsync(EarlierBlocks blocks, long from, long to)
    {
        long position = from;
        await foreach (EarlierPart part in blocks.ReadAsync(from, to).ConfigureAwait(false))
        {
            // What lies between the parts is lost, or was cut otherwise.
            await ReadAsync(position, part.Start).ConfigureAwait(false);
            long length = part.End - part.Start;
            if (part.List is { } list)
            {
                await SendHoleAsync().ConfigureAwait(false);
                await drafts.SendListAsync(list, part.Slices!).ConfigureAwait(false);
            }
            else if (part.Slice.Chunk is null)
            {
                _hole += length;
            }
            else
            {
                await SendHoleAsync().ConfigureAwait(false);
                await drafts.SendAsync(new Draft.FileSlice(part.Slice)).ConfigureAwait(false);
            }

            drafts.Scope.Monitor.AddBytes(length);
            position = part.End;
            await BetweenBlocksAsync().ConfigureAwait(false);
        }

        await ReadAsync(position, to).ConfigureAwait(false);
    }

    private async ValueTask ReadAsync(long from, long to)
    {
        long position = from;
        while (position < to)
        {
            bool hasData = _content.Disk.TryGetDataRun(position, out long start, out long length) && start < to;
            long first = hasData ? Math.Max(position, start - (start % Grid)) : to;
            _hole += first - position;
            drafts.Scope.Monitor.AddBytes(first - position);
            position = first;
            long end = !hasData ? to : length > to - start ? to : Math.Min(to, DiskPart.RoundUp(start + length, Grid));
            while (position < end)
            {
                int count = (int)Math.Min(Grid, end - position);
                await ReadBlockAsync(position, count).ConfigureAwait(false);
                position += count;
                await BetweenBlocksAsync().ConfigureAwait(false);
            }
        }
    }

    private async ValueTask ReadBlockAsync(long position, int count)
    {
        ChunkWriter chunks = drafts.Scope.Session.Chunks;
        byte[] buffer = _buffer ??= await chunks.RentBufferAsync().ConfigureAwait(false);
        _content.Disk.Read(position, buffer.AsSpan(0, count));
        drafts.Scope.Monitor.AddBytes(count);
        drafts.Scope.Monitor.AddReadBytes(count);
        if (!buffer.AsSpan(0, count).ContainsAnyExcept((byte)0))
        {
            _hole += count;
            return;
        }

        await SendHoleAsync().ConfigureAwait(false);
        _buffer = null;
        var name = new TaskCompletionSource<ChunkId>(TaskCreationOptions.RunContinuationsAsynchronously);
        await chunks.SubmitAsync(buffer, count, name).ConfigureAwait(false);
        await drafts.SendAsync(new Draft.FileChunk(name.Task, count)).ConfigureAwait(false);
    }

    private async ValueTask SendHoleAsync()
    {
        if (_hole > 0)
        {
            var hole = new ContentSlice(null, 0, _hole);
            _hole = 0;
            await drafts.SendAsync(new Draft.FileSlice(hole)).ConfigureAwait(false);
        }
    }

    private async ValueTask BetweenBlocksAsync()
    {
        if (stop.IsCancellationRequested)
        {
            Current = _entry;
            stop.ThrowIfCancellationRequested();
        }

        await drafts.CheckpointIfDueAsync(_entry).ConfigureAwait(false);
    }
}
