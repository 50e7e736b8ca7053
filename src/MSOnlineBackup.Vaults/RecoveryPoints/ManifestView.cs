using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>An entry, and its place in the order of its manifest: from 0, which is the root.</summary>
internal readonly record struct PlacedEntry(long Ordinal, ManifestEntry Entry);

/// <summary>Entries directly in a folder, and what could not be read beside them.</summary>
/// <param name="Entries">The entries, in order.</param>
/// <param name="Damage">Null where everything could be read.</param>
/// <param name="IsLast">Whether the folder ends here.</param>
internal readonly record struct PlacedPage(IReadOnlyList<PlacedEntry> Entries, BackupException? Damage, bool IsLast);

/// <summary>
/// Looks into a manifest anywhere: by path, by place, folder by folder. An entry's place is its number in the manifest's order, which its blocks' totals tell, so that
/// whoever has only the number finds the entry. Thread-safe.
/// </summary>
/// <param name="blocks">Where its blocks are.</param>
/// <param name="root">The manifest.</param>
internal sealed class ManifestView(ManifestBlocks blocks, ManifestRoot root)
{
    /// <summary>How many entries it has.</summary>
    public long Count => root.Entries;

    /// <summary>The entry at a path; null where there is none.</summary>
    /// <exception cref="BackupException">VaultDataCorrupt, VaultDataMissing: the block that would have it cannot be read.</exception>
    public async ValueTask<PlacedEntry?> FindAsync(EntryPath path, CancellationToken cancellationToken)
    {
        OpenLeaf leaf = await DescendAsync(path, cancellationToken).ConfigureAwait(false);
        int index = leaf.FindFirst(path);
        return index < leaf.Entries.Length && leaf.Entries[index].Path == path
            ? new PlacedEntry(leaf.First + index, leaf.Entries[index])
            : leaf.Damage is { } damage && index == leaf.Entries.Length ? throw damage
            : null;
    }

    /// <summary>The entry at a place.</summary>
    /// <param name="ordinal">The place, from 0.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="BackupException">VaultDataCorrupt, VaultDataMissing: its block cannot be read.</exception>
    public async ValueTask<ManifestEntry> GetAsync(long ordinal, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(ordinal);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(ordinal, root.Entries);
        BlockPlace place = BlockPlace.OfRoot(root);
        long first = 0;
        DecodedBlock block = await blocks.GetAsync(place, cancellationToken).ConfigureAwait(false);
        while (place.Level > 0)
        {
            Throw(block);
            int child = Array.BinarySearch(block.Before, ordinal - first);
            child = child < 0 ? ~child - 1 : child;
            first += block.Before[child];
            place = ChildOf(place, block, child);
            block = await blocks.GetAsync(place, cancellationToken).ConfigureAwait(false);
        }

        return ordinal - first < block.Entries.Length
            ? block.Entries[ordinal - first]
            : throw block.Damage ?? ManifestFormat.Damaged(place.Block.Id, "it does not have the totals that the node above states");
    }

