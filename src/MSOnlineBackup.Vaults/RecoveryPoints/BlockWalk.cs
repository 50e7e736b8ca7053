using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using MSOnlineBackup.Vaults.Chunks;

namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>
/// Walks many manifests at once and visits each block that they have once, however many of them have it: for whoever asks what there is, and not where. Blocks
/// come in no order, many at a time. Whoever needs the order, or every manifest that has a block, takes <see cref="ManifestWalk"/>.
/// </summary>
/// <remarks>
/// Depth first, so that memory is bounded: a block for each worker, the places of the blocks below the nodes that are open, and a <see cref="BlockSet"/>. The
/// next manifest is asked for when the others leave nothing to do. For one walk.
/// </remarks>
/// <param name="chunks">Where the blocks are. Is asked from many threads.</param>
/// <param name="workers">How many blocks are read and visited at a time, from 1.</param>
/// <param name="enters">Gets each block before it is read, from one thread at a time: whether it and what lies below it are wanted. Null where all are.</param>
internal sealed class BlockWalk(IChunkReader chunks, int workers, Func<ChunkId, bool>? enters = null)
{
    private readonly BlockSet _visited = new();
    private readonly BlockSet _unsettled = new();
    private readonly Lock _gate = new();

    // Found and not visited; the next is the last.
    private readonly Stack<BlockPlace> _open = new();
    private int _underWay;

    /// <summary>Whether every block could be read, and was settled by the visitor.</summary>
    public bool IsAllSettled => _unsettled.IsEmpty;

    /// <summary>Whether a leaf was read to its end, nothing was wrong with it, and the visitor was content; see <see cref="WalkedLeaf.IsSettled"/>.</summary>
    public bool IsSettledLeaf(BlockPlace place) => place.Level == 0 && _visited.Contains(place) && !_unsettled.Contains(place);

    /// <summary>Walks.</summary>
    /// <param name="roots">The manifests.</param>
    /// <param name="visit">Gets each leaf, and each block that cannot be read, once. Is called from many threads; what it throws ends the walk.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task RunAsync(IAsyncEnumerable<ManifestRoot> roots, Func<WalkedLeaf, CancellationToken, ValueTask> visit, CancellationToken cancellationToken)
    {
        using var done = new SemaphoreSlim(0);
        var options = new ParallelOptions { MaxDegreeOfParallelism = workers, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(FindAsync(roots, done, cancellationToken), options, async (place, token) =>
        {
            try
            {
                await VisitAsync(place, visit, token).ConfigureAwait(false);
            }
            finally
            {
                Interlocked.Decrement(ref _underWay);
                done.Release();
            }
        }).ConfigureAwait(false);
    }

    private async ValueTask VisitAsync(BlockPlace place, Func<WalkedLeaf, CancellationToken, ValueTask> visit, CancellationToken cancellationToken)
    {
        OpenedBlock opened = await OpenedBlock.ReadAsync(chunks, place, cancellationToken).ConfigureAwait(false);
        if (opened.Children is { } children)
        {
            lock (_gate)
            {
                for (int i = children.Length - 1; i >= 0; i--)
                {
                    _open.Push(children[i]);
                }
            }

            return;
        }

        var leaf = new WalkedLeaf(place, opened.Leaf, opened.Damage);
        await visit(leaf, cancellationToken).ConfigureAwait(false);
        if (!leaf.IsSettled || !leaf.WasReadWhole)
        {
            _unsettled.Add(place);
        }
    }

    // One thread at a time comes here.
    private async IAsyncEnumerable<BlockPlace> FindAsync(
        IAsyncEnumerable<ManifestRoot> roots, SemaphoreSlim done, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using IAsyncEnumerator<ManifestRoot> left = roots.GetAsyncEnumerator(cancellationToken);
        for (bool isLast = false; ;)
        {
            // Before the look at what is open: what is done has left there what it found.
            int underWay = Volatile.Read(ref _underWay);
            if (TryTake(out BlockPlace place))
            {
                if (_visited.Add(place) && enters?.Invoke(place.Block.Id) is not false)
                {
                    Interlocked.Increment(ref _underWay);
                    yield return place;
                }
            }
            else if (!isLast)
            {
                isLast = !await left.MoveNextAsync().ConfigureAwait(false);
                if (!isLast)
                {
                    Push(BlockPlace.OfRoot(left.Current));
                }
            }
            else if (underWay == 0)
            {
                yield break;
            }
            else
            {
                await done.WaitAsync(cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private void Push(BlockPlace place)
    {
        lock (_gate)
        {
            _open.Push(place);
        }
    }

    private bool TryTake([MaybeNullWhen(false)] out BlockPlace place)
    {
        lock (_gate)
        {
            return _open.TryPop(out place);
        }
    }
}
