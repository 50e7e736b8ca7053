using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Groups;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Agent.Groups;

/// <summary>What all places of a vault say of its groups, put together, and what is written to all of them.</summary>
internal sealed class GroupBooks(GroupPlaces places, ServerVaults vaults)
{
    /// <summary>
    /// The groups of all vaults that are known. Of the places of a vault those on disks are read, and the others only where none of these can be: a cloud that is away delays nobody.
    /// A group of which a place tells more counts as that place has it.
    /// </summary>
    /// <exception cref="BackupException">StateInvalid, StateAccessDenied.</exception>
    public async Task<GroupOverview> ReadAsync(CancellationToken cancellationToken)
    {
        var groups = new List<ProtectionGroup>();
        var problems = new List<BackupException>();
        foreach (ServerVault vault in vaults.List())
        {
            groups.AddRange((await ReadAsync(vault, problems, cancellationToken).ConfigureAwait(false)).Values.Where(found => !found.Record.IsRemoved).Select(found => TryRead(found.Record, vault.VaultId, problems)).OfType<ProtectionGroup>());
        }

        return new GroupOverview([.. groups.OrderBy(group => group.Name, StringComparer.OrdinalIgnoreCase)], problems);
    }

    /// <summary>The newest record of each group of a vault, removed ones too, by its id.</summary>
    /// <param name="vault">The vault.</param>
    /// <param name="problems">Gets what kept more from being known.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task<Dictionary<string, NumberedGroup>> ReadAsync(ServerVault vault, List<BackupException> problems, CancellationToken cancellationToken)
    {
        var newest = new Dictionary<string, NumberedGroup>(StringComparer.Ordinal);
        bool wasRead = false;
        foreach (string place in vault.Places.OrderBy(place => new VaultAddress(place).IsRemote))
        {
            if (wasRead && new VaultAddress(place).IsRemote)
            {
                break;
            }

            try
            {
                using UnlockedVault opened = await places.OpenKnownAsync(vault, place, VaultPatience.Person, cancellationToken).ConfigureAwait(false);
                Merge(newest, await opened.ListGroupsAsync(cancellationToken).ConfigureAwait(false), problems);
                wasRead = true;
            }
            catch (BackupException e)
            {
                problems.Add(At(place, e));
            }
        }

        return newest;
    }

    /// <summary>
    /// Writes a record to places, one number above all that they have. A place that cannot take it now gets it later, by a copy or a sync; where none can, that is an error.
    /// </summary>
    /// <param name="vaultId">The vault.</param>
    /// <param name="to">The places.</param>
    /// <param name="record">The record.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>What kept it from places.</returns>
    public async Task<IReadOnlyList<BackupException>> WriteAsync(string vaultId, IEnumerable<string> to, GroupRecord record, CancellationToken cancellationToken)
    {
        ServerVault vault = vaults.List().First(known => known.VaultId == vaultId);
        var problems = new List<BackupException>();
        var opened = new List<UnlockedVault>();
        try
        {
            uint newest = 0;
            foreach (string place in to.Distinct(StringComparer.Ordinal))
            {
                try
                {
                    UnlockedVault there = await places.OpenKnownAsync(vault, place, VaultPatience.Person, cancellationToken).ConfigureAwait(false);
                    opened.Add(there);
                    GroupListing listing = await there.ListGroupsAsync(cancellationToken).ConfigureAwait(false);
                    newest = Math.Max(newest, listing.Groups.FirstOrDefault(group => group.Record.Id == record.Id)?.Number ?? 0);
                }
                catch (BackupException e)
                {
                    problems.Add(At(place, e));
                }
            }

            int written = 0;
            foreach (UnlockedVault there in opened)
            {
                try
                {
                    await AppendAsync(there, newest + 1, record, cancellationToken).ConfigureAwait(false);
                    written++;
                }
                catch (BackupException e)
                {
                    problems.Add(At(there.Vault.Location, e));
                }
            }

            return written > 0 ? problems : throw problems[0];
        }
        finally
        {
            opened.ForEach(vault => vault.Dispose());
        }
    }

    /// <summary>Takes what a place says into what is known.</summary>
    public static void Merge(Dictionary<string, NumberedGroup> newest, GroupListing listing, List<BackupException> problems)
    {
        problems.AddRange(listing.Damage);
        foreach (NumberedGroup group in listing.Groups)
        {
            if (!newest.TryGetValue(group.Record.Id, out NumberedGroup? known) || (group.Number, group.Record.Changed).CompareTo((known.Number, known.Record.Changed)) > 0)
            {
                newest[group.Record.Id] = group;
            }
        }
    }

    /// <summary>What a record says; null where this version cannot read it, which hides no other.</summary>
    public static ProtectionGroup? TryRead(GroupRecord record, string vaultId, List<BackupException> problems)
    {
        try
        {
            return GroupRecords.Read(record, vaultId);
        }
        catch (BackupException e)
        {
            problems.Add(e);
            return null;
        }
    }

    // A number that is taken is that of somebody who was faster, or of a record that is damaged.
    private static async Task AppendAsync(UnlockedVault vault, uint number, GroupRecord record, CancellationToken cancellationToken)
    {
        while (!await vault.TryWriteGroupAsync(new NumberedGroup(number, record), cancellationToken).ConfigureAwait(false))
        {
            number++;
        }
    }

    private static BackupException At(string place, BackupException e) =>
        e.Message.Contains(place, StringComparison.Ordinal) ? e : new BackupException(e.Id, $"'{place}': {e.Message}", e.RecommendedAction, place, innerException: e, errorCode: e.ErrorCode);
}
