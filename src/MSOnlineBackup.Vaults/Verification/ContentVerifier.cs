using System.Collections.Concurrent;
using System.Globalization;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Index;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Vaults.Verification;

/// <summary>Verifies that what contents and recovery points name is there. Thread-safe.</summary>
/// <param name="chunks">The chunks.</param>
/// <param name="damaged">Chunks that are known not to open.</param>
internal sealed class ContentVerifier(PointChunks chunks, IReadOnlySet<ChunkId> damaged)
{
    // Lists of slices, and of skipped items: each is read once while it is whole.
    private readonly ConcurrentDictionary<ChunkId, byte> _soundLists = new();

    // What no pack has and parity gives, with its length.
    private readonly ConcurrentDictionary<ChunkId, int> _rescued = new();

    /// <summary>What is wrong with a list of skipped items; null where it is whole.</summary>
    public async ValueTask<BackupException?> FindDamageAsync(ChunkId skippedItems, CancellationToken cancellationToken)
    {
        if (_soundLists.ContainsKey(skippedItems))
        {
            return null;
        }

        try
        {
            SkippedItemsCodec.Read(skippedItems, (await chunks.ReadAsync(ChunkKind.SkippedItems, skippedItems, cancellationToken).ConfigureAwait(false)).Span);
            _soundLists.TryAdd(skippedItems, 0);
            return null;
        }
        catch (BackupException e) when (e.IsDamage)
        {
            return e;
        }
    }

    /// <summary>What is wrong with a file's content; null where it is whole.</summary>
    /// <param name="content">The content.</param>
    /// <param name="last">The chunk that was looked at last: small files lie in one bundle, one after the other.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async ValueTask<List<BackupException>?> FindDamageAsync(EntryContent content, LastChunk last, CancellationToken cancellationToken)
    {
        List<BackupException>? faults = FindDamage(content.Slices, last);
        faults = faults is null ? null : await FindLossAsync(content.Slices, last, cancellationToken).ConfigureAwait(false);
        foreach (SliceListReference list in content.Lists)
        {
            if (!_soundLists.ContainsKey(list.Id) && await FindDamageAsync(list, last, cancellationToken).ConfigureAwait(false) is { } found)
            {
                (faults ??= []).AddRange(found);
            }
        }

        return faults;
    }

    private async ValueTask<List<BackupException>?> FindDamageAsync(SliceListReference list, LastChunk last, CancellationToken cancellationToken)
    {
        try
        {
            IReadOnlyList<ContentSlice> slices = await new EntryContentReader(chunks).ReadListAsync(list, cancellationToken).ConfigureAwait(false);
            List<BackupException>? faults = FindDamage(slices, last);
            faults = faults is null ? null : await FindLossAsync(slices, last, cancellationToken).ConfigureAwait(false);
            if (faults is null)
            {
                _soundLists.TryAdd(list.Id, 0);
            }

            return faults;
        }
        catch (BackupException e) when (e.IsDamage)
        {
            return [e];
        }
    }

    // Where something is wrong: what parity gives is not lost.
    private async ValueTask<List<BackupException>?> FindLossAsync(IReadOnlyList<ContentSlice> slices, LastChunk last, CancellationToken cancellationToken)
    {
        foreach (ChunkId id in slices.Select(slice => slice.Chunk).OfType<ChunkId>().Distinct())
        {
            if (!_rescued.ContainsKey(id)
                && (damaged.Contains(id) || !chunks.TryFind(id, out _))
                && await chunks.MeasureRescuedAsync(id, cancellationToken).ConfigureAwait(false) is { } length)
            {
                _rescued.TryAdd(id, length);
            }
        }

        return FindDamage(slices, last);
    }

    private List<BackupException>? FindDamage(IReadOnlyList<ContentSlice> slices, LastChunk last)
    {
        List<BackupException>? faults = null;
        foreach (ContentSlice slice in slices)
        {
            if (FindDamage(slice, last) is { } fault)
            {
                (faults ??= []).Add(fault);
            }
        }

        return faults;
    }

    private BackupException? FindDamage(ContentSlice slice, LastChunk last)
    {
        if (slice.Chunk is not { } id)
        {
            return null;
        }

        if (id != last.Id && !_rescued.IsEmpty && _rescued.TryGetValue(id, out int rescued))
        {
            (last.Id, last.Length) = (id, rescued);
        }

        if (id != last.Id)
        {
            if (!chunks.TryFind(id, out ChunkLocation location))
            {
                return VaultDamage.Missing(id.ToString(), "Chunk");
            }

            if (damaged.Contains(id))
            {
                return VaultDamage.Unopened(id.ToString());
            }

            if (location.Chunk.Kind != ChunkKind.Content)
            {
                return VaultDamage.Corrupt(id.ToString(), "a file names it, and it holds no file's content");
            }

            chunks.Need(id, location.Pack);
            (last.Id, last.Length) = (id, location.Chunk.RawLength);
        }

        return slice.Offset + slice.Length <= last.Length
            ? null
            : VaultDamage.Corrupt(id.ToString(), string.Create(CultureInfo.InvariantCulture, $"a file names bytes up to {slice.Offset + slice.Length} of it, and it has {last.Length}"));
    }

    /// <summary>The sound chunk that was looked at last. Of one thread.</summary>
    internal sealed class LastChunk
    {
        public ChunkId Id { get; set; }

        public int Length { get; set; }
    }
}
