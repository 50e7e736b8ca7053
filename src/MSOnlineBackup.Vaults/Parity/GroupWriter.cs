using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Packs;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Vaults.Parity;

/// <summary>Makes the parity of a group. What is not as it was written never gets into it. Memory: the parity, and two packs.</summary>
/// <param name="store">The store.</param>
/// <param name="session">The session of whoever writes.</param>
/// <param name="workers">How many threads multiply.</param>
/// <param name="damaged">Gets packs that are damaged. They are left out.</param>
internal sealed class GroupWriter(ChunkStore store, SessionId session, int workers, Action<BackupException> damaged)
{
    private const int PacksAhead = 2;

    private readonly ParityStore _parity = new(store);
    private uint _last;

    /// <summary>Bytes written.</summary>
    public long Bytes { get; private set; }

    /// <summary>Writes a group.</summary>
    /// <returns>The group; null where none of its packs, or none of those that were to come, can be read.</returns>
    /// <exception cref="BackupException">VaultFull, VaultUnreachable, …</exception>
    public async Task<KnownGroup?> WriteAsync(PlannedGroup plan, CancellationToken cancellationToken)
    {
        (ParitySum Sum, ShardSums Sums)? begun = plan.Base is null ? null : await TryBeginAsync(plan, plan.Base, cancellationToken).ConfigureAwait(false);
        ParityGeometry geometry = plan.Geometry;
        ParitySum sum = begun?.Sum ?? new ParitySum(geometry, new byte[geometry.ParityLength]);
        var members = new SortedDictionary<int, (ParityMember Member, byte[] Sums)>();
        IEnumerable<ParityMember> coming = plan.Members;
        if (begun is { } from)
        {
            foreach ((int index, ParityMember member) in plan.Base!.Group.Members.Index().Where(member => plan.Members.Contains(member.Item)))
            {
                members.Add(member.Slot, (member, from.Sums.Packs[index]));
            }

            coming = plan.Members.Except(plan.Base.Group.Members);
        }

        await foreach ((ParityMember member, byte[]? pack) in ReadAhead.SelectAsync(coming, PacksAhead, ReadPackAsync, cancellationToken).ConfigureAwait(false))
        {
            if (pack is not null)
            {
                sum.Add(member.Slot, pack, workers);
                members.Add(member.Slot, (member with { Checksum = ParityMember.ChecksumOf(pack) }, ShardSums.Compute(pack, geometry.ShardLength)));
            }
        }

        // Nothing went, and of what was to come nothing can be read: then all stays as it is.
        bool isAsBefore = begun is not null && plan.Base!.Group.Members.SequenceEqual(members.Values.Select(member => member.Member));
        if (members.Count == 0 || isAsBefore)
        {
            return null;
        }

        KnownGroup made = await _parity.CreateAsync(
            session, ++_last, geometry, [.. members.Values.Select(member => member.Member)], [.. members.Values.Select(member => member.Sums)], sum.Content, cancellationToken).ConfigureAwait(false);
        Bytes += ParityStore.MeasureShards(made.Group);
        return made;
    }

    // The parity of the group that it is made from, without the packs that go. Null where that cannot be: then all packs are read.
    private async Task<(ParitySum Sum, ShardSums Sums)?> TryBeginAsync(PlannedGroup plan, KnownGroup from, CancellationToken cancellationToken)
    {
        if (await _parity.TryReadParityAsync(from, cancellationToken).ConfigureAwait(false) is not { } read)
        {
            return null;
        }

        var sum = new ParitySum(plan.Geometry, read.Parity);
        foreach ((int index, ParityMember member) in from.Group.Members.Index().Where(member => !plan.Members.Contains(member.Item)))
        {
            byte[] pack = new byte[member.Length];
            if (!await TryReadAsync(member, pack, cancellationToken).ConfigureAwait(false)
                || !ShardSums.Compute(pack, plan.Geometry.ShardLength).AsSpan().SequenceEqual(read.Sums.Packs[index]))
            {
                return null;
            }

            sum.Add(member.Slot, pack, workers);
        }

        return (sum, read.Sums);
    }

    private async Task<(ParityMember Member, byte[]? Pack)> ReadPackAsync(ParityMember member, CancellationToken cancellationToken)
    {
        byte[] pack = new byte[member.Length];
        if (!await TryReadAsync(member, pack, cancellationToken).ConfigureAwait(false))
        {
            return (member, null);
        }

        if (pack.Length < PackFormat.HeaderLength || !ObjectChecksum.IsRight(pack))
        {
            damaged(VaultDamage.Corrupt(VaultLayout.Pack(store.StoreId, member.Session, member.Number), "its checksum is not "
                + "the one at its end, so it gets no parity"));
            return (member, null);
        }

        return (member, pack);
    }

    // A pack that is not there any more was deleted by somebody else, or lost, which is told elsewhere.
    private async Task<bool> TryReadAsync(ParityMember member, byte[] pack, CancellationToken cancellationToken)
    {
        string name = VaultLayout.Pack(store.StoreId, member.Session, member.Number);
        try
        {
            if (await store.Objects.ReadAsync(name, 0, pack, cancellationToken).ConfigureAwait(false) == pack.Length)
            {
                return true;
            }

            damaged(VaultDamage.Corrupt(name, "it is truncated"));
        }
        catch (BackupException e) when (e.IsDamage)
        {
            if (e.Id != BackupErrorId.VaultDataMissing)
            {
                damaged(e);
            }
        }

        return false;
    }
}
