using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>
/// Walks many manifests side by side, in the order of full paths. A block that several of them have in one place is read once. Where what all owners share is of no
/// interest, it is not read at all: a block is passed over wherever all of them stand at its beginning. Blocks end where their content says so, so trees that are
/// mostly equal soon stand at the beginning of an equal block again, whatever was cut differently before it.
/// </summary>
/// <remarks>One caller at a time, for one walk. Memory: the nodes on the way, each once, and the leaves that are open, as many as differ at one path.</remarks>
internal sealed class SideBySideWalk
{
    // Of leaves that are sure to be read, so that a distant vault is asked for several at a time.
    private const int MostAhead = 16;
    private const int AheadOfOne = 4;
    private const int AheadOfDiffering = 8;

    private static readonly Comparer<BlockPlace> _byFirstPath = Comparer<BlockPlace>.Create((left, right) => left.Block.FirstPath.CompareTo(right.Block.FirstPath));

    private readonly IChunkReader _chunks;
    private readonly Action<BackupException> _damaged;
    private readonly bool _skipsCommon;
    private readonly PriorityQueue<Position, Position> _queue = new(Comparer<Position>.Create((left, right) => EntryPath.Compare(left.Key, right.Key)));
    private readonly byte[]?[] _unreadableTo;
    private readonly List<Lane> _lanes = [];
    private readonly Dictionary<ChunkId, Task<OpenedBlock>> _ahead = [];
    private readonly List<ClosedBlock> _closed = [];
    private readonly List<SharedLeaf> _open = [];

    /// <param name="chunks">Where the blocks are.</param>
    /// <param name="manifests">The manifests, in any order.</param>
    /// <param name="skipsCommon">Whether what all owners have in the same place is passed over unread.</param>
    /// <param name="damaged">Gets what cannot be read; the walk goes on behind it.</param>
    public SideBySideWalk(IChunkReader chunks, IEnumerable<WalkedManifest> manifests, bool skipsCommon, Action<BackupException> damaged)
    {
        (_chunks, _damaged, _skipsCommon) = (chunks, damaged, skipsCommon);
        int owners = 0;
        foreach (WalkedManifest manifest in manifests)
        {
            owners = Math.Max(owners, manifest.Owner + 1);
            var lane = new Lane(manifest);
            _lanes.Add(lane);
            Enqueue(lane, BlockPlace.OfRoot(manifest.Source.Manifest));
        }

        _unreadableTo = new byte[]?[owners];
    }

    /// <summary>The leaves that have an entry at the path reached, each standing on it.</summary>
    public IReadOnlyList<SharedLeaf> Leaves => _open;

    /// <summary>The path reached, see <see cref="WalkedManifest.KeyOf(PathForm, EntryPath)"/>.</summary>
    public ReadOnlySpan<byte> Key => _open[0].Key;

    /// <summary>Whether an owner may have an entry at the path reached that cannot be read.</summary>
    public bool IsUnreadable(int owner) => _unreadableTo[owner] is { } end && EntryPath.Compare(Key, end) < 0;

    /// <summary>Goes on to the next path that any of the manifests has; false at the end.</summary>
    public async ValueTask<bool> MoveNextAsync(CancellationToken cancellationToken)
    {
        foreach (SharedLeaf leaf in _open)
        {
            Step(leaf);
        }

        while (TakeNext())
        {
            if (_closed.Count == 0)
            {
                return true;
            }

            if (_skipsCommon && IsCommon())
            {
                foreach (ClosedBlock block in _closed)
                {
                    GoOn(block.Lane);
                }
            }
            else
            {
                await OpenHighestAsync(cancellationToken).ConfigureAwait(false);
            }
        }

        return false;
    }

    // All that stands at the lowest path.
    private bool TakeNext()
    {
        _closed.Clear();
        _open.Clear();
        if (!_queue.TryPeek(out Position? first, out _))
        {
            return false;
        }

        while (_queue.TryPeek(out Position? next, out _) && next.Key.SequenceEqual(first.Key))
        {
            _queue.Dequeue();
            switch (next)
            {
                case ClosedBlock block:
                    _closed.Add(block);
                    break;
                case SharedLeaf leaf:
                    _open.Add(leaf);
                    break;
            }
        }

        return true;
    }

