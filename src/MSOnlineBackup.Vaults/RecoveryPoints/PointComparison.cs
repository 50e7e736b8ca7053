using System.Runtime.CompilerServices;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>
/// Compares two recovery points by the full paths of their items, at the cost of what differs: what both have in the same place is not read. In points of Windows
/// capital and small letters are the same, as they are there; items that are written alike belong together first.
/// </summary>
/// <remarks>
/// Memory: two leaves, and the nodes above them. Of points of Windows also 8 bytes, and what a set needs, for each item that only one of them has, and the items that
/// differ from others by nothing but case; and what differs is read twice, because the other spelling of a name may come at any later place.
/// </remarks>
/// <param name="chunks">Where the blocks are.</param>
/// <param name="reference">The point that the other is compared with.</param>
/// <param name="point">The point.</param>
/// <param name="weights">Weighs what is new; null where nothing is to be weighed.</param>
/// <param name="damaged">Gets what cannot be read; the comparison goes on behind it.</param>
internal sealed class PointComparison(IChunkReader chunks, RecoveryPoint reference, RecoveryPoint point, NewContent? weights, Action<BackupException> damaged)
{
    private const int Earlier = 0;
    private const int Now = 1;

    private readonly EntryComparison _entries = new(chunks, damaged);
    private readonly bool _ignoresCase = reference.Form == PathForm.Windows && point.Form == PathForm.Windows;

    /// <summary>Whether files that do not differ are told where the vault has got their content once more: as changed, by no aspect.</summary>
    public bool TellsStoredAnew { get; init; }

    /// <summary>The differences, in the order of full paths; those of names that differ by case come last.</summary>
    public async IAsyncEnumerable<PointDifference> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        CaselessPairs? pairs = _ignoresCase ? await FindPairsAsync(cancellationToken).ConfigureAwait(false) : null;
        SideBySideWalk walk = Begin(damaged);
        while (await walk.MoveNextAsync(cancellationToken).ConfigureAwait(false))
        {
            (RecoverableItem? earlier, RecoverableItem? now) = Read(walk);
            bool isKnown = (earlier is not null || !walk.IsUnreadable(Earlier)) && (now is not null || !walk.IsUnreadable(Now));
            if (isKnown && pairs?.Keep(walk.Key, earlier, now) == true)
            {
                continue;
            }

            if (await CompareAsync(earlier, now, isKnown, cancellationToken).ConfigureAwait(false) is { } difference)
            {
                yield return difference;
            }
        }

        foreach ((RecoverableItem? earlier, RecoverableItem? now) in pairs?.Match() ?? [])
        {
            if (await CompareAsync(earlier, now, isKnown: true, cancellationToken).ConfigureAwait(false) is { } difference)
            {
                yield return difference;
            }
        }
    }

    private SideBySideWalk Begin(Action<BackupException> tell)
    {
        WalkedManifest[] now = [.. point.Sources.Select(source => WalkedManifest.Of(Now, source))];
        IEnumerable<WalkedManifest> earlier = reference.Sources.Select(source => WalkedManifest.Of(Earlier, source));
        if (_ignoresCase)
        {
            // A source whose path is written in another way is the same one.
            earlier = earlier.Select(manifest =>
                Array.Exists(now, other => other.Root.AsSpan().SequenceEqual(manifest.Root)) ? manifest
                : Array.Find(now, other => CaselessName.AreEqual(other.Root, manifest.Root)) is { } same ? manifest with { Root = same.Root }
                : manifest);
        }

        return new SideBySideWalk(chunks, earlier.Concat(now), skipsCommon: true, tell);
    }

    // Both null where a leaf that both have stands there.
    private static (RecoverableItem? Earlier, RecoverableItem? Now) Read(SideBySideWalk walk)
    {
        RecoverableItem? earlier = null;
        RecoverableItem? now = null;
        foreach (SharedLeaf leaf in walk.Leaves)
        {
            WalkedManifest? before = leaf.Of(Earlier);
            WalkedManifest? after = leaf.Of(Now);
            if (before is not null && after is not null)
            {
                return (null, null);
            }

            if (before is not null)
            {
                earlier ??= new RecoverableItem(before.Source, leaf.Leaf.Current);
            }
            else
            {
                now ??= new RecoverableItem(after!.Source, leaf.Leaf.Current);
            }
        }

        return (earlier, now);
    }

    private async Task<CaselessPairs> FindPairsAsync(CancellationToken cancellationToken)
    {
        var pairs = new CaselessPairs();
        SideBySideWalk walk = Begin(_ => { });
        while (await walk.MoveNextAsync(cancellationToken).ConfigureAwait(false))
        {
            bool isEarlier = walk.Leaves.Any(leaf => leaf.Of(Earlier) is not null);
            if (isEarlier != walk.Leaves.Any(leaf => leaf.Of(Now) is not null))
            {
                pairs.Note(walk.Key, isEarlier);
            }
        }

        return pairs;
    }

    private async ValueTask<PointDifference?> CompareAsync(RecoverableItem? earlier, RecoverableItem? now, bool isKnown, CancellationToken cancellationToken)
    {
        if (earlier is null && now is null)
        {
            return null;
        }

        if (!isKnown)
        {
            return new PointDifference(PointChange.NotCompared, now ?? earlier!, earlier, ItemAspects.None);
        }

        if (now is null)
        {
            return new PointDifference(PointChange.Gone, earlier!, earlier, ItemAspects.None);
        }

        if (earlier is null)
        {
            return await WeighAsync(new PointDifference(PointChange.Added, now, null, ItemAspects.None), cancellationToken).ConfigureAwait(false);
        }

        ItemAspects? aspects = await _entries.CompareAsync(earlier.Entry, now.Entry, now.Source.Form, cancellationToken).ConfigureAwait(false);
        if (aspects is null)
        {
            return new PointDifference(PointChange.NotCompared, now, earlier, ItemAspects.None);
        }

        if (aspects == ItemAspects.None && !TellsStoredAnew)
        {
            return null;
        }

        PointDifference changed = await WeighAsync(new PointDifference(PointChange.Changed, now, earlier, aspects.Value), cancellationToken).ConfigureAwait(false);
        return aspects == ItemAspects.None && changed.NewBytes is not > 0 ? null : changed;
    }

    // Content that is the same may lie in another bundle now, which takes up room all the same.
    private async ValueTask<PointDifference> WeighAsync(PointDifference difference, CancellationToken cancellationToken)
    {
        if (weights is null)
        {
            return difference;
        }

        try
        {
            ManifestEntry? earlier = difference.Earlier is { Entry.Kind: EntryKind.File } file ? file.Entry : null;
            (long added, long stored) = await weights.WeighAsync(earlier, difference.Item.Entry, cancellationToken).ConfigureAwait(false);
            return difference with { NewBytes = added, StoredBytes = stored };
        }
        catch (BackupException e) when (e.IsDamage)
        {
            damaged(e);
            return difference;
        }
    }
}
