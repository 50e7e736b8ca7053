using System.Runtime.CompilerServices;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Engine.Restore;

/// <summary>Contents as a vault has them: the name of a chunk is a hash of its bytes, so what is at the target is compared without fetching most of it.</summary>
/// <param name="store">Where contents are.</param>
/// <param name="target">Where the restore writes to.</param>
/// <param name="identifies">Whether chunks are identified by what they give.</param>
internal sealed class VaultContents(ChunkStore store, IRestoreTarget target, bool identifies) : IItemContents
{
    private readonly EntryContentReader _contents = new(store);

    /// <inheritdoc/>
    public async ValueTask<bool> IsAtAsync(ManifestEntry entry, ManifestEntry existing, CancellationToken cancellationToken)
    {
        byte[] buffer = System.Buffers.ArrayPool<byte>.Shared.Rent((int)Math.Clamp(entry.Size, 1, ChunkCodec.MaxRawLength));
        try
        {
            long offset = 0;
            await foreach (ContentSlice slice in _contents.ReadAsync(entry.Content, cancellationToken).ConfigureAwait(false))
            {
                bool isSame = slice.Chunk is { } chunk
                    ? await HasSliceAsync(chunk, slice.Offset, existing, offset, buffer.AsMemory(0, (int)slice.Length), cancellationToken).ConfigureAwait(false)
                    : target.IsZero(existing, offset, slice.Length);
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

    /// <inheritdoc/>
    public IReadOnlyList<StreamToRestore> StreamsOf(ManifestEntry entry) =>
        [.. entry.LongStreams.Select(stream => new StreamToRestore(stream.Name, stream.Length, stopping => ReadAsync(stream.Content, stopping)))];

    // One chunk at a time.
    private async IAsyncEnumerable<StreamPart> ReadAsync(EntryContent content, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (ContentSlice slice in _contents.ReadAsync(content, cancellationToken).ConfigureAwait(false))
        {
            ReadOnlyMemory<byte> bytes = default;
            if (slice.Chunk is { } chunk)
            {
                bytes = await ReadAsync(chunk, cancellationToken).ConfigureAwait(false);
                bytes = slice.Offset + slice.Length <= bytes.Length
                    ? bytes.Slice(slice.Offset, (int)slice.Length)
                    : throw VaultDamage.Corrupt(chunk.ToString(), "the recovery point names bytes beyond its end");
            }

            yield return new StreamPart(slice.Length, bytes);
        }
    }

    private async ValueTask<ReadOnlyMemory<byte>> ReadAsync(ChunkId chunk, CancellationToken cancellationToken)
    {
        try
        {
            return await store.ReadAsync(ChunkKind.Content, chunk, identify: identifies, cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException fault) when (fault.IsDamage)
        {
            // Some other copy may do; packs that no index names are asked too.
            await store.SurveyPacksAsync(cancellationToken).ConfigureAwait(false);
            return await store.ReadAsync(ChunkKind.Content, chunk, identify: identifies, cancellationToken).ConfigureAwait(false);
        }
    }

    private async ValueTask<bool> HasSliceAsync(
        ChunkId chunk, int chunkOffset, ManifestEntry existing, long offset, Memory<byte> there, CancellationToken cancellationToken)
    {
        if (target.Read(existing, offset, there.Span) != there.Length)
        {
            return false;
        }

        if (chunkOffset == 0 && store.Identity.Compute(ChunkKind.Content, there.Span) == chunk)
        {
            return true;
        }

        ReadOnlyMemory<byte> content = await store.ReadAsync(ChunkKind.Content, chunk, identify: identifies, cancellationToken).ConfigureAwait(false);
        return chunkOffset + there.Length <= content.Length && content.Span.Slice(chunkOffset, there.Length).SequenceEqual(there.Span);
    }
}
