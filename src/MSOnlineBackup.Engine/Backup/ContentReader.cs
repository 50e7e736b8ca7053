using MSOnlineBackup.Engine.Chunking;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Engine.Backup;

/// <summary>
/// Reads long contents, of files and of named streams: run by run, cut by what they hold, with their holes. Memory: one chunk. What says that the content is
/// complete is sent by whoever asked for it.
/// </summary>
/// <param name="drafts">Where chunks and holes go.</param>
internal sealed class ContentReader(SourceDrafts drafts)
{
    private const int ReadLength = 256 << 10;

    private readonly Chunker _chunker = new(drafts.Scope.Store.Keys.GearTable);

    /// <summary>Reads a content.</summary>
    /// <param name="file">Open.</param>
    /// <param name="size">What its size is said to be, in bytes.</param>
    /// <param name="position">How much of it is sent already.</param>
    /// <param name="toEnd">Whether it is read to its end, whatever its size is said to be.</param>
    /// <param name="isProgress">Whether its bytes count among those that the job expects: those of files.</param>
    /// <param name="afterChunk">Called when a chunk is sent.</param>
    /// <returns>How many bytes it has, and whether it was read to its end in spite of its size.</returns>
    /// <exception cref="BackupException">It cannot be read on: what was sent of it is given up.</exception>
    public async ValueTask<(long Length, bool ToEnd)> ReadAsync(
        ISourceFile file, long size, long position, bool toEnd, bool isProgress, Func<ValueTask> afterChunk)
    {
        long limit = toEnd ? long.MaxValue : size;
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
                    await SendHoleAsync(start - position, isProgress).ConfigureAwait(false);
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

                        CountRead(read, isProgress);
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
                            await afterChunk().ConfigureAwait(false);
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
                    await SendHoleAsync(end - position, isProgress).ConfigureAwait(false);
                    position = end;
                }

                if (toEnd || !IsSizeWrong(size, file))
                {
                    return (position, toEnd);
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
    }

    /// <summary>Whether a file has bytes behind the end that was told: file systems of programs, of networks and of the kernel tell sizes that are not. What lies
    /// there is read too.</summary>
    public static bool IsSizeWrong(long size, ISourceFile file)
    {
        Span<byte> beyond = stackalloc byte[1];
        return file.Read(size, beyond) > 0 && file.Stat().Size <= size;
    }

    /// <summary>Counts what was read.</summary>
    /// <param name="length">How many bytes.</param>
    /// <param name="isProgress">Whether they count among those that the job expects.</param>
    public void CountRead(int length, bool isProgress = true)
    {
        drafts.Scope.Monitor.AddBytes(isProgress ? length : 0);
        drafts.Scope.Monitor.AddReadBytes(length);
    }

    // Holes are not asked for where the size says nothing.
    private static bool TryGetDataRun(ISourceFile file, long position, bool toEnd, out long start, out long length)
    {
        (start, length) = (position, long.MaxValue - position);
        return toEnd || file.TryGetDataRun(position, out start, out length);
    }

    private async ValueTask SendHoleAsync(long length, bool isProgress)
    {
        if (length > 0)
        {
            drafts.Scope.Monitor.AddBytes(isProgress ? length : 0);
            await drafts.SendAsync(new Draft.FileSlice(new ContentSlice(null, 0, length))).ConfigureAwait(false);
        }
    }

    private async ValueTask SendChunkAsync(byte[] buffer, int length)
    {
        var name = new TaskCompletionSource<ChunkId>(TaskCreationOptions.RunContinuationsAsynchronously);
        await drafts.Scope.Session.Chunks.SubmitAsync(buffer, length, name).ConfigureAwait(false);
        await drafts.SendAsync(new Draft.FileChunk(name.Task, length)).ConfigureAwait(false);
    }
}
