using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Vaults.Maintenance;

/// <summary>
/// Marks what recovery points need, from their manifests alone: no content is read. What cannot be read is said, for then nobody knows what lies below it, and nothing
/// that is not marked may be taken for unneeded.
/// </summary>
/// <param name="marks">Gets the marks.</param>
/// <param name="workers">How many blocks are read at a time.</param>
internal sealed class Marker(ChunkMarks marks, int workers)
{
    private readonly ConcurrentDictionary<ChunkId, byte> _lists = new();
    private readonly ConcurrentDictionary<string, BackupException> _damage = new(StringComparer.Ordinal);
    private BlockWalk? _walk;
    private MarkingReader? _reader;

    /// <summary>What could not be read so far.</summary>
    public IReadOnlyCollection<BackupException> Damage => [.. _damage.Values];

    /// <summary>Marks what some points need.</summary>
    /// <param name="store">Where they are read; what was marked by others before is not read again.</param>
    /// <param name="points">The points; what cannot be read of them is said as well.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task MarkAsync(ChunkStore store, IAsyncEnumerable<PointReading> points, CancellationToken cancellationToken)
    {
        _reader ??= new MarkingReader(marks);
        _walk ??= new BlockWalk(_reader, workers);
        _reader.Store = store;
        await _walk.RunAsync(RootsAsync(points, cancellationToken), VisitAsync, cancellationToken).ConfigureAwait(false);
    }

    private async IAsyncEnumerable<ManifestRoot> RootsAsync(IAsyncEnumerable<PointReading> points, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (PointReading reading in points.WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            if (reading.Point is not { } point)
            {
                Note(reading.Damage!);
                continue;
            }

            foreach (ChunkId list in point.SkippedItems)
            {
                marks.TryMark(list);
            }

            foreach (RecoveryPointSource source in point.Sources)
            {
                yield return source.Manifest;
            }
        }
    }

    private async ValueTask VisitAsync(WalkedLeaf leaf, CancellationToken cancellationToken)
    {
        ChunkId last = default;
        while (leaf.MoveNext())
        {
            if (leaf.Kind != EntryKind.File)
            {
                continue;
            }

            Mark(leaf.Content.Slices, ref last);
            foreach (SliceListReference list in leaf.Content.Lists)
            {
                if (_lists.TryAdd(list.Id, 0))
                {
                    try
                    {
                        Mark(await new EntryContentReader(_reader!).ReadListAsync(list, cancellationToken).ConfigureAwait(false), ref last);
                    }
                    catch (BackupException e) when (e.IsDamage)
                    {
                        Note(e);
                    }
                }
            }
        }

        if (leaf.Damage is { } damage)
        {
            Note(damage);
        }
    }

    // Small files lie in one bundle, one after the other.
    private void Mark(IReadOnlyList<ContentSlice> slices, ref ChunkId last)
    {
        foreach (ContentSlice slice in slices)
        {
            if (slice.Chunk is { } id && id != last)
            {
                marks.TryMark(id);
                last = id;
            }
        }
    }

    private void Note(BackupException damage) => _damage.TryAdd(damage.Target ?? string.Empty, damage);

    /// <summary>Marks each block that is read.</summary>
    private sealed class MarkingReader(ChunkMarks marks) : IChunkReader
    {
        private volatile ChunkStore? _store;

        public ChunkStore Store
        {
            set => _store = value;
        }

        public bool Contains(ChunkId id) => _store!.Contains(id);

        public ValueTask<ReadOnlyMemory<byte>> ReadAsync(ChunkKind kind, ChunkId id, CancellationToken cancellationToken)
        {
            marks.TryMark(id);
            return _store!.ReadAsync(kind, id, cancellationToken);
        }
    }
}
