using System.Buffers.Binary;
using System.IO.Hashing;
using System.Runtime.CompilerServices;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>
/// Walks many manifests and visits each block once: recovery points share most of their blocks, so that the second costs what it does not share with the first.
/// A block is passed over, with all below it, once everything in it is settled; see <see cref="WalkedLeaf.IsSettled"/>.
/// </summary>
/// <remarks>
/// Blocks come in the order of their entries. Some are read ahead, on other cores. One caller at a time. Memory: 40 bytes for each block that is settled, and the
/// blocks that are read ahead.
/// </remarks>
internal sealed class ManifestWalk(IChunkReader chunks)
{
    // Of each node on the way down; a leaf has 128 KiB or so.
    private const int MostAhead = 4;

    // By their place too: that a block begins and ends where its node says, and holds what that says, is checked for each node that names it.
    private readonly Dictionary<ChunkId, ulong> _settled = [];

    /// <summary>The leaves of a manifest that are not settled yet, and the blocks that cannot be read.</summary>
    public async IAsyncEnumerable<WalkedLeaf> ReadAsync(ManifestRoot root, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var totals = new ManifestTotals(root.Entries, root.Files, root.Directories, root.Bytes);
        var top = new BlockPlace(new ManifestBlock(EntryPath.Root, root.Id, totals), root.Depth, IsTop: true, End: null);
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
            _settled[opened.Place.Block.Id] = opened.Place.Fingerprint();
        }
        else
        {
            above.IsSettled = false;
        }
    }

    private bool IsSettled(BlockPlace place) => _settled.TryGetValue(place.Block.Id, out ulong fingerprint) && fingerprint == place.Fingerprint();

    // Opening a block is work, not only waiting.
    private Task<OpenedBlock> OpenAsync(BlockPlace place, CancellationToken cancellationToken) => Task.Run(
        async () =>
        {
            ManifestBlock block = place.Block;
            try
            {
                ChunkKind kind = place.Level == 0 ? ChunkKind.ManifestLeaf : ChunkKind.ManifestNode;
                ReadOnlyMemory<byte> content = await chunks.ReadAsync(kind, block.Id, cancellationToken).ConfigureAwait(false);
                return place.Level == 0
                    ? new OpenedBlock(place, new LeafReader(block.Id, content), null, null)
                    : new OpenedBlock(place, null, place.Children(NodeBlock.Read(content, block.Id, place.Level, block.Totals)), null);
            }
            catch (BackupException e) when (e.IsDamage)
            {
                return new OpenedBlock(place, null, null, e);
            }
        },
        cancellationToken);

    private sealed class Subtree
    {
        public bool IsSettled { get; set; } = true;
    }

    private readonly record struct OpenedBlock(BlockPlace Place, LeafReader? Leaf, BlockPlace[]? Children, BackupException? Damage);
}

/// <summary>A block where a manifest has it.</summary>
/// <param name="Block">What the node above says of it.</param>
/// <param name="Level">How many levels above the leaves.</param>
/// <param name="IsTop">Whether no node is above it; then nothing is said of its first path.</param>
/// <param name="End">Where the next block begins; null for the last.</param>
internal readonly record struct BlockPlace(ManifestBlock Block, int Level, bool IsTop, EntryPath? End)
{
    /// <summary>The same for the same block in the same place.</summary>
    public ulong Fingerprint()
    {
        ReadOnlySpan<byte> first = Block.FirstPath.Bytes;
        Span<byte> numbers = stackalloc byte[6 * sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(numbers, Block.Totals.Entries);
        BinaryPrimitives.WriteInt64LittleEndian(numbers[8..], Block.Totals.Files);
        BinaryPrimitives.WriteInt64LittleEndian(numbers[16..], Block.Totals.Directories);
        BinaryPrimitives.WriteInt64LittleEndian(numbers[24..], Block.Totals.Bytes);
        BinaryPrimitives.WriteInt64LittleEndian(numbers[32..], IsTop ? -1 : first.Length);
        BinaryPrimitives.WriteInt64LittleEndian(numbers[40..], End is null ? -1 - Level : Level);
        var hash = new XxHash3();
        hash.Append(numbers);
        hash.Append(first);
        hash.Append(End is { } end ? end.Bytes : default);
        return hash.GetCurrentHashAsUInt64();
    }

    /// <summary>The places of the blocks below.</summary>
    /// <exception cref="BackupException">VaultDataCorrupt: they do not begin and end where the node above says.</exception>
    public BlockPlace[] Children(ManifestBlock[] children)
    {
        if ((!IsTop && children[0].FirstPath != Block.FirstPath) || (End is { } limit && children[^1].FirstPath >= limit))
        {
            throw ManifestFormat.Damaged(Block.Id, "it does not begin and end where the node above says");
        }

        var places = new BlockPlace[children.Length];
        for (int i = 0; i < children.Length; i++)
        {
            places[i] = new BlockPlace(children[i], Level - 1, IsTop: false, i + 1 < children.Length ? children[i + 1].FirstPath : End);
        }

        return places;
    }
}

/// <summary>A leaf that a walk has come to, read entry by entry; or a block that cannot be read.</summary>
internal sealed class WalkedLeaf(BlockPlace place, LeafReader? leaf, BackupException? damage)
{
    private ManifestTotals _totals;

    /// <summary>Where it is. A level above 0: a node that cannot be read, and with it all that is below.</summary>
    public BlockPlace Place => place;

    /// <summary>What is wrong with the block; known for certain when <see cref="MoveNext"/> has returned false.</summary>
    public BackupException? Damage { get; private set; } = damage;

    /// <summary>False to see this leaf again in the next manifest that has it. It is seen again too where it is damaged, or was not read to its end.</summary>
    public bool IsSettled { get; set; } = true;

    /// <summary>Whether it was read to its end, and nothing was wrong with it.</summary>
    public bool WasReadWhole { get; private set; }

    /// <summary>The path of the entry reached.</summary>
    public ReadOnlySpan<byte> Path => leaf!.Path;

    /// <summary>What the entry reached is.</summary>
    public EntryKind Kind => leaf!.Kind;

    /// <summary>The entry reached, as an object of its own.</summary>
    public ManifestEntry Current => leaf!.ToEntry();

    /// <summary>Goes on to the next entry; false at the end, and where the rest cannot be read.</summary>
    public bool MoveNext()
    {
        if (Damage is not null || WasReadWhole)
        {
            return false;
        }

        try
        {
            return Advance();
        }
        catch (BackupException e) when (e.IsDamage)
        {
            Damage = e;
            return false;
        }
    }

    private bool Advance()
    {
        bool isFirst = _totals.Entries == 0;
        bool more = leaf!.MoveNext();
        if (isFirst && !place.IsTop && !(more && leaf.Path.SequenceEqual(place.Block.FirstPath.Bytes)))
        {
            throw ManifestFormat.Damaged(place.Block.Id, "it does not begin where the node above says");
        }

        if (more)
        {
            _totals += ManifestTotals.Of(leaf.Kind, leaf.Size);
            return place.End is not { } end || EntryPath.Compare(leaf.Path, end.Bytes) < 0
                ? true
                : throw ManifestFormat.Damaged(place.Block.Id, "its entries reach into the next block");
        }

        WasReadWhole = _totals == place.Block.Totals ? true : throw ManifestFormat.Damaged(place.Block.Id, "it does not hold what was said of it");
        return false;
    }
}
