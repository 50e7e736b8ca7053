using System.Buffers;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Restore;

/// <summary>Contents of files as a snapshot of this machine has them, one file after the other, while the walk is at it.</summary>
/// <param name="job">The restore.</param>
internal sealed class SnapshotContents(RestoreJob job) : IItemContents
{
    /// <summary>How much is read at once.</summary>
    internal const int ReadLength = 1 << 20;

    private readonly HardLinks<RestoreFile> _links = new();
    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(ReadLength);

    /// <summary>The item that the walk is at.</summary>
    public SourceItem? Current { get; set; }

    /// <summary>Writes a file, or finds it there; or gives one a further name.</summary>
    public async ValueTask BeginFileAsync(RestoreItem item, CancellationToken cancellationToken)
    {
        if (_links.TryGetFirst(item.Entry, out RestoreFile? first))
        {
            first.AddLink(item);
            return;
        }

        var file = new RestoreFile(job, item);
        _links.Add(item.Entry, file);
        try
        {
            Read(file, item.Entry.Size, cancellationToken);
        }
        catch (BackupException fault) when (fault.IsOfSourceItem)
        {
            file.Fail(fault);
        }

        await file.ReleaseAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public ValueTask<bool> IsAtAsync(ManifestEntry entry, ManifestEntry existing, CancellationToken cancellationToken)
    {
        byte[] there = ArrayPool<byte>.Shared.Rent(ReadLength);
        try
        {
            using ISourceFile source = Current!.Open();
            for (long offset = 0; offset < entry.Size; offset += ReadLength)
            {
                cancellationToken.ThrowIfCancellationRequested();
                int length = ReadAll(source, offset, entry.Size);
                if (job.Target.Read(existing, offset, there.AsSpan(0, length)) != length || !there.AsSpan(0, length).SequenceEqual(_buffer.AsSpan(0, length)))
                {
                    return ValueTask.FromResult(false);
                }
            }

            return ValueTask.FromResult(true);
        }
        catch (BackupException fault) when (fault.IsOfSourceItem)
        {
            return ValueTask.FromResult(false);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(there);
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<StreamToRestore> StreamsOf(ManifestEntry entry)
    {
        SourceItem item = Current!;
        return [.. item.LongStreams.Select(stream => new StreamToRestore(stream.Name, stream.Size, _ => ReadAsync(item, stream)))];
    }

    private async IAsyncEnumerable<StreamPart> ReadAsync(SourceItem item, SourceStream stream)
    {
        using ISourceFile source = item.OpenStream(stream);
        await Task.CompletedTask.ConfigureAwait(false);
        long offset = 0;
        while (offset < stream.Size)
        {
            bool hasMore = source.TryGetDataRun(offset, out long start, out long length);
            long end = hasMore ? Math.Min(start + length, stream.Size) : stream.Size;
            start = hasMore ? Math.Min(start, stream.Size) : stream.Size;
            if (start > offset)
            {
                yield return new StreamPart(start - offset, default);
            }

            for (offset = start; offset < end;)
            {
                int read = ReadAll(source, offset, end);
                yield return new StreamPart(read, _buffer.AsMemory(0, read));
                offset += read;
            }
        }
    }

    private void Read(RestoreFile file, long size, CancellationToken cancellationToken)
    {
        using ISourceFile source = Current!.Open();
        long offset = 0;
        while (offset < size)
        {
            bool hasMore = source.TryGetDataRun(offset, out long start, out long length);
            long end = hasMore ? Math.Min(start + length, size) : size;
            start = hasMore ? Math.Min(start, size) : size;
            if (start > offset && file.IsCompared)
            {
                file.SkipHole(offset, start - offset);
            }

            for (offset = start; offset < end;)
            {
                cancellationToken.ThrowIfCancellationRequested();
                int read = ReadAll(source, offset, end);
                file.Write(offset, _buffer.AsSpan(0, read), isWholeChunk: true);
                offset += read;
            }
        }
    }

    // What a read-only snapshot says of a file's size is so.
    private int ReadAll(ISourceFile source, long offset, long end)
    {
        int wanted = (int)Math.Min(ReadLength, end - offset);
        int length = 0;
        while (length < wanted)
        {
            int read = source.Read(offset + length, _buffer.AsSpan(length, wanted - length));
            if (read == 0)
            {
                throw new BackupException(
                    BackupErrorId.SourceItemChanged,
                    $"A file in the local snapshot ended at {offset + length} bytes, before its size.",
                    "Restore it from the vault.");
            }

            length += read;
        }

        return length;
    }
}