    private bool IsCommon() =>
        _open.Count == 0
        && _closed.TrueForAll(block => block.IsSameAs(_closed[0]))
        && _closed.Select(block => block.Lane.Manifest.Owner).Distinct().Count() == _unreadableTo.Length;

    // The highest first: what begins there may turn out to be what the others have, block by block.
    private async ValueTask OpenHighestAsync(CancellationToken cancellationToken)
    {
        int level = _closed.Max(block => block.Place.Level);
        var groups = new List<List<ClosedBlock>>();
        foreach (ClosedBlock block in _closed)
        {
            if (block.Place.Level < level)
            {
                _queue.Enqueue(block, block);
            }
            else if (groups.Find(group => group[0].IsSameAs(block)) is { } known)
            {
                known.Add(block);
            }
            else
            {
                groups.Add([block]);
            }
        }

        foreach (SharedLeaf leaf in _open)
        {
            _queue.Enqueue(leaf, leaf);
        }

        _open.Clear();
        OpenedBlock[] opened = await Task.WhenAll(groups.Select(group => OpenAsync(group, cancellationToken))).ConfigureAwait(false);
        Lane[][] lanes = [.. groups.Select(group => group.Select(block => block.Lane).ToArray())];
        for (int i = 0; i < opened.Length; i++)
        {
            Enter(opened[i], lanes[i]);
        }

        // What differs is seen when all have been entered.
        foreach (Lane[] group in lanes)
        {
            ReadAhead(group[0], cancellationToken);
        }
    }

    // Of the next leaves of a node those that are sure to be read: all, or those that somebody else does not have.
    private void ReadAhead(Lane lane, CancellationToken cancellationToken)
    {
        if (!lane.Nodes.TryPeek(out (BlockPlace[] Children, int Index) node))
        {
            return;
        }

        int left = _skipsCommon ? AheadOfDiffering : AheadOfOne;
        for (int i = node.Index + 1; left > 0 && i < node.Children.Length && _ahead.Count < MostAhead; i++)
        {
            BlockPlace next = node.Children[i];
            if (next.Level != 0)
            {
                return;
            }

            if (!_skipsCommon || IsSureToDiffer(lane, next))
            {
                left--;
                if (!_ahead.ContainsKey(next.Block.Id))
                {
                    _ahead.Add(next.Block.Id, OpenAsync(next, cancellationToken));
                }
            }
        }
    }

    // Another one has it in view what comes in this place, and it is not this leaf.
    private bool IsSureToDiffer(Lane lane, BlockPlace leaf)
    {
        foreach (Lane other in _lanes)
        {
            if (other.Manifest.Owner != lane.Manifest.Owner
                && other.Manifest.Root.AsSpan().SequenceEqual(lane.Manifest.Root)
                && other.Nodes.TryPeek(out (BlockPlace[] Children, int Index) node)
                && node.Children[0].Level == 0
                && node.Children[0].Block.FirstPath <= leaf.Block.FirstPath
                && (node.Children[^1].End is not { } end || leaf.Block.FirstPath < end))
            {
                int at = Array.BinarySearch(node.Children, leaf, _byFirstPath);
                return at < 0 || node.Children[at].Block.Id != leaf.Block.Id;
            }
        }

        return false;
    }

    // It must end where the first of the next blocks begins, for whoever has it.
    private async Task<OpenedBlock> OpenAsync(List<ClosedBlock> group, CancellationToken cancellationToken)
    {
        BlockPlace place = group[0].Place;
        foreach (ClosedBlock block in group)
        {
            if (block.Place.End is { } end && (place.End is not { } least || end < least))
            {
                place = place with { End = end };
            }
        }

        if (_ahead.Remove(place.Block.Id, out Task<OpenedBlock>? known))
        {
#pragma warning disable VSTHRD003 // Started here, by ReadAhead; nothing in the engine has a context to block.
            return await known.ConfigureAwait(false) with { Place = place };
#pragma warning restore VSTHRD003
        }

        return await OpenAsync(place, cancellationToken).ConfigureAwait(false);
    }

