using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Copies;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.Groups;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Agent.Groups;

/// <summary>Makes a server from its vaults: what it knew, and disk vaults that it has lost.</summary>
internal sealed class ServerSync(ServerVaults vaults, GroupPlaces places, GroupBooks books, GroupMachines machines, Func<string, IVaultStore> createStore)
{
    /// <summary>See <see cref="ProtectionGroups.SyncAsync"/>.</summary>
    public async Task<ServerSyncReport> RunAsync(string place, string? passphrase, bool isRehearsal, CancellationToken cancellationToken)
    {
        using UnlockedVault vault = await places.OpenAsync(place, passphrase, VaultPatience.Person, cancellationToken).ConfigureAwait(false);
        return await RunAsync(vault, place, isRehearsal, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>See <see cref="ProtectionGroups.ReallocateAsync"/>.</summary>
    public async Task<ServerSyncReport> ReallocateAsync(string from, string? place, string? passphrase, JobMonitor monitor, CancellationToken cancellationToken)
    {
        using UnlockedVault copy = await places.OpenAsync(from, passphrase, VaultPatience.Job, cancellationToken).ConfigureAwait(false);
        var problems = new List<BackupException>();
        IReadOnlyList<ProtectionGroup> groups = await ReadGroupsAsync(copy, problems, cancellationToken).ConfigureAwait(false);
        string[] missing = [.. groups.SelectMany(group => group.DiskVaults).Distinct(StringComparer.Ordinal).Where(disk => disk != from && !HasVault(disk))];
        string[] made = place is not null ? [place] : missing;
        if (made.Length == 0)
        {
            throw GroupErrors.Invalid(
                groups.Count == 0 ? $"The vault in '{from}' knows no protection group, so that nothing says which disk vaults it had." : "All disk vaults of the protection groups are there: none needs to be made anew.",
                "Name the place that is to be made: -Vault, or --vault.",
                from);
        }

        vaults.Remember(copy.VaultId, [from, .. groups.SelectMany(group => group.Places), .. made], copy.Key);
        VaultCopyReport copied = await FillAsync(copy, made[0], monitor, cancellationToken).ConfigureAwait(false);
        foreach (string other in made.Skip(1))
        {
            await MakeAsync(copy, other, cancellationToken).ConfigureAwait(false);
        }

        using UnlockedVault disk = await places.OpenTwinAsync(copy, made[0], VaultPatience.Job, cancellationToken).ConfigureAwait(false);
        foreach (ProtectionGroup group in groups.Where(group => place is not null && !group.Places.Contains(place) && group.DiskVaults.All(missing.Contains)))
        {
            // None of its disks is there: this one takes their place.
            GroupRecord record = GroupRecords.Write(group) with { DiskVaults = [place!], Changed = Later(copy.Vault.Known.Clock.GetUtcNow(), group.Changed) };
            problems.AddRange(await books.WriteAsync(copy.VaultId, [place!, from, .. group.CopyTo], record, cancellationToken).ConfigureAwait(false));
        }

        ServerSyncReport report = await RunAsync(disk, made[0], isRehearsal: false, cancellationToken).ConfigureAwait(false);
        return report with
        {
            PointsCopied = copied.PointsCopied,
            BytesCopied = copied.Bytes,
            HasChanged = true,
            Problems = [.. problems, .. copied.Damaged.Select(point => point.Damage), .. report.Problems],
        };
    }

    private async Task<ServerSyncReport> RunAsync(UnlockedVault vault, string here, bool isRehearsal, CancellationToken cancellationToken)
    {
        var problems = new List<BackupException>();
        var newest = new Dictionary<string, NumberedGroup>(StringComparer.Ordinal);
        GroupBooks.Merge(newest, await vault.ListGroupsAsync(cancellationToken).ConfigureAwait(false), problems);
        var opened = new Dictionary<string, UnlockedVault>(StringComparer.Ordinal);
        try
        {
            await OpenOthersAsync(vault, here, newest, opened, problems, cancellationToken).ConfigureAwait(false);
            int brought = isRehearsal ? 0 : await SpreadAsync([vault, .. opened.Values], problems, cancellationToken).ConfigureAwait(false);
            ProtectionGroup[] groups = [.. newest.Values.Where(found => !found.Record.IsRemoved).Select(found => GroupBooks.TryRead(found.Record, vault.VaultId, problems)).OfType<ProtectionGroup>().OrderBy(group => group.Name, StringComparer.OrdinalIgnoreCase)];
            bool isNew = !isRehearsal && vaults.Remember(vault.VaultId, [here, .. groups.SelectMany(group => group.Places)], vault.Key);
            List<string> restored = isRehearsal ? [] : Restore(groups, problems);
            return new ServerSyncReport
            {
                VaultId = vault.VaultId,
                Places = [here, .. opened.Keys],
                Groups = groups,
                Machines = [.. (await vault.Vault.ListMachinesAsync(cancellationToken).ConfigureAwait(false)).Where(machine => machine.Left is null).Select(machine => machine.Name)],
                Points = (await vault.ListPointsAsync(null, cancellationToken).ConfigureAwait(false)).Count,
                MachinesRestored = restored,
                RecordsBrought = brought,
                HasChanged = isNew || restored.Count > 0 || brought > 0,
                Problems = problems,
            };
        }
        finally
        {
            foreach (UnlockedVault other in opened.Values)
            {
                other.Dispose();
            }
        }
    }

    // A place may tell of others: until nothing new is named.
    private async Task OpenOthersAsync(UnlockedVault vault, string here, Dictionary<string, NumberedGroup> newest, Dictionary<string, UnlockedVault> opened, List<BackupException> problems, CancellationToken cancellationToken)
    {
        string[] known = [.. vaults.List().Where(other => other.VaultId == vault.VaultId).SelectMany(other => other.Places)];
        HashSet<string> tried = [here];
        while (newest.Values.SelectMany(group => group.Record.DiskVaults.Concat(group.Record.CopyTo)).Concat(known).FirstOrDefault(tried.Add) is { } place)
        {
            try
            {
                UnlockedVault other = await places.OpenTwinAsync(vault, place, VaultPatience.Person, cancellationToken).ConfigureAwait(false);
                opened.Add(place, other);
                GroupBooks.Merge(newest, await other.ListGroupsAsync(cancellationToken).ConfigureAwait(false), problems);
            }
            catch (BackupException e) when (e.Id == BackupErrorId.ArgumentInvalid)
            {
                // The same place by another name.
            }
            catch (BackupException e)
            {
                problems.Add(e);
            }
        }
    }

    private static async Task<int> SpreadAsync(IReadOnlyList<UnlockedVault> all, List<BackupException> problems, CancellationToken cancellationToken)
    {
        int brought = 0;
        foreach (UnlockedVault from in all)
        {
            foreach (UnlockedVault to in all.Where(other => other != from))
            {
                try
                {
                    brought += await from.BringGroupsAsync(to, cancellationToken).ConfigureAwait(false);
                }
                catch (BackupException e)
                {
                    problems.Add(e);
                }
            }
        }

        return brought;
    }

    private List<string> Restore(IEnumerable<ProtectionGroup> groups, List<BackupException> problems)
    {
        var restored = new List<string>();
        foreach (GroupMachine machine in groups.SelectMany(group => group.Machines))
        {
            try
            {
                if (machines.Restore(machine))
                {
                    restored.Add(machine.HostName);
                }
            }
            catch (BackupException e)
            {
                problems.Add(e);
            }
        }

        return restored;
    }

    private async Task<VaultCopyReport> FillAsync(UnlockedVault copy, string place, JobMonitor monitor, CancellationToken cancellationToken)
    {
        await MakeAsync(copy, place, cancellationToken).ConfigureAwait(false);
        using UnlockedVault disk = await places.OpenTwinAsync(copy, place, VaultPatience.Job, cancellationToken).ConfigureAwait(false);
        return await copy.CopyToAsync(disk, new VaultCopyRequest { IncludesOlder = true }, monitor, cancellationToken).ConfigureAwait(false);
    }

    // What an interrupted call has made is gone on with.
    private async Task MakeAsync(UnlockedVault copy, string place, CancellationToken cancellationToken)
    {
        if (!HasVault(place))
        {
            await Vault.CreateTwinAsync(createStore(place), copy.Vault, cancellationToken).ConfigureAwait(false);
        }
    }

    private static async Task<IReadOnlyList<ProtectionGroup>> ReadGroupsAsync(UnlockedVault vault, List<BackupException> problems, CancellationToken cancellationToken)
    {
        GroupListing listing = await vault.ListGroupsAsync(cancellationToken).ConfigureAwait(false);
        problems.AddRange(listing.Damage);
        return [.. listing.Groups.Where(group => !group.Record.IsRemoved).Select(group => GroupBooks.TryRead(group.Record, vault.VaultId, problems)).OfType<ProtectionGroup>()];
    }

    private static bool HasVault(string place) => !new VaultAddress(place).IsRemote && File.Exists(Path.Combine(place, VaultLayout.Header));

    // By a clock that went back, too, what was decided last counts.
    private static DateTimeOffset Later(DateTimeOffset now, DateTimeOffset before) => now > before ? now : before.AddTicks(1);
}