    /// <summary>Entries directly in a folder, in order. What lies deeper is passed over without being read.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="after">The place of the one that was had last; null to begin.</param>
    /// <param name="most">How many are wanted, from 1.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async ValueTask<PlacedPage> ListAsync(EntryPath folder, long? after, int most, CancellationToken cancellationToken)
    {
        var page = new List<PlacedEntry>(Math.Min(most, 256));
        EntryPath at = after is { } last ? EndOf((await GetAsync(last, cancellationToken).ConfigureAwait(false)).Path) : EndOfName(folder);
        BackupException? damage = null;
        int nameAt = folder.IsRoot ? 0 : folder.Bytes.Length + 1;
        for (OpenLeaf? open = null; page.Count < most;)
        {
            OpenLeaf leaf = open is { } reached && !(reached.End is { } end && at >= end)
                ? reached
                : await DescendAsync(at, cancellationToken).ConfigureAwait(false);
            open = leaf;
            int index = leaf.FindFirst(at);
            if (index == leaf.Entries.Length)
            {
                damage ??= leaf.Damage;
                if (leaf.End is not { } next || !next.IsAtOrBelow(folder))
                {
                    return new PlacedPage(page, damage, IsLast: true);
                }

                // A folder whose own entry is in a damaged block may go on in the next.
                at = next;
                open = null;
                continue;
            }

            ManifestEntry entry = leaf.Entries[index];
            if (!entry.Path.IsAtOrBelow(folder))
            {
                return new PlacedPage(page, damage, IsLast: true);
            }

            int deeper = entry.Path.Bytes.Length > nameAt ? entry.Path.Bytes[nameAt..].IndexOf((byte)'/') : -1;
            if (deeper < 0 && entry.Path.Bytes.Length > folder.Bytes.Length)
            {
                page.Add(new PlacedEntry(leaf.First + index, entry));
            }

            at = deeper < 0 ? EndOf(entry.Path) : EndOf(new EntryPath(entry.Path.Bytes[..(nameAt + deeper)].ToArray()));
        }

        return new PlacedPage(page, damage, IsLast: false);
    }

    // After everything below a path and before all else: no name has a NUL, and only '/' is below it.
    private static EntryPath EndOf(EntryPath path) => new([.. path.Bytes, 0]);

    // The first that can be in a folder: after the folder itself.
    private static EntryPath EndOfName(EntryPath folder) => folder.IsRoot ? new EntryPath([1]) : new EntryPath([.. folder.Bytes, (byte)'/']);

    private static void Throw(DecodedBlock block)
    {
        if (block.Damage is { } damage)
        {
            throw damage;
        }
    }

    private static BlockPlace ChildOf(BlockPlace place, DecodedBlock block, int child) => new(
        block.Children[child], place.Level - 1, IsTop: false, child + 1 < block.Children.Length ? block.Children[child + 1].FirstPath : place.End);

    // To the leaf that would hold a path; to the damaged block that stands where it would be.
    private async ValueTask<OpenLeaf> DescendAsync(EntryPath path, CancellationToken cancellationToken)
    {
        BlockPlace place = BlockPlace.OfRoot(root);
        long first = 0;
        DecodedBlock block = await blocks.GetAsync(place, cancellationToken).ConfigureAwait(false);
        while (place.Level > 0 && block.Damage is null)
        {
            int child = FindChild(block.Children, path);
            first += block.Before[child];
            place = ChildOf(place, block, child);
            block = await blocks.GetAsync(place, cancellationToken).ConfigureAwait(false);
        }

        return new OpenLeaf(block.Entries, first, place.End, block.Damage);
    }

    // The last child that begins at or before the path; the first where none does.
    private static int FindChild(ManifestBlock[] children, EntryPath path)
    {
        int low = 0;
        int high = children.Length - 1;
        while (low < high)
        {
            int middle = low + ((high - low + 1) / 2);
            (low, high) = children[middle].FirstPath <= path ? (middle, high) : (low, middle - 1);
        }

        return low;
    }

    /// <summary>A leaf that was come to.</summary>
    /// <param name="Entries">Its entries.</param>
    /// <param name="First">The place of the first.</param>
    /// <param name="End">Where the next block begins; null for the last.</param>
    /// <param name="Damage">What is wrong with it.</param>
    private readonly record struct OpenLeaf(ManifestEntry[] Entries, long First, EntryPath? End, BackupException? Damage)
    {
        /// <summary>The index of the first entry at or after a path.</summary>
        public int FindFirst(EntryPath path)
        {
            int low = 0;
            int high = Entries.Length;
            while (low < high)
            {
                int middle = (low + high) / 2;
                (low, high) = Entries[middle].Path < path ? (middle + 1, high) : (low, middle);
            }

            return low;
        }
    }
}