    // Opening a block is work, not only waiting.
    private Task<OpenedBlock> OpenAsync(BlockPlace place, CancellationToken cancellationToken) =>
        Task.Run(() => OpenedBlock.ReadAsync(_chunks, place, cancellationToken), cancellationToken);

    private void Enter(OpenedBlock opened, Lane[] lanes)
    {
        if (opened.Damage is { } damage)
        {
            _damaged(damage);
            Lose(opened.Place, lanes);
            return;
        }

        if (opened.Leaf is { } leaf)
        {
            Step(new SharedLeaf(new WalkedLeaf(opened.Place, leaf, null), [.. lanes.Select(lane => lane.Manifest)], lanes));
            return;
        }

        foreach (Lane lane in lanes)
        {
            lane.Nodes.Push((opened.Children!, 0));
            Enqueue(lane, opened.Children![0]);
        }
    }

    // To the next entry of a leaf, or behind it.
    private void Step(SharedLeaf leaf)
    {
        if (leaf.Leaf.MoveNext())
        {
            leaf.SetKey();
            _queue.Enqueue(leaf, leaf);
            return;
        }

        if (leaf.Leaf.Damage is { } damage)
        {
            _damaged(damage);
            Lose(leaf.Leaf.Place, leaf.Lanes);
            return;
        }

        foreach (Lane lane in leaf.Lanes)
        {
            GoOn(lane);
        }
    }

    // What a block has from here on is not known.
    private void Lose(BlockPlace place, Lane[] lanes)
    {
        foreach (Lane lane in lanes)
        {
            byte[] end = place.End is { } next ? lane.Manifest.KeyOf(next) : lane.Manifest.End;
            ref byte[]? known = ref _unreadableTo[lane.Manifest.Owner];
            if (known is null || EntryPath.Compare(known, end) < 0)
            {
                known = end;
            }

            GoOn(lane);
        }
    }

    // To the block behind the one that the lane stands at.
    private void GoOn(Lane lane)
    {
        while (lane.Nodes.TryPop(out (BlockPlace[] Children, int Index) node))
        {
            int next = node.Index + 1;
            if (next < node.Children.Length)
            {
                lane.Nodes.Push((node.Children, next));
                Enqueue(lane, node.Children[next]);
                return;
            }
        }
    }

    private void Enqueue(Lane lane, BlockPlace place)
    {
        var block = new ClosedBlock(lane, place);
        _queue.Enqueue(block, block);
    }

    /// <summary>Something that stands at a path.</summary>
    internal abstract class Position
    {
        /// <summary>The path.</summary>
        public abstract ReadOnlySpan<byte> Key { get; }
    }

    /// <summary>The way of one manifest: the nodes down to where it stands, and which of their blocks it takes.</summary>
    internal sealed class Lane(WalkedManifest manifest)
    {
        public WalkedManifest Manifest => manifest;

        public Stack<(BlockPlace[] Children, int Index)> Nodes { get; } = new();
    }

    private sealed class ClosedBlock(Lane lane, BlockPlace place) : Position
    {
        private readonly byte[] _key = lane.Manifest.KeyOf(place.Block.FirstPath);

        public Lane Lane => lane;

        public BlockPlace Place => place;

        public override ReadOnlySpan<byte> Key => _key;

        // Where they end may differ: by that one reads no more or less in them.
        public bool IsSameAs(ClosedBlock other) =>
            place.Block.Id == other.Place.Block.Id
            && place.Level == other.Place.Level
            && place.Block.Totals == other.Place.Block.Totals
            && lane.Manifest.Root.AsSpan().SequenceEqual(other.Lane.Manifest.Root);
    }
}
