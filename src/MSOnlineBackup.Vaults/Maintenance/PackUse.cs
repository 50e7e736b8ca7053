using MSOnlineBackup.Vaults.Index;
using MSOnlineBackup.Vaults.Packs;

namespace MSOnlineBackup.Vaults.Maintenance;

/// <summary>How much of a pack is needed.</summary>
/// <param name="pack">The pack.</param>
internal sealed class PackUse(PackInfo pack)
{
    /// <summary>The pack.</summary>
    public PackInfo Pack => pack;

    /// <summary>Bytes of chunks that are needed and for which this pack stands.</summary>
    public long Needed { get; private set; }

    /// <summary>Bytes of all its chunks.</summary>
    public long Held { get; private set; }

    /// <summary>Bytes of chunks that nothing needs, or for which another pack stands.</summary>
    public long Unused => Held - Needed;

    /// <summary>Measures packs. Of a chunk with several copies one pack stands for it: the longest, as it is the last to be written anew.</summary>
    /// <param name="index">The index.</param>
    /// <param name="marks">What is needed.</param>
    /// <param name="counts">Whether a pack can be relied on.</param>
    public static IReadOnlyCollection<PackUse> Measure(ChunkIndex index, ChunkMarks marks, Func<PackInfo, bool> counts)
    {
        var uses = new Dictionary<PackInfo, PackUse>(ReferenceEqualityComparer.Instance);
        foreach (PackInfo pack in index.Packs.Where(counts))
        {
            uses.Add(pack, new PackUse(pack));
        }

        ChunkCopies.Visit(index, marks, (isNeeded, copies) =>
        {
            PackUse? best = null;
            int length = 0;
            foreach (ChunkLocation copy in copies)
            {
                if (uses.TryGetValue(copy.Pack, out PackUse? use))
                {
                    use.Held += copy.Chunk.StoredLength;
                    (best, length) = best is null || use.Pack.Length > best.Pack.Length ? (use, copy.Chunk.StoredLength) : (best, length);
                }
            }

            if (isNeeded && best is not null)
            {
                best.Needed += length;
            }
        });
        return uses.Values;
    }
}
