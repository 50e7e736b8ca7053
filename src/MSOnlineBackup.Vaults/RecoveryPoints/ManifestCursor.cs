using MSOnlineBackup.Vaults.Chunks;

namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>
/// A place in a manifest that only moves forward. Inside a leaf it moves without waiting; between leaves it reads what the
/// tree says it must, and where leaves are read one after the other the next is fetched ahead.
/// </summary>
/// <remarks>One caller at a time. Memory: two leaves, and one node per level.</remarks>
internal sealed class ManifestCursor
{
    private readonly IChunkReader _chunks;
    private readonly ManifestRoot _root;
    private readonly Stack<OpenNode> _nodes = new();
    private LeafReader? _leaf;
    private ManifestBlock _leafBlock;
    private EntryPath? _leafEnd;
    private bool _started;
    private bool _onEntry;
    private (ChunkId Id, Task<ReadOnlyMemory<byte>> Content)? _ahead;

    /// <summary>A cursor before the first entry.</summary>
    public ManifestCursor(IChunkReader chunks, ManifestRoot root)
    {
        if (root.Depth is < 0 or > ManifestFormat.MaxDepth)
        {
            throw ManifestFormat.Damaged(root.Id, $"a manifest cannot be {root.Depth} levels deep");
        }

        _chunks = chunks;
        _root = root;
    }

    /// <summary>Whether the cursor is on an entry: not before the first, nor beyond the last.</summary>
    public bool IsOnEntry => _onEntry;

    /// <summary>The path of the entry that the cursor is on.</summary>
    public ReadOnlySpan<byte> Path => Leaf.Path;

    /// <summary>Whether the entry that the cursor is on is a folder.</summary>
    public bool IsDirectory => Leaf.IsDirectory;

    /// <summary>The entry that the cursor is on, as an object of its own.</summary>
    public ManifestEntry Current => Leaf.ToEntry();

    private LeafReader Leaf => _onEntry ? _leaf! : throw new InvalidOperationException("The cursor is not on an entry.");

    /// <summary>Goes on to the next entry; false at the end.</summary>
    public ValueTask<bool> MoveNextAsync(CancellationToken cancellationToken)
    {
        if (_onEntry && StepInLeaf())
        {
            return ValueTask.FromResult(true);
        }

        return NextLeafAndScanAsync(EntryPath.Root, cancellationToken);
    }

    /// <summary>Goes on to the first entry that is at or after a path; false where there is none.</summary>
    public ValueTask<bool> SeekAsync(EntryPath path, CancellationToken cancellationToken) =>
        IsBeforeLeafEnd(path) && ScanLeaf(path)
            ? ValueTask.FromResult(true)
            : NextLeafAndScanAsync(path, cancellationToken);

    /// <summary>Passes over everything before a path; the entry at the path, or null where there is none.</summary>
    public ValueTask<ManifestEntry?> AdvanceToAsync(EntryPath path, CancellationToken cancellationToken)
    {
        if (IsBeforeLeafEnd(path))
        {
            ScanLeaf(path);
            return ValueTask.FromResult(EntryAt(path));
        }

        return LoadAndAdvanceAsync(path, cancellationToken);
    }

    /// <summary>Everything below a folder, the folder itself not included; the cursor is beyond it afterwards.</summary>
    public async IAsyncEnumerable<ManifestEntry> ReadBelow(
        EntryPath folder,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        for (bool more = await SeekAsync(folder, cancellationToken).ConfigureAwait(false);
            more && EntryPath.IsAtOrBelow(Path, folder.Bytes);
            more = await MoveNextAsync(cancellationToken).ConfigureAwait(false))
        {
            if (Path.Length != folder.Bytes.Length)
            {
                yield return Current;
            }
        }
    }

    // A leaf ends where the next block begins: nothing at or after that can be in it.
    private bool IsBeforeLeafEnd(EntryPath path) => _leaf is not null && (_leafEnd is not { } end || path < end);

    private bool ScanLeaf(EntryPath path)
    {
        while (_onEntry && EntryPath.Compare(_leaf!.Path, path.Bytes) < 0)
        {
            StepInLeaf();
        }

        return _onEntry;
    }

    private bool StepInLeaf()
    {
        // Where the entry is damaged, so is what follows it: the way on is the next leaf.
        _onEntry = false;
        _onEntry = _leaf!.MoveNext();
        if (!_onEntry && _leafEnd is { } end && EntryPath.Compare(_leaf.Path, end.Bytes) >= 0)
        {
            throw ManifestFormat.Damaged(_leafBlock.Id, "its entries reach into the next block");
        }

        return _onEntry;
    }

    private ManifestEntry? EntryAt(EntryPath path) =>
        _onEntry && _leaf!.Path.SequenceEqual(path.Bytes) ? _leaf.ToEntry() : null;

    private async ValueTask<ManifestEntry?> LoadAndAdvanceAsync(EntryPath path, CancellationToken cancellationToken)
    {
        if (!await LoadLeafAsync(path, cancellationToken).ConfigureAwait(false))
        {
            return null;
        }

        ScanLeaf(path);
        return EntryAt(path);
    }

