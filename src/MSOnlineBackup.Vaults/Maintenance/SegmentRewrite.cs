using MSOnlineBackup.Vaults.Index;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Packs;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Vaults.Maintenance;

/// <summary>
/// Writes index segments anew without the packs that go, and many small ones as few. The new ones are durable before the old ones are deleted, so at every instant all packs
/// that stay are named.
/// </summary>
/// <param name="store">The store.</param>
/// <param name="session">Writes.</param>
/// <param name="records">All records of the index, those of every segment that the store knows included.</param>
/// <param name="hasCopy">Whether there is a second copy of a segment. It goes first: so a copy without its segment means a loss.</param>
internal sealed class SegmentRewrite(ChunkStore store, WriteSession session, IndexRecords records, Func<string, bool> hasCopy)
{
    private const int ManySmall = 16;
    private const int SmallRecords = IndexSegment.MaxRecords / 4;

    // Of one segment after the other: a great store has many, of some 20 MB each.
    private byte[] _buffer = [];

    /// <summary>Segments that were deleted.</summary>
    public int Deleted { get; private set; }

    /// <summary>Whether a segment is still there that others stand in for: the storage keeps it. It may name packs that are gone.</summary>
    public bool HasKept { get; private set; }

    /// <summary>Rewrites.</summary>
    /// <param name="goes">Whether a pack goes.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task RunAsync(Func<PackInfo, bool> goes, CancellationToken cancellationToken)
    {
        Dictionary<PackInfo, int> counts = CountRecords();
        (List<string> superseded, HashSet<PackInfo> moved) = Choose(goes, counts);
        if (superseded.Count == 0)
        {
            return;
        }

        foreach ((ReadOnlyMemory<byte> segment, PackInfo[] packs) in Encode(moved, counts))
        {
            store.NoteSegment(await session.WriteSegmentAsync(segment, cancellationToken).ConfigureAwait(false), packs);
        }

        foreach (string name in superseded)
        {
            if ((hasCopy(name) && !await store.Deletion.TryDeleteAsync(VaultLayout.CopyOf(name), cancellationToken).ConfigureAwait(false))
                || !await store.Deletion.TryDeleteAsync(name, cancellationToken).ConfigureAwait(false))
            {
                HasKept = true;
                continue;
            }

            store.NoteSegment(name, null);
            Deleted++;
        }
    }

    // The largest first: what it names, smaller ones need not name again.
    private (List<string> Superseded, HashSet<PackInfo> Moved) Choose(Func<PackInfo, bool> goes, Dictionary<PackInfo, int> counts)
    {
        var superseded = new List<string>();
        var small = new List<(string Name, PackInfo[] Packs)>();
        var kept = new HashSet<PackInfo>(ReferenceEqualityComparer.Instance);
        var moved = new HashSet<PackInfo>(ReferenceEqualityComparer.Instance);
        foreach ((string name, PackInfo[] packs) in store.SegmentPacks.OrderByDescending(segment => segment.Value.Sum(pack => (long)counts.GetValueOrDefault(pack))).ThenBy(segment => segment.Key, StringComparer.Ordinal))
        {
            // What a newer version wrote is its own to move.
            if (packs.Any(pack => !pack.IsKnown))
            {
                kept.UnionWith(packs);
            }
            else if (packs.Any(goes) || packs.All(kept.Contains))
            {
                superseded.Add(name);
                moved.UnionWith(packs.Where(pack => !goes(pack)));
            }
            else if (packs.Sum(pack => (long)counts.GetValueOrDefault(pack)) < SmallRecords)
            {
                small.Add((name, packs));
            }
            else
            {
                kept.UnionWith(packs);
            }
        }

        if (small.Count >= ManySmall)
        {
            superseded.AddRange(small.Select(segment => segment.Name));
            moved.UnionWith(small.SelectMany(segment => segment.Packs));
        }
        else
        {
            kept.UnionWith(small.SelectMany(segment => segment.Packs));
        }

        moved.ExceptWith(kept);
        return (superseded, moved);
    }

    private Dictionary<PackInfo, int> CountRecords()
    {
        IReadOnlyList<PackInfo?> packs = store.Index.PacksByNumber;
        int[] byNumber = new int[packs.Count];
        for (IndexRecords.Pass pass = records.InOrder(); pass.MoveNext();)
        {
            byNumber[IndexSegment.PackOf(pass.Record)]++;
        }

        var counts = new Dictionary<PackInfo, int>(ReferenceEqualityComparer.Instance);
        for (int i = 0; i < byNumber.Length; i++)
        {
            if (byNumber[i] > 0 && packs[i] is { } pack)
            {
                counts.Add(pack, byNumber[i]);
            }
        }

        return counts;
    }

    private IEnumerable<(ReadOnlyMemory<byte> Segment, PackInfo[] Packs)> Encode(HashSet<PackInfo> moved, Dictionary<PackInfo, int> counts)
    {
        var part = new List<PackInfo>();
        int size = 0;
        foreach (PackInfo pack in moved.OrderBy(pack => pack.Session).ThenBy(pack => pack.Number))
        {
            int count = counts.GetValueOrDefault(pack);
            if (part.Count > 0 && size + count > IndexSegment.MaxRecords)
            {
                yield return (Encode(part, size), [.. part]);
                part.Clear();
                size = 0;
            }

            part.Add(pack);
            size += count;
        }

        if (part.Count > 0)
        {
            yield return (Encode(part, size), [.. part]);
        }
    }

    private ReadOnlyMemory<byte> Encode(List<PackInfo> part, int mostRecords)
    {
        int length = IndexSegment.LengthOf(part.Count, mostRecords);
        if (_buffer.Length < length)
        {
            _buffer = GC.AllocateUninitializedArray<byte>(length);
        }

        var segment = new IndexSegmentBuilder(part, _buffer);
        var places = new Dictionary<PackInfo, int>(ReferenceEqualityComparer.Instance);
        foreach (PackInfo pack in part)
        {
            places.Add(pack, places.Count);
        }

        // There is a pass over all records for each part: most are passed over by a look at their pack's number.
        int[] byNumber = [.. store.Index.PacksByNumber.Select(pack => pack is not null && places.TryGetValue(pack, out int place) ? place : -1)];
        for (IndexRecords.Pass pass = records.InOrder(); pass.MoveNext();)
        {
            if (byNumber[IndexSegment.PackOf(pass.Record)] is >= 0 and int place)
            {
                segment.Add(IndexSegment.ReadRecord(pass.Record, out _), place);
            }
        }

        // Every pack holds something. One whose chunks are not among the records must not be written down as empty: nothing would look into it again.
        return segment.FindEmpty() is { } unknown
            ? throw new InvalidOperationException($"Nothing is known of what '{store.NameOf(unknown)}' holds.")
            : segment.Finish();
    }
}
