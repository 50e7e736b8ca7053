using MSOnlineBackup.Engine.Chunking;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Engine.Backup;

/// <summary>Reads the contents of files: small ones into bundles, large ones into chunks, with their holes.</summary>
/// <param name="drafts">Where what is read goes.</param>
/// <param name="stored">What the vault has.</param>
/// <param name="sizeUnknown">Whether files are read to their end, whatever size the stat told (a stream).</param>
/// <param name="stop">Ends a large file between two chunks; <see cref="Current"/> then says how far it is.</param>
internal sealed class FileReader(SourceDrafts drafts, StoredContents stored, bool sizeUnknown, CancellationToken stop)
{
    private const int ReadLength = 256 << 10;

    // A small file that changes while it is read is read this often.
    private const int MaxReads = 3;

    private readonly Chunker _chunker = new(drafts.Scope.Store.Keys.GearTable);

    /// <summary>The large file in which the reading was stopped; its slices so far are all sent.</summary>
    public ManifestEntry? Current { get; private set; }

    /// <summary>Takes a file.</summary>
    /// <param name="entry">What its stat told.</param>
    /// <param name="file">Open.</param>
    /// <param name="known">What is known of it from before.</param>
    public async ValueTask TakeAsync(ManifestEntry entry, ISourceFile file, KnownEntries known)
    {
        if (sizeUnknown || (entry.Size == 0 && IsSizeWrong(entry, file)))
        {
            await TakeLargeAsync(entry, file, null, toEnd: true).ConfigureAwait(false);
        }
        else if (entry.Size == 0)
        {
            await drafts.SendAsync(new Draft.Complete(entry)).ConfigureAwait(false);
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
    }

    // File systems of programs, of networks and of the kernel tell sizes that are not: what lies beyond the end that was told is read too.
    private static bool IsSizeWrong(ManifestEntry entry, ISourceFile file)
    {
        Span<byte> beyond = stackalloc byte[1];
        return file.Read(entry.Size, beyond) > 0 && file.Stat().Size <= entry.Size;
    }

    private async ValueTask TakeSmallAsync(ManifestEntry entry, ISourceFile file)
    {
        int length;
        ManifestEntry now;
        for (int reads = 1; ; reads++)
        {
            Memory<byte> room = await drafts.Bundler.ReserveAsync((int)entry.Size).ConfigureAwait(false);
            length = 0;
            while (length < room.Length && file.Read(length, room.Span[length..]) is > 0 and int read)
            {
                length += read;
            }

            if (length == room.Length && IsSizeWrong(entry, file))
            {
                await TakeLargeAsync(entry, file, null, toEnd: true).ConfigureAwait(false);
                return;
            }

            // What changed meanwhile is read again, while that costs next to nothing.
            now = file.Stat() with { Path = entry.Path };
            if (reads == MaxReads || entry.SameStateAs(now) || now.Size is 0 or > Bundler.MaxFileLength)
            {
                break;
            }

            drafts.Scope.Monitor.AddReadBytes(length);
            entry = entry with
            {
                Size = now.Size,
                Metadata = entry.Metadata with { Mode = now.Metadata.Mode, UserId = now.Metadata.UserId, GroupId = now.Metadata.GroupId, Modified = now.Metadata.Modified, Changed = now.Metadata.Changed },
            };
        }

        CountRead(length);
        entry = CheckAfterRead(entry, now, length);
        if (length == 0)
        {
            await drafts.SendAsync(new Draft.Complete(entry)).ConfigureAwait(false);
            return;
        }

        (Task<ChunkId> name, int offset) = await drafts.Bundler.CommitAsync(length).ConfigureAwait(false);
        await drafts.SendAsync(new Draft.Bundled(entry, name, offset)).ConfigureAwait(false);
        if (entry.Metadata.LinkCount > 1)
        {
            drafts.Scope.Links.Add(entry, ContentOfAsync(name, offset, length));
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
        ChunkWriter chunks = drafts.Scope.Session.Chunks;
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
            await drafts.SendAsync(new Draft.FileGivenUp()).ConfigureAwait(false);
            throw;
        }
        finally
        {
            chunks.ReturnBuffer(buffer);
        }

        entry = CheckAfterRead(entry, sizeUnknown ? entry : file.Stat() with { Path = entry.Path }, position, toEnd);
        TaskCompletionSource<EntryContent>? content = null;
        if (entry.Metadata.LinkCount > 1)
        {
            content = new TaskCompletionSource<EntryContent>(TaskCreationOptions.RunContinuationsAsynchronously);
            drafts.Scope.Links.Add(entry, content.Task);
        }

        await drafts.SendAsync(new Draft.FileEnd(entry, content)).ConfigureAwait(false);
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
        if (!await stored.HaveAsync(begun).ConfigureAwait(false))
        {
            return 0;
        }

        long position = 0;
        await foreach (ContentSlice slice in stored.ReadAsync(begun).ConfigureAwait(false))
        {
            await drafts.SendAsync(new Draft.FileSlice(slice)).ConfigureAwait(false);
            position += slice.Length;
        }

        drafts.Scope.Monitor.AddBytes(position);
        return position;
    }

    private async ValueTask SendHoleAsync(long length)
    {
        if (length > 0)
        {
            drafts.Scope.Monitor.AddBytes(length);
            await drafts.SendAsync(new Draft.FileSlice(new ContentSlice(null, 0, length))).ConfigureAwait(false);
        }
    }

    private async ValueTask SendChunkAsync(byte[] buffer, int length)
    {
        var name = new TaskCompletionSource<ChunkId>(TaskCreationOptions.RunContinuationsAsynchronously);
        await drafts.Scope.Session.Chunks.SubmitAsync(buffer, length, name).ConfigureAwait(false);
        await drafts.SendAsync(new Draft.FileChunk(name.Task, length)).ConfigureAwait(false);
    }

    private async ValueTask CheckpointInsideAsync(ManifestEntry entry)
    {
        if (stop.IsCancellationRequested)
        {
            Current = entry;
            stop.ThrowIfCancellationRequested();
        }

        await drafts.CheckpointIfDueAsync(entry).ConfigureAwait(false);
    }

    private ManifestEntry CheckAfterRead(ManifestEntry entry, ManifestEntry now, long length, bool toEnd = false)
    {
        if (sizeUnknown)
        {
            return entry with { Size = length };
        }

        EntryFlags flags = EntryFlags.None;
        if ((length != entry.Size && !toEnd) || !entry.SameStateAs(now))
        {
            flags |= EntryFlags.ChangedWhileRead;
            drafts.Skip(entry, new BackupException(
                BackupErrorId.SourceItemChanged,
                length == entry.Size || toEnd ? "The file changed while it was being read; its copy may mix two states."
                    : now.Size == entry.Size ? $"The file system reports {entry.Size} bytes for the file, but {length} could be read."
                    : $"The file's size changed from {entry.Size} to {now.Size} bytes while it was being read.",
                "Back it up again when nothing writes to it, or from a snapshot.",
                drafts.Full(entry)));
        }
        else if (entry.Metadata.Changed > drafts.Scope.RacySince())
        {
            flags |= EntryFlags.Racy;
        }

        return entry with { Size = length, Flags = flags };
    }

    private void CountRead(int length)
    {
        drafts.Scope.Monitor.AddBytes(length);
        drafts.Scope.Monitor.AddReadBytes(length);
    }
}
