using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Vaults.Parity;

/// <summary>
/// Brings back a pack that is missing or damaged, from what is sound of it, of the other packs of its group, and of the parity. Of these only the stripes are
/// read in which the pack is damaged. Memory: the pack, and the parity of those stripes.
/// </summary>
/// <param name="store">The store.</param>
internal sealed class PackRecovery(ChunkStore store)
{
    private readonly ParityStore _parity = new(store);
    private readonly ShardReader _shards = new(store.Objects);

    /// <summary>Recovers a pack.</summary>
    /// <param name="known">The group.</param>
    /// <param name="member">The pack.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>The whole pack, byte for byte as it was when its parity was made; null where too much is lost.</returns>
    /// <exception cref="BackupException">VaultUnreachable, VaultAccessDenied, …; never damage.</exception>
    public async Task<byte[]?> RecoverAsync(KnownGroup known, ParityMember member, CancellationToken cancellationToken)
    {
        ShardSums sums;
        try
        {
            sums = await _parity.ReadSumsAsync(known, cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException e) when (e.IsOfOneObject)
        {
            return null;
        }

        ParityGeometry geometry = known.Group.Geometry;
        byte[] pack = new byte[member.Length];
        var lost = new SortedSet<int>();
        await foreach ((int shard, ReadOnlyMemory<byte>? content) in ReadPackAsync(known, sums, member, _ => true, cancellationToken).ConfigureAwait(false))
        {
            if (content is { } sound)
            {
                sound.CopyTo(pack.AsMemory(shard * geometry.ShardLength));
            }
            else
            {
                lost.Add(shard);
            }
        }

        if (lost.Count > 0 && !await FillAsync(known, sums, member, pack, lost, cancellationToken).ConfigureAwait(false))
        {
            return null;
        }

        return ObjectChecksum.IsRight(pack) && ParityMember.ChecksumOf(pack) == member.Checksum ? pack : null;
    }

    private async Task<bool> FillAsync(
        KnownGroup known, ShardSums sums, ParityMember member, byte[] pack, SortedSet<int> lost, CancellationToken cancellationToken)
    {
        ParityGeometry geometry = known.Group.Geometry;
        int[] stripes = [.. lost.Select(geometry.StripeOf).Distinct().Order()];
        Dictionary<int, int> places = stripes.Index().ToDictionary(stripe => stripe.Item, stripe => stripe.Index);

        // The parity of these stripes alone, as if there were no others.
        ParityGeometry part = geometry with { Stripes = stripes.Length };
        var sum = new ParitySum(part, new byte[part.ParityLength]);
        List<int>[] rows = [.. stripes.Select(_ => new List<int>())];
        List<int>[] columns =
        [
            .. stripes.Select(
                stripe => lost.Where(shard => geometry.StripeOf(shard) == stripe).Select(shard => geometry.ColumnOf(member.Slot, shard)).ToList()),
        ];
        await foreach ((int shard, ReadOnlyMemory<byte>? content) in _shards.ReadAsync(
            _parity.NameOfShards(known),
            ParityStore.OffsetOfParity(known.Group),
            geometry.ParityLength,
            geometry.ShardLength,
            sums.Parity,
            shard => places.ContainsKey(shard % geometry.Stripes),
            cancellationToken).ConfigureAwait(false))
        {
            if (content is { } sound)
            {
                (int row, int place) = (shard / geometry.Stripes, places[shard % geometry.Stripes]);
                rows[place].Add(row);
                sound.CopyTo(sum.Content.AsMemory(part.OffsetOf(row, place)));
            }
        }

        for (int shard = 0; shard < geometry.CountShards(pack.Length); shard++)
        {
            if (!lost.Contains(shard) && places.TryGetValue(geometry.StripeOf(shard), out int place))
            {
                int offset = shard * geometry.ShardLength;
                sum.AddShard(place, geometry.ColumnOf(member.Slot, shard), pack.AsSpan(offset, Math.Min(geometry.ShardLength, pack.Length - offset)));
            }
        }

        foreach (ParityMember other in known.Group.Members.Where(other => other.Slot != member.Slot))
        {
            await foreach ((int shard, ReadOnlyMemory<byte>? content) in ReadPackAsync(
                known, sums, other, shard => places.ContainsKey(geometry.StripeOf(shard)), cancellationToken).ConfigureAwait(false))
            {
                int place = places[geometry.StripeOf(shard)];
                if (content is { } sound)
                {
                    sum.AddShard(place, geometry.ColumnOf(other.Slot, shard), sound.Span);
                }
                else
                {
                    columns[place].Add(geometry.ColumnOf(other.Slot, shard));
                }
            }
        }

        return stripes.Index().All(stripe => TrySolve(stripe.Index, stripe.Item));

        bool TrySolve(int place, int stripe)
        {
            int[] unknown = [.. columns[place]];
            if (rows[place].Count < unknown.Length)
            {
                return false;
            }

            int[] used = [.. rows[place].Take(unknown.Length)];
            byte[][] factors = CauchyCode.Solve(unknown, used);
            byte[] shard = new byte[geometry.ShardLength];
            for (int i = 0; i < unknown.Length && unknown[i] / ParityGeometry.Depth == member.Slot; i++)
            {
                int number = (unknown[i] % ParityGeometry.Depth * geometry.Stripes) + stripe;
                int offset = number * geometry.ShardLength;
                Array.Clear(shard);
                for (int j = 0; j < used.Length; j++)
                {
                    GaloisField.MultiplyAdd(factors[i][j], sum.Content.AsSpan(part.OffsetOf(used[j], place), geometry.ShardLength), shard);
                }

                Span<byte> whole = pack.AsSpan(offset, Math.Min(geometry.ShardLength, pack.Length - offset));
                shard.AsSpan(0, whole.Length).CopyTo(whole);
                if (!ShardSums.Fits(whole, sums.Packs[IndexOf(known, member)], number))
                {
                    return false;
                }
            }

            return true;
        }
    }

    private IAsyncEnumerable<(int Shard, ReadOnlyMemory<byte>? Content)> ReadPackAsync(
        KnownGroup known, ShardSums sums, ParityMember member, Func<int, bool> isWanted, CancellationToken cancellationToken) =>
        _shards.ReadAsync(
            VaultLayout.Pack(store.StoreId, member.Session, member.Number), 0, member.Length, known.Group.Geometry.ShardLength, sums.Packs[IndexOf(known, member)], isWanted, cancellationToken);

    private static int IndexOf(KnownGroup known, ParityMember member)
    {
        int index = 0;
        while (known.Group.Members[index].Slot != member.Slot)
        {
            index++;
        }

        return index;
    }
}
