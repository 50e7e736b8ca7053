using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Agent.Retention;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Copies;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Agent.Groups;

/// <summary>
/// Runs a group once: each machine backs up into its disk vault, then what is new is copied, then the retention is put into force. A machine that fails stops no other, a place of
/// copies that is away stops no backup, and the next run brings what it lacks.
/// </summary>
/// <param name="group">The group.</param>
/// <param name="known">Its vault.</param>
/// <param name="places">Opens its places.</param>
/// <param name="backups">Backs up machines.</param>
/// <param name="contact">How the places of copies stand.</param>
/// <param name="limits">How many points a machine may have.</param>
/// <param name="clock">The clock.</param>
/// <param name="room">What the disk of a folder has free, and how large it is.</param>
internal sealed class GroupRuns(
    ProtectionGroup group,
    ServerVault known,
    GroupPlaces places,
    IMachineBackups backups,
    GroupContact contact,
    PolicyLimits limits,
    TimeProvider clock,
    Func<string, (long? Free, long? Total)> room)
{
    // Room is looked at when a machine begins, not when the group does.
    private const int MachinesAtOnce = 8;

    private readonly List<BackupException> _warnings = [];

    /// <summary>Runs it.</summary>
    /// <param name="told">Told of each machine when it is done, from any thread; null for nobody.</param>
    /// <param name="cancellationToken">Stops it; what has arrived is used by the next run.</param>
    /// <exception cref="BackupException">PolicyInvalid; VaultContactLost, SubscriptionExpired, … where the profile stops the group for its cloud; VaultNotFound, VaultUnreachable, …
    /// where no disk vault can be opened: then nothing was done.</exception>
    public async Task<GroupRun> RunAsync(Action<GroupMachineRun>? told, CancellationToken cancellationToken)
    {
        (IReadOnlyList<string> paths, SourceSelection selection) = GroupSources.Of(group.Policy);
        _warnings.AddRange(await contact.AdmitAsync(cancellationToken).ConfigureAwait(false));
        var disks = new List<OpenDisk>();
        try
        {
            await OpenAsync(disks, cancellationToken).ConfigureAwait(false);
            var machines = new GroupMachineRun[group.Machines.Count];
            await Parallel.ForEachAsync(
                Enumerable.Range(0, machines.Length),
                new ParallelOptions { MaxDegreeOfParallelism = MachinesAtOnce, CancellationToken = cancellationToken },
                async (index, stop) =>
                {
                    machines[index] = await BackUpAsync(group.Machines[index], paths, selection, disks, stop).ConfigureAwait(false);
                    told?.Invoke(machines[index]);
                }).ConfigureAwait(false);
            UnlockedVault[] open = [.. disks.Select(disk => disk.Vault).OfType<UnlockedVault>()];
            HashSet<MachineId> ids = await FindMachinesAsync(open[0], cancellationToken).ConfigureAwait(false);
            var copies = new List<GroupCopyRun>();
            foreach (string place in group.CopyTo)
            {
                copies.Add(await CopyAsync(place, open, ids, cancellationToken).ConfigureAwait(false));
            }

            int expired = 0;
            foreach (UnlockedVault disk in open)
            {
                expired += await ExpireAsync(disk, ids, cancellationToken).ConfigureAwait(false);
            }

            return new GroupRun(group, machines, copies, expired, _warnings);
        }
        finally
        {
            disks.ForEach(disk => disk.Vault?.Dispose());
        }
    }

    // A disk that is away is said, and the others go on; the machines that it has go to another one meanwhile.
    private async Task OpenAsync(List<OpenDisk> disks, CancellationToken cancellationToken)
    {
        foreach (string place in group.DiskVaults)
        {
            try
            {
                disks.Add(new OpenDisk(place, await places.OpenKnownAsync(known, place, VaultPatience.Job, cancellationToken).ConfigureAwait(false)));
            }
            catch (BackupException e)
            {
                _warnings.Add(e);
                disks.Add(new OpenDisk(place, null));
            }
        }

        if (disks.All(disk => disk.Vault is null))
        {
            throw _warnings[0];
        }
    }

    private async Task<GroupMachineRun> BackUpAsync(GroupMachine machine, IReadOnlyList<string> paths, SourceSelection selection, List<OpenDisk> disks, CancellationToken cancellationToken)
    {
        var warnings = new List<BackupException>();
        var full = new HashSet<string>(StringComparer.Ordinal);
        BackupException? failure = null;
        string? last = null;
        try
        {
            PointHistory?[] histories = await Task.WhenAll(disks.Select(disk => disk.Vault is { } vault ? HistoryAsync(vault) : Task.FromResult<PointHistory?>(null))).ConfigureAwait(false);
            string?[] newest = await Task.WhenAll(histories.Select(FindNewestAsync)).ConfigureAwait(false);
            while (true)
            {
                PoolPlace[] pool = [.. disks.Select((disk, index) => PlaceOf(disk, newest[index], full))];
                PoolDecision decision = PoolChoice.Decide(pool);
                if (decision.Index is not { } chosen)
                {
                    return new GroupMachineRun(machine.HostName, last, null, failure ?? PoolErrors.NoRoom(machine.HostName, group), warnings);
                }

                if (PoolErrors.FindWarning(machine.HostName, pool, decision) is { } warning)
                {
                    warnings.Add(warning);
                }

                last = pool[chosen].Location;
                MachineBackup done = await BackUpAsync(machine, paths, selection, disks[chosen].Vault!, histories[chosen]!, cancellationToken).ConfigureAwait(false);
                warnings.AddRange(done.Warnings);
                if (done.Failure is not { Id: BackupErrorId.VaultFull })
                {
                    return new GroupMachineRun(machine.HostName, last, done.Point, done.Failure, warnings);
                }

                failure = done.Failure;
                full.Add(last);
            }
        }
        catch (BackupException e)
        {
            return new GroupMachineRun(machine.HostName, last, null, e, warnings);
        }

        async Task<PointHistory?> HistoryAsync(UnlockedVault vault) => await vault.OpenHistoryAsync(machine.HostName, cancellationToken).ConfigureAwait(false);

        async Task<string?> FindNewestAsync(PointHistory? history) => history is null ? null : (await history.NewestFirst.FirstOrDefaultAsync(cancellationToken).ConfigureAwait(false))?.SessionId.ToString();
    }

    private async Task<MachineBackup> BackUpAsync(
        GroupMachine machine, IReadOnlyList<string> paths, SourceSelection selection, UnlockedVault vault, PointHistory history, CancellationToken cancellationToken)
    {
        limits.CheckRecoveryPoints(history.Count + 1);
        if (group.CopyTo.Count > 0 && limits == PolicyLimits.Mars)
        {
            limits.CheckRecoveryPoints(ofWorkload: false, 1 + await history.NewestFirst.LongCountAsync(point => RetentionHistory.SeriesOf(point.Tags) is null, cancellationToken).ConfigureAwait(false));
        }

        var run = new RetentionRun(clock.GetUtcNow(), group.Policy.Schedule is { } schedule ? ScheduleZone.Of(schedule, clock.LocalTimeZone) : clock.LocalTimeZone);
        IReadOnlyList<string> tags = await RetentionHistory.FindTagsAsync(group.Policy, run, history.NewestFirst, cancellationToken).ConfigureAwait(false);
        return await backups.RunAsync(machine.Machine, new MachineBackupOrder(machine.HostName, paths, selection, tags), vault, cancellationToken).ConfigureAwait(false);
    }

    private PoolPlace PlaceOf(OpenDisk disk, string? newest, HashSet<string> full)
    {
        (long? free, long? total) = disk.Vault is null ? (null, null) : room(disk.Location);
        return new PoolPlace(disk.Location, free, total, newest, IsAway: disk.Vault is null, WasFull: full.Contains(disk.Location));
    }

    private async Task<HashSet<MachineId>> FindMachinesAsync(UnlockedVault vault, CancellationToken cancellationToken)
    {
        var ids = new HashSet<MachineId>();
        foreach (GroupMachine machine in group.Machines)
        {
            ids.Add(await vault.FindMachineAsync(machine.HostName, cancellationToken).ConfigureAwait(false));
        }

        return ids;
    }

    private async Task<GroupCopyRun> CopyAsync(string place, IReadOnlyList<UnlockedVault> disks, HashSet<MachineId> machines, CancellationToken cancellationToken)
    {
        var reports = new List<VaultCopyReport>();
        var request = new VaultCopyRequest { Machines = machines };
        try
        {
            foreach (UnlockedVault disk in disks)
            {
                using UnlockedVault copy = await places.OpenTwinAsync(disk, place, VaultPatience.Job, cancellationToken).ConfigureAwait(false);
                VaultCopyReport report = await (group.CopyRetention is { } retention
                    ? new CopyRetention(retention, clock).CopyAsync(disk, copy, request, new JobMonitor(), cancellationToken)
                    : disk.CopyToAsync(copy, request, new JobMonitor(), cancellationToken)).ConfigureAwait(false);
                reports.Add(report);
            }

            contact.Note(place, failure: null);
            return new GroupCopyRun(place, reports, reports.SelectMany(report => report.Damaged).FirstOrDefault() is { } damaged ? PoolErrors.CopyIncomplete(place, damaged.Damage) : null);
        }
        catch (BackupException e)
        {
            contact.Note(place, e);
            return new GroupCopyRun(place, reports, PoolErrors.CopyIncomplete(place, e));
        }
    }

    // Of a machine of which a point cannot be read nothing is let go of.
    private async Task<int> ExpireAsync(UnlockedVault disk, HashSet<MachineId> machines, CancellationToken cancellationToken)
    {
        try
        {
            VaultRetention retention = VaultRetention.ByPolicies(disk, clock, [group.Policy]);
            RetentionPlan plan = (await retention.PlanAsync(null, cancellationToken).ConfigureAwait(false)).Of(machines);
            return await retention.ApplyAsync(plan, cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException e)
        {
            _warnings.Add(e);
            return 0;
        }
    }

    private sealed record OpenDisk(string Location, UnlockedVault? Vault);
}
