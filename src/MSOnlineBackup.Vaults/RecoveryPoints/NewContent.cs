using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>A chunk that is new to a vault.</summary>
/// <param name="RawLength">Its length in bytes.</param>
/// <param name="StoredLength">How many bytes it takes up in a pack.</param>
internal readonly record struct NewChunk(int RawLength, int StoredLength);

/// <summary>Weighs what files have that their vault got after a reference was made, without reading any of it. One caller at a time.</summary>
/// <param name="chunks">Where slice lists are.</param>
/// <param name="find">A chunk that came after the reference; null for one that was there, or is lost.</param>
internal sealed class NewContent(IChunkReader chunks, Func<ChunkId, NewChunk?> find)
{
    // So much is remembered, in some 40 MiB; beyond it what files have in common counts for each of them.
    private const int MostRemembered = 1_000_000;

    private readonly EntryContentReader _contents = new(chunks);
    private readonly HashSet<ulong> _counted = [];

    /// <summary>What a file has that is new.</summary>
    /// <param name="earlier">The file as the reference has it; null where it has none.</param>
    /// <param name="now">The file.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>Bytes before compression, and what they take up in the vault.</returns>
    /// <exception cref="BackupException">VaultDataCorrupt and the like: a slice list cannot be read.</exception>
    public async ValueTask<(long New, long Stored)> WeighAsync(ManifestEntry? earlier, ManifestEntry now, CancellationToken cancellationToken)
    {
        long added = 0;
        double stored = 0;
        HashSet<ChunkId>? before = null;
        EntryContent content = earlier is null ? now.Content : Without(now.Content, earlier.Content);
        await foreach (ContentSlice slice in _contents.ReadAsync(content, cancellationToken).ConfigureAwait(false))
        {
            if (slice.Chunk is not { } id || find(id) is not { } chunk)
            {
                continue;
            }

            // Maintenance may have written the chunk anew.
            before ??= earlier is null ? [] : await ChunksOfAsync(Without(earlier.Content, now.Content), cancellationToken).ConfigureAwait(false);
            if (!before.Contains(id) && !IsCounted(id, slice.Offset))
            {
                added += slice.Length;
                stored += (double)slice.Length / Math.Max(1, chunk.RawLength) * chunk.StoredLength;
            }
        }

        return (added, (long)Math.Round(stored));
    }

    // Lists that both have need not be read.
    private static EntryContent Without(EntryContent content, EntryContent other) =>
        content.Lists.Count == 0 ? content : content with { Lists = [.. content.Lists.Except(other.Lists)] };

    private async ValueTask<HashSet<ChunkId>> ChunksOfAsync(EntryContent content, CancellationToken cancellationToken)
    {
        var known = new HashSet<ChunkId>();
        await foreach (ContentSlice slice in _contents.ReadAsync(content, cancellationToken).ConfigureAwait(false))
        {
            if (slice.Chunk is { } id && known.Count < MostRemembered)
            {
                known.Add(id);
            }
        }

        return known;
    }

    // Names of chunks are evenly spread: eight bytes tell them apart, and slices of one by where they begin.
    private bool IsCounted(ChunkId id, int offset)
    {
        ulong slice = unchecked(id.Prefix ^ ((ulong)(uint)offset * 0x9E37_79B9_7F4A_7C15));
        return _counted.Contains(slice) || (_counted.Count < MostRemembered && !_counted.Add(slice));
    }
}
