using MSOnlineBackup.Vaults.Chunks;
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

    /// <summary>Bytes that may go with it.</summary>
    public long Unused => pack.Length - Needed;

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
            foreach (ChunkLocation copy in isNeeded ? copies : [])
            {
                if (uses.TryGetValue(copy.Pack, out PackUse? use) && (best is null || use.Pack.Length > best.Pack.Length))
                {
                    (best, length) = (use, copy.Chunk.StoredLength);
                }
            }

            if (best is not null)
            {
                best.Needed += length;
            }
        });
        return uses.Values;
    }
}
