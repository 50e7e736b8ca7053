using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Parity;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Vaults.Repair;

/// <summary>Brings back packs from parity. What there is of it is looked at once, when it is first needed.</summary>
/// <param name="store">The store.</param>
internal sealed class ParityRescue(ChunkStore store) : IPackRescue
{
    private readonly PackRecovery _recovery = new(store);
    private ILookup<(SessionId Session, uint Number), (KnownGroup Group, ParityMember Member)>? _groups;

    /// <inheritdoc/>
    public async ValueTask<byte[]?> RecoverAsync((SessionId Session, uint Number) pack, long length, CancellationToken cancellationToken)
    {
        _groups ??= await ReadAsync(cancellationToken).ConfigureAwait(false);
        foreach ((KnownGroup group, ParityMember member) in _groups[pack].Where(found => found.Member.Length == length))
        {
            if (await _recovery.RecoverAsync(group, member, cancellationToken).ConfigureAwait(false) is { } recovered)
            {
                return recovered;
            }
        }

        return null;
    }

    // Those that cannot be read are told by a verification.
    private async Task<ILookup<(SessionId Session, uint Number), (KnownGroup Group, ParityMember Member)>> ReadAsync(CancellationToken cancellationToken)
    {
        List<StoredObject> listed = await store.Objects.ListAsync(VaultLayout.Parity(store.StoreId), cancellationToken).ToListAsync(cancellationToken).ConfigureAwait(false);
        (List<KnownGroup> groups, _) = await new ParityStore(store).ReadAsync(listed, _ => { }, cancellationToken).ConfigureAwait(false);
        return groups.OrderDescending().SelectMany(group => group.Group.Members.Select(member => (Group: group, Member: member))).ToLookup(found => found.Member.Pack);
    }
}
