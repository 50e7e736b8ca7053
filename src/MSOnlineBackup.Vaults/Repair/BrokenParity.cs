using System.Security.Cryptography;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Maintenance;
using MSOnlineBackup.Vaults.Parity;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Vaults.Repair;

/// <summary>Parity and second copies that are damaged. What they were of has been mended from them as far as that goes; the next maintenance makes them anew.</summary>
/// <param name="store">The store.</param>
internal sealed class BrokenParity(ChunkStore store)
{
    /// <summary>Finds the names of what is to be deleted.</summary>
    /// <param name="view">What is there.</param>
    /// <param name="share">How much of the parity is read, 0 to 1.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task<IReadOnlyList<string>> FindAsync(CollectionView view, double share, CancellationToken cancellationToken)
    {
        var parity = new ParityStore(store);
        var broken = new List<string>();

        // What is wrong with them is among the findings of the verification that follows, where it stays.
        (List<KnownGroup> groups, List<(SessionId Session, uint Number)> ruins) = await parity.ReadAsync(view.Parity, _ => { }, cancellationToken).ConfigureAwait(false);
        foreach ((SessionId session, uint number) in ruins.Where(ruin => view.IsOver(ruin.Session)))
        {
            broken.AddRange(NamesOf(session, number));
        }

        foreach (KnownGroup group in groups.Where(_ => RandomNumberGenerator.GetInt32(int.MaxValue) < share * int.MaxValue))
        {
            if (!await parity.IsSoundAsync(group, cancellationToken).ConfigureAwait(false) && await parity.IsThereAsync((group.Session, group.Number), cancellationToken).ConfigureAwait(false))
            {
                broken.AddRange(NamesOf(group.Session, group.Number));
            }
        }

        foreach (string copy in view.Copies)
        {
            if (VaultLayout.TryParseCopy(copy, out string original) && await store.TryReadCopyAsync(original, cancellationToken).ConfigureAwait(false) is null)
            {
                broken.Add(copy);
            }
        }

        HashSet<string> listed = [.. view.Parity.Select(found => found.Name), .. view.Copies];
        return [.. broken.Where(listed.Contains)];
    }

    private string[] NamesOf(SessionId session, uint number) => [VaultLayout.ParityGroup(store.StoreId, session, number), VaultLayout.ParityShards(store.StoreId, session, number)];
}