    private async ValueTask<bool> NextLeafAndScanAsync(EntryPath path, CancellationToken cancellationToken)
    {
        while (await LoadLeafAsync(path, cancellationToken).ConfigureAwait(false))
        {
            if (ScanLeaf(path))
            {
                return true;
            }
        }

        return false;
    }

    // Goes on to the leaf that would hold the path; to the next one where that is passed already.
    private async ValueTask<bool> LoadLeafAsync(EntryPath path, CancellationToken cancellationToken)
    {
        if (!_started)
        {
            _started = true;
            var totals = new ManifestTotals(_root.Entries, _root.Files, _root.Directories, _root.Bytes);
            await DescendAsync(new ManifestBlock(default, _root.Id, totals), _root.Depth, null, path, cancellationToken).ConfigureAwait(false);
            return true;
        }

        while (_nodes.TryPeek(out OpenNode? node))
        {
            int from = node.Index + 1;
            if (from < node.Children.Length && (node.End is not { } end || path < end))
            {
                node.Index = node.FindChild(path, from);
                await DescendAsync(node.Child, node.Level - 1, node.ChildEnd, path, cancellationToken).ConfigureAwait(false);
                if (node.Level == 1 && node.Index == from)
                {
                    FetchAhead(node, cancellationToken);
                }

                return true;
            }

            _nodes.Pop();
        }

        _leaf = null;
        _onEntry = false;
        return false;
    }

    private async ValueTask DescendAsync(ManifestBlock block, int level, EntryPath? end, EntryPath path, CancellationToken cancellationToken)
    {
        // Where a block is damaged the cursor stands before the next one, and may be asked to go on.
        _leaf = null;
        _onEntry = false;
        for (; level > 0; level--)
        {
            ReadOnlyMemory<byte> content = await _chunks.ReadAsync(ChunkKind.ManifestNode, block.Id, cancellationToken).ConfigureAwait(false);
            ManifestBlock[] children = NodeBlock.Read(content, block.Id, level, block.Totals);
            if ((_nodes.Count > 0 && children[0].FirstPath != block.FirstPath) || (end is { } limit && children[^1].FirstPath >= limit))
            {
                throw ManifestFormat.Damaged(block.Id, "it does not begin and end where the node above says");
            }

            var node = new OpenNode(level, children, end);
            node.Index = node.FindChild(path, 0);
            _nodes.Push(node);
            block = node.Child;
            end = node.ChildEnd;
        }

        _leaf = new LeafReader(block.Id, await ReadLeafAsync(block.Id, cancellationToken).ConfigureAwait(false));
        _leafBlock = block;
        _leafEnd = end;
        _onEntry = false;
        StepInLeaf();
        if (_nodes.Count > 0 && !(_onEntry && _leaf.Path.SequenceEqual(block.FirstPath.Bytes)))
        {
            throw ManifestFormat.Damaged(block.Id, "it does not begin where the node above says");
        }
    }

    private async ValueTask<ReadOnlyMemory<byte>> ReadLeafAsync(ChunkId id, CancellationToken cancellationToken)
    {
        if (_ahead is { } ahead && ahead.Id == id)
        {
            _ahead = null;
#pragma warning disable VSTHRD003 // Started here, by FetchAhead; nothing in the engine has a context to block.
            return await ahead.Content.ConfigureAwait(false);
#pragma warning restore VSTHRD003
        }

        return await _chunks.ReadAsync(ChunkKind.ManifestLeaf, id, cancellationToken).ConfigureAwait(false);
    }

    // On another core: opening a leaf is work, not only waiting. What fails here fails again, and is told, when it is needed.
    private void FetchAhead(OpenNode node, CancellationToken cancellationToken)
    {
        if (node.Index + 1 < node.Children.Length)
        {
            ChunkId next = node.Children[node.Index + 1].Id;
            _ahead = (next, Task.Run(() => _chunks.ReadAsync(ChunkKind.ManifestLeaf, next, cancellationToken).AsTask(), cancellationToken));
        }
    }

    /// <summary>A node on the way down to the leaf, and which of its children the way takes.</summary>
    private sealed class OpenNode(int level, ManifestBlock[] children, EntryPath? end)
    {
        public int Level => level;

        public ManifestBlock[] Children => children;

        public EntryPath? End => end;

        public int Index { get; set; }

        public ManifestBlock Child => children[Index];

        public EntryPath? ChildEnd => Index + 1 < children.Length ? children[Index + 1].FirstPath : end;

        // The last child that begins at or before the path, but none before the given one.
        public int FindChild(EntryPath path, int from)
        {
            int low = from;
            int high = children.Length - 1;
            while (low < high)
            {
                int middle = low + ((high - low + 1) / 2);
                if (children[middle].FirstPath <= path)
                {
                    low = middle;
                }
                else
                {
                    high = middle - 1;
                }
            }

            return low;
        }
    }
}
