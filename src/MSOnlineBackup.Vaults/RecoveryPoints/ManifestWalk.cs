using System.Runtime.CompilerServices;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>
/// Walks many manifests in order, one after the other. What is settled in a block is settled in all of them: the second manifest costs what it does not share
/// with the first. A block is passed over, with all below it, once everything in it is settled; see <see cref="WalkedLeaf.IsSettled"/>. Whoever needs no order
/// takes <see cref="BlockWalk"/>.
/// </summary>
/// <remarks>Some blocks are read ahead, on other cores. One caller at a time. Memory: the blocks that are read ahead, and a <see cref="BlockSet"/>.</remarks>
/// <param name="chunks">Where the blocks are.</param>
/// <param name="isKnown">Whether a block is known to be settled before the walk begins; null where none is.</param>
internal sealed class ManifestWalk(IChunkReader chunks, Func<BlockPlace, bool>? isKnown = null)
{
    // Of each node on the way down; a leaf has 128 KiB or so.
    private const int MostAhead = 4;

    private readonly BlockSet _settled = new();

    /// <summary>The leaves of a manifest that are not settled yet, and the blocks that cannot be read.</summary>
    public async IAsyncEnumerable<WalkedLeaf> ReadAsync(ManifestRoot root, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var top = BlockPlace.OfRoot(root);
        if (!IsSettled(top))
        {
            OpenedBlock opened = await OpenAsync(top, cancellationToken).ConfigureAwait(false);
            await foreach (WalkedLeaf leaf in DescendAsync(opened, new Subtree(), cancellationToken).ConfigureAwait(false))
            {
                yield return leaf;
            }
        }
    }

    private async IAsyncEnumerable<WalkedLeaf> DescendAsync(OpenedBlock opened, Subtree above, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        bool isSettled;
        if (opened.Children is null)
        {
            var leaf = new WalkedLeaf(opened.Place, opened.Leaf, opened.Damage);
            yield return leaf;
            isSettled = leaf.IsSettled && leaf.WasReadWhole;
        }
        else
        {
            var below = new Subtree();
            IEnumerable<BlockPlace> open = opened.Children.Where(child => !IsSettled(child));
            await foreach (OpenedBlock child in ReadAhead.SelectAsync(open, MostAhead, OpenAsync, cancellationToken).ConfigureAwait(false))
            {
                await foreach (WalkedLeaf leaf in DescendAsync(child, below, cancellationToken).ConfigureAwait(false))
                {
                    yield return leaf;
                }
            }

            isSettled = below.IsSettled;
        }

        if (isSettled)
        {
            _settled.Add(opened.Place);
        }
        else
        {
            above.IsSettled = false;
        }
    }

    private bool IsSettled(BlockPlace place) => _settled.Contains(place) || isKnown?.Invoke(place) == true;

    // Opening a block is work, not only waiting.
    private Task<OpenedBlock> OpenAsync(BlockPlace place, CancellationToken cancellationToken) =>
        Task.Run(() => OpenedBlock.ReadAsync(chunks, place, cancellationToken), cancellationToken);

    private sealed class Subtree
    {
        public bool IsSettled { get; set; } = true;
    }
}
