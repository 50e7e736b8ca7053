namespace MSOnlineBackup.Vaults.Parity;

/// <summary>
/// How the packs of a group are cut into shards, and the shards put into stripes. The shard <c>s</c> of a pack is in the stripe <c>s % Stripes</c>: so a stripe
/// has up to 8 shards of each pack, far from each other, and of each of up to 20 packs.
/// </summary>
/// <param name="ShardLength">In bytes: a multiple of 64. The last shard of a pack may be shorter, and counts as followed by zeros.</param>
/// <param name="Stripes">How many.</param>
/// <param name="Rows">Shards of parity in each stripe: so many lost shards of a stripe come back.</param>
internal readonly record struct ParityGeometry(int ShardLength, int Stripes, int Rows)
{
    /// <summary>The most packs in a group.</summary>
    public const int MaxPacks = 20;

    /// <summary>The most shards of a pack in one stripe.</summary>
    public const int Depth = CauchyCode.MaxColumns / MaxPacks;

    private const int LargeShard = 64 << 10;
    private const int LargePack = 4 << 20;
    private const int Step = 512;

    /// <summary>The longest pack that fits.</summary>
    public int Capacity => Depth * Stripes * ShardLength;

    /// <summary>Bytes of parity.</summary>
    public int ParityLength => Rows * Stripes * ShardLength;

    /// <summary>The geometry for packs of at most this length: for large ones shards of 64 KiB.</summary>
    /// <param name="longest">From 1.</param>
    /// <param name="rows">1 to 96.</param>
    public static ParityGeometry For(int longest, int rows)
    {
        const int Stripe = Depth * LargeShard;
        if (longest > LargePack)
        {
            return new ParityGeometry(LargeShard, (longest + Stripe - 1) / Stripe, rows);
        }

        int stripes = Math.Max(1, longest / Stripe);
        int shards = Depth * stripes;
        int shard = (longest + shards - 1) / shards;
        return new ParityGeometry((shard + Step - 1) / Step * Step, stripes, rows);
    }

    /// <summary>The rows that a group needs for a share of parity.</summary>
    /// <param name="percent">5 to 25.</param>
    /// <param name="packs">How many packs it has. More than they are themselves is never needed.</param>
    public static int RowsFor(int percent, int packs) => Math.Min(((CauchyCode.MaxColumns * percent) + 99) / 100, Depth * packs);

    /// <summary>How many shards a pack has.</summary>
    public int CountShards(int length) => (length + ShardLength - 1) / ShardLength;

    /// <summary>The stripe of a shard.</summary>
    public int StripeOf(int shard) => shard % Stripes;

    /// <summary>The column, in its stripe, of a shard of the pack in a slot.</summary>
    public int ColumnOf(int slot, int shard) => (slot * Depth) + (shard / Stripes);

    /// <summary>Where the parity of a stripe lies in the parity: all stripes of the first row, then those of the second.</summary>
    public int OffsetOf(int row, int stripe) => ((row * Stripes) + stripe) * ShardLength;
}
