using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Vaults.Maintenance;

/// <summary>
/// Marks what recovery points need, from their manifests alone: no content is read. What cannot be read is said, for then nobody knows what lies below it, and nothing
/// that is not marked may be taken for unneeded.
/// </summary>
/// <param name="mark">Gets each chunk, some of them more than once, from many threads: whether what lies below it is to be looked at too.</param>
/// <param name="workers">How many blocks are read at a time.</param>
internal sealed class Marker(Func<ChunkId, bool> mark, int workers)
{
    private readonly ConcurrentDictionary<ChunkId, byte> _lists = new();
    private readonly ConcurrentDictionary<string, BackupException> _damage = new(StringComparer.Ordinal);
    private BlockWalk? _walk;
    private CurrentReader? _reader;

    /// <param name="marks">Gets the marks.</param>
    /// <param name="workers">How many blocks are read at a time.</param>
    public Marker(ChunkMarks marks, int workers)
        : this(
            id =>
            {
                marks.TryMark(id);
                return true;
            },
            workers)
    {
    }

    /// <summary>What could not be read so far.</summary>
    public IReadOnlyCollection<BackupException> Damage => [.. _damage.Values];

    /// <summary>Marks what some points need.</summary>
    /// <param name="store">Where they are read; what was marked by others before is not read again.</param>
    /// <param name="points">The points; what cannot be read of them is said as well.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task MarkAsync(ChunkStore store, IAsyncEnumerable<PointReading> points, CancellationToken cancellationToken)
    {
        _reader ??= new CurrentReader();
        _walk ??= new BlockWalk(_reader, workers, mark);
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
                mark(list);
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
            // A folder may have streams, too.
            foreach (ItemContent part in leaf.Contents)
            {
                Mark(part.Content.Slices, ref last);
                foreach (SliceListReference list in part.Content.Lists)
                {
                    if (_lists.TryAdd(list.Id, 0) && mark(list.Id))
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
                mark(id);
                last = id;
            }
        }
    }

    private void Note(BackupException damage) => _damage.TryAdd(damage.Target ?? string.Empty, damage);

    private sealed class CurrentReader : IChunkReader
    {
        private volatile ChunkStore? _store;

        public ChunkStore Store
        {
            set => _store = value;
        }

        public bool Contains(ChunkId id) => _store!.Contains(id);

        public ValueTask<ReadOnlyMemory<byte>> ReadAsync(ChunkKind kind, ChunkId id, CancellationToken cancellationToken) => _store!.ReadAsync(kind, id, cancellationToken);
    }
}
