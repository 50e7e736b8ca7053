namespace MSOnlineBackup.Vaults.Parity;

/// <summary>
/// The parity of a group, as its packs are added to it. Adding what is in it already takes it away: so a pack leaves a group, or comes to it, and the others
/// need not be read.
/// </summary>
/// <param name="geometry">How packs are cut.</param>
/// <param name="content">Where the parity is summed up: zeros, or a parity to go on from.</param>
internal sealed class ParitySum(ParityGeometry geometry, byte[] content)
{
    // With the same part of each row of 5 % this is what fits a processor's nearest cache.
    private const int Block = 2 << 10;

    /// <summary>The parity so far.</summary>
    public byte[] Content => content;

    /// <summary>Adds a pack, or takes away one that is in it.</summary>
    /// <param name="slot">The pack's place in the group.</param>
    /// <param name="pack">All of it.</param>
    /// <param name="workers">How many threads.</param>
    public void Add(int slot, ReadOnlyMemory<byte> pack, int workers)
    {
        int shards = geometry.CountShards(pack.Length);
        Parallel.For(0, Math.Min(geometry.Stripes, shards), new ParallelOptions { MaxDegreeOfParallelism = workers }, stripe =>
        {
            for (int shard = stripe; shard < shards; shard += geometry.Stripes)
            {
                int offset = shard * geometry.ShardLength;
                AddShard(stripe, geometry.ColumnOf(slot, shard), pack.Span.Slice(offset, Math.Min(geometry.ShardLength, pack.Length - offset)));
            }
        });
    }

    /// <summary>Adds a shard.</summary>
    /// <param name="stripe">Its stripe.</param>
    /// <param name="column">Its column there.</param>
    /// <param name="shard">At most as long as a shard is.</param>
    public void AddShard(int stripe, int column, ReadOnlySpan<byte> shard)
    {
        for (int at = 0; at < shard.Length; at += Block)
        {
            ReadOnlySpan<byte> block = shard.Slice(at, Math.Min(Block, shard.Length - at));
            for (int row = 0; row < geometry.Rows; row++)
            {
                GaloisField.MultiplyAdd(CauchyCode.Coefficient(row, column), block, content.AsSpan(geometry.OffsetOf(row, stripe) + at));
            }
        }
    }
}
