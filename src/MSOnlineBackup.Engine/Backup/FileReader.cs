using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Backup;

/// <summary>Reads the contents of files: small ones into bundles, large ones into chunks, with their holes.</summary>
/// <param name="drafts">Where what is read goes.</param>
/// <param name="contents">Reads large files.</param>
/// <param name="stored">What the vault has.</param>
/// <param name="sizeUnknown">Whether files are read to their end, whatever size the stat told (a stream).</param>
/// <param name="stop">Ends a large file between two chunks; <see cref="Current"/> then says how far it is.</param>
internal sealed class FileReader(SourceDrafts drafts, ContentReader contents, StoredContents stored, bool sizeUnknown, CancellationToken stop)
{
    // A small file that changes while it is read is read this often.
    private const int MaxReads = 3;

    // The long streams of the file under way.
    private IReadOnlyList<DraftedStream> _streams = [];

    /// <summary>The large file in which the reading was stopped; its slices so far are all sent.</summary>
    public ManifestEntry? Current { get; private set; }

    /// <summary>Takes a file.</summary>
    /// <param name="entry">What its stat told.</param>
    /// <param name="file">Open.</param>
    /// <param name="known">What is known of it from before.</param>
    /// <param name="streams">Its long streams, which were read before.</param>
    public async ValueTask TakeAsync(ManifestEntry entry, ISourceFile file, KnownEntries known, IReadOnlyList<DraftedStream> streams)
    {
        _streams = streams;
        if (sizeUnknown || (entry.Size == 0 && ContentReader.IsSizeWrong(entry.Size, file)))
        {
            await TakeLargeAsync(entry, file, null, toEnd: true).ConfigureAwait(false);
        }
        else if (entry.Size == 0)
        {
            entry = streams.Count == 0 ? entry : CheckAfterRead(entry, file.Stat() with { Path = entry.Path }, 0);
            await drafts.SendAsync(new Draft.Complete(entry) { Streams = _streams }).ConfigureAwait(false);
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

            if (length == room.Length && ContentReader.IsSizeWrong(entry.Size, file))
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

        contents.CountRead(length);
        entry = CheckAfterRead(entry, now, length);
        if (length == 0)
        {
            await drafts.SendAsync(new Draft.Complete(entry) { Streams = _streams }).ConfigureAwait(false);
            return;
        }

        (Task<ChunkId> name, int offset) = await drafts.Bundler.CommitAsync(length).ConfigureAwait(false);
        await drafts.SendAsync(new Draft.Bundled(entry, name, offset) { Streams = _streams }).ConfigureAwait(false);
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
        (position, toEnd) = await contents.ReadAsync(
            file, entry.Size, position, toEnd, isProgress: true, () => CheckpointInsideAsync(entry)).ConfigureAwait(false);
        entry = CheckAfterRead(entry, sizeUnknown ? entry : file.Stat() with { Path = entry.Path }, position, toEnd);
        TaskCompletionSource<EntryContent>? content = null;
        if (entry.Metadata.LinkCount > 1)
        {
            content = new TaskCompletionSource<EntryContent>(TaskCreationOptions.RunContinuationsAsynchronously);
            drafts.Scope.Links.Add(entry, content.Task);
        }

        await drafts.SendAsync(new Draft.FileEnd(entry, content) { Streams = _streams }).ConfigureAwait(false);
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
        }
        else if (entry.Metadata.Changed > drafts.Scope.RacySince())
        {
            flags |= EntryFlags.Racy;
        }

        if (drafts.Scope.Request.IsLive && flags == EntryFlags.ChangedWhileRead)
        {
            // The program's log says what it was; the next backup must not take it for known.
            flags = EntryFlags.Racy;
        }

        // A stream of it that changed is told already.
        if (flags.HasFlag(EntryFlags.ChangedWhileRead) && !entry.Flags.HasFlag(EntryFlags.ChangedWhileRead))
        {
            drafts.Skip(entry, new BackupException(
                BackupErrorId.SourceItemChanged,
                length == entry.Size || toEnd ? "The file changed while it was being read; its copy may mix two states."
                    : now.Size == entry.Size ? $"The file system reports {entry.Size} bytes for the file, but {length} could be read."
                    : $"The file's size changed from {entry.Size} to {now.Size} bytes while it was being read.",
                "Back it up again when nothing writes to it, or from a snapshot.",
                drafts.Full(entry)));
        }

        return entry with { Size = length, Flags = entry.Flags | flags };
    }
}
