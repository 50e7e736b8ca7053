using System.Runtime.CompilerServices;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;

namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>
/// Finds by a pattern in which versions many recovery points have an item: machine by machine, in the order of full paths, in one pass over the blocks that the
/// points of a machine have, each of which is read once.
/// </summary>
/// <remarks>Memory: what a <see cref="SideBySideWalk"/> needs, and the versions of one path.</remarks>
/// <param name="chunks">Where the blocks are.</param>
/// <param name="pattern">The pattern.</param>
/// <param name="ignoreCase">Whether capital and small letters are the same.</param>
/// <param name="damaged">Gets what cannot be read; the search goes on behind it.</param>
internal sealed class VersionSearch(IChunkReader chunks, string pattern, bool ignoreCase, Action<BackupException> damaged)
{
    private readonly EntryComparison _entries = new(chunks, damaged);

    // A pattern is read as the paths of a point are written.
    private readonly Dictionary<PathForm, WildcardPattern> _wildcards = [];
    private readonly Dictionary<RecoveryPointSource, SearchedPath> _paths = new(ReferenceEqualityComparer.Instance);

    /// <summary>The versions of all items that match; of one item, one after the other, the newest first.</summary>
    public async IAsyncEnumerable<ItemVersion> FindAsync(IEnumerable<RecoveryPoint> points, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (IGrouping<MachineId, RecoveryPoint> machine in points.GroupBy(point => point.MachineId))
        {
            RecoveryPoint[] ordered = [.. machine.OrderBy(point => point.SessionId)];
            await foreach (ItemVersion version in FindAsync(ordered, cancellationToken).ConfigureAwait(false))
            {
                yield return version;
            }
        }
    }

    private async IAsyncEnumerable<ItemVersion> FindAsync(RecoveryPoint[] points, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        IEnumerable<WalkedManifest> manifests = points.SelectMany((point, number) => point.Sources.Select(source => WalkedManifest.Of(number, source)));
        var walk = new SideBySideWalk(chunks, manifests, skipsCommon: false, damaged);
        var versions = new List<Version>();
        while (await walk.MoveNextAsync(cancellationToken).ConfigureAwait(false))
        {
            versions.Clear();
            foreach (SharedLeaf leaf in walk.Leaves.OrderBy(leaf => leaf.Owners[0]))
            {
                if (IsMatch(leaf))
                {
                    await AddAsync(versions, leaf, cancellationToken).ConfigureAwait(false);
                }
            }

            foreach (Version version in versions.OrderByDescending(version => version.Last))
            {
                yield return new ItemVersion(version.Item, points[version.First], points[version.Last], version.Points);
            }
        }
    }

    private bool IsMatch(SharedLeaf leaf)
    {
        RecoveryPointSource source = leaf.Manifests[0].Source;
        if (!_wildcards.TryGetValue(source.Form, out WildcardPattern? wildcard))
        {
            _wildcards.Add(source.Form, wildcard = new WildcardPattern(pattern, ignoreCase, source.Form));
        }

        if (!_paths.TryGetValue(source, out SearchedPath? path))
        {
            _paths.Add(source, path = new SearchedPath(source));
        }

        return wildcard.IsMatch(path.Of(leaf.Leaf.Path));
    }

    private async ValueTask AddAsync(List<Version> versions, SharedLeaf leaf, CancellationToken cancellationToken)
    {
        int last = leaf.Owners[^1];
        var item = new RecoverableItem(leaf.Of(last)!.Source, leaf.Leaf.Current);
        foreach (Version version in versions)
        {
            if (await _entries.IsSameVersionAsync(version.Item.Entry, item.Entry, cancellationToken).ConfigureAwait(false))
            {
                version.Points += leaf.Owners.Count;
                if (last > version.Last)
                {
                    (version.Item, version.Last) = (item, last);
                }

                return;
            }
        }

        versions.Add(new Version { Item = item, First = leaf.Owners[0], Last = last, Points = leaf.Owners.Count });
    }

    private sealed class Version
    {
        public required RecoverableItem Item { get; set; }

        public required int First { get; init; }

        public required int Last { get; set; }

        public required int Points { get; set; }
    }
}
