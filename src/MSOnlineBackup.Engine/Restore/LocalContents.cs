using System.Buffers;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Engine.Restore;

/// <summary>
/// The vault's contents that the target has already. The name of a chunk is a hash of its bytes: where the files at the target have bytes
/// that make the name, they are the chunk, and nothing is fetched. A bundle is made up of all the files that are in it.
/// </summary>
internal sealed class LocalContents(ChunkStore store, IRestoreTarget target, int workers)
{
    /// <summary>Gives files the chunks that are at the target.</summary>
    /// <returns>Those that are not.</returns>
    public async Task<IReadOnlyCollection<NeededChunk>> TakeAsync(IReadOnlyList<NeededChunk> chunks, CancellationToken cancellationToken)
    {
        if (!chunks.Any(HasCandidate))
        {
            return chunks;
        }

        bool[] found = new bool[chunks.Count];
        var options = new ParallelOptions { CancellationToken = cancellationToken, MaxDegreeOfParallelism = workers };
        await Parallel.ForAsync(0, chunks.Count, options, async (i, token) =>
        {
            if (HasCandidate(chunks[i]))
            {
                found[i] = await TryTakeAsync(chunks[i], token).ConfigureAwait(false);
            }
        }).ConfigureAwait(false);
        return [.. chunks.Where((_, i) => !found[i])];
    }

    private static bool HasCandidate(NeededChunk chunk)
    {
        foreach (ChunkUse use in chunk.Uses)
        {
            if (use.File?.Existing is not null)
            {
                return true;
            }
        }

        return false;
    }

    private async ValueTask<bool> TryTakeAsync(NeededChunk chunk, CancellationToken cancellationToken)
    {
        int length = chunk.Uses.Max(use => use.ChunkOffset + use.Length);
        if (length > ChunkCodec.MaxRawLength)
        {
            return false;
        }

        byte[] buffer = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            bool[] isSource = new bool[chunk.Uses.Count];
            if (!TryRead(chunk, buffer.AsSpan(0, length), isSource) || store.Identity.Compute(ChunkKind.Content, buffer.AsSpan(0, length)) != chunk.Id)
            {
                return false;
            }

            for (int i = 0; i < isSource.Length; i++)
            {
                ChunkUse use = chunk.Uses[i];
                use.File!.Write(use.FileOffset, buffer.AsSpan(use.ChunkOffset, use.Length), isWholeChunk: use.Length == length, isSource[i]);
                await use.File.ReleaseAsync(cancellationToken).ConfigureAwait(false);
            }

            return true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    // Puts a chunk together from the places that need it, where these leave no gap.
    private bool TryRead(NeededChunk chunk, Span<byte> bytes, bool[] isSource)
    {
        int[] order = [.. Enumerable.Range(0, chunk.Uses.Count).OrderBy(i => chunk.Uses[i].ChunkOffset)];
        int done = 0;
        foreach (int i in order)
        {
            ChunkUse use = chunk.Uses[i];
            if (use.ChunkOffset > done)
            {
                return false;
            }

            if (use.ChunkOffset == done && use.File!.Existing is { } existing && existing.Size >= use.FileOffset + use.Length)
            {
                if (!TryRead(existing, use.FileOffset, bytes.Slice(done, use.Length)))
                {
                    continue;
                }

                isSource[i] = true;
                done += use.Length;
            }
        }

        return done == bytes.Length;
    }

    private bool TryRead(ManifestEntry existing, long offset, Span<byte> bytes)
    {
        try
        {
            return target.Read(existing, offset, bytes) == bytes.Length;
        }
        catch (BackupException fault) when (RestoreFault.IsOfOneItem(fault))
        {
            return false;
        }
    }
}
