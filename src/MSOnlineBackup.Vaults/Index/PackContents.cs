using MSOnlineBackup.Vaults.Packs;

namespace MSOnlineBackup.Vaults.Index;

/// <summary>What the index says of one pack.</summary>
/// <param name="Pack">The pack.</param>
/// <param name="Chunks">Its chunks, by offset.</param>
internal sealed record PackContents(PackInfo Pack, IReadOnlyList<PackedChunk> Chunks)
{
    /// <summary>Some 32 MiB. A pass over an index of ten million chunks, which stand for terabytes, takes well below a second.</summary>
    public const int MostAtOnce = 1 << 19;

    /// <summary>
    /// The contents of packs, in their order. The index is in the order of chunk ids, so it is passed over once for each part of the packs that memory holds.
    /// </summary>
    /// <param name="index">The index.</param>
    /// <param name="packs">The packs; those of which the index has nothing are passed over.</param>
    /// <param name="mostAtOnce">How many records to hold at once; a pack that has more is held whole.</param>
    public static IEnumerable<PackContents> Of(ChunkIndex index, IReadOnlyCollection<PackInfo> packs, int mostAtOnce = MostAtOnce)
    {
        Dictionary<PackInfo, int> counts = packs.ToDictionary(pack => pack, _ => 0);
        foreach (ChunkLocation location in index.All())
        {
            if (counts.TryGetValue(location.Pack, out int count))
            {
                counts[location.Pack] = count + 1;
            }
        }

        var part = new Dictionary<PackInfo, List<PackedChunk>>();
        int records = 0;
        foreach ((PackInfo pack, int count) in packs.Select(pack => (pack, counts[pack])).Where(counted => counted.Item2 > 0))
        {
            if (part.Count > 0 && records + count > mostAtOnce)
            {
                foreach (PackContents contents in Read(index, part))
                {
                    yield return contents;
                }

                part = [];
                records = 0;
            }

            part.Add(pack, new List<PackedChunk>(count));
            records += count;
        }

        foreach (PackContents contents in Read(index, part))
        {
            yield return contents;
        }
    }

    private static IEnumerable<PackContents> Read(ChunkIndex index, Dictionary<PackInfo, List<PackedChunk>> part)
    {
        foreach (ChunkLocation location in index.All())
        {
            if (part.TryGetValue(location.Pack, out List<PackedChunk>? chunks))
            {
                chunks.Add(location.Chunk);
            }
        }

        foreach ((PackInfo pack, List<PackedChunk> chunks) in part)
        {
            chunks.Sort((x, y) => x.Offset.CompareTo(y.Offset));
            yield return new PackContents(pack, chunks);
        }
    }
}
