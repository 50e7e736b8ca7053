using System.Globalization;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Maintenance;
using MSOnlineBackup.Vaults.Proofs;
using MSOnlineBackup.Vaults.Protection;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Vaults.Alarms;

/// <summary>
/// The alarms of a vault: brakes on deletion that are in force, and damage that is on record. Nobody has to have raised them, and nobody can have failed to: they are read off the
/// vault, each time. It reads names, the points of the last weeks, and small records; no index, and no data.
/// </summary>
/// <param name="store">The chunk store.</param>
internal sealed class AlarmReader(ChunkStore store)
{
    private readonly RecoveryPointCatalog _catalog = new(store);
    private readonly DeletionLog _log = new(store);

    /// <summary>Reads them, the latest first.</summary>
    /// <param name="machineId">Only those of this machine, and of the vault as a whole; null for those of all.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">VaultDataCorrupt: the settings are damaged, so nobody knows for how long a brake holds; VaultUnreachable, …</exception>
    public async Task<IReadOnlyList<VaultAlarm>> ReadAsync(MachineId? machineId, CancellationToken cancellationToken)
    {
        Task<VaultSettings> asking = new VaultGuard(store.Vault).ReadSettingsAsync(cancellationToken);
        Task<Func<MachineId, string>> naming = ReadNamesAsync(cancellationToken);
        Task<List<VaultAlarm>> damage = ReadDamageAsync(machineId, naming, cancellationToken);
        List<PointName> points = await _catalog.ListAllAsync(machineId, cancellationToken).ConfigureAwait(false);
        VaultSettings settings = await asking.ConfigureAwait(false);
        Func<MachineId, string> nameOf = await naming.ConfigureAwait(false);
        List<VaultAlarm> alarms = await damage.ConfigureAwait(false);
        if (WitnessedTime.Of(points.SelectMany(TimesOf).Where(time => time <= store.Vault.Clock.GetUtcNow())) is { } reached)
        {
            var finder = new BrakeFinder(store, TimeSpan.FromDays(settings.BrakeDays));
            foreach (IGrouping<MachineId, PointName> machine in points.GroupBy(point => point.MachineId))
            {
                List<PointName> there = [.. machine.Where(point => point.Object is not null)];
                List<DeletionSeries> decisions = [.. there.Select(point => point.Decisions).OfType<DeletionSeries>()];
                alarms.AddRange((await finder.FindAsync(machine.Key, there, decisions, reached, cancellationToken).ConfigureAwait(false)).Select(brake => Describe(brake, nameOf)));
                if (await FindEarlyAsync(finder, machine.Key, there, settings, reached, cancellationToken).ConfigureAwait(false) is { } early)
                {
                    alarms.Add(Describe(early, nameOf));
                }
            }
        }

        return [.. alarms.OrderByDescending(alarm => alarm.Since)];
    }

    private static IEnumerable<DateTimeOffset> TimesOf(PointName point) =>
        (point.Decisions?.Records ?? []).Select(record => record.Object.Created).Concat(point.Object is { } found ? [found.Created] : []);

    // Points that retention let go of before their time, as far as they still count.
    private async Task<DeletionBrake?> FindEarlyAsync(
        BrakeFinder finder, MachineId machineId, List<PointName> points, VaultSettings settings, DateTimeOffset reached, CancellationToken cancellationToken)
    {
        var kept = TimeSpan.FromDays(settings.UndeleteDays);
        TimeSpan longest = kept + TimeSpan.FromDays(settings.BrakeDays);
        var held = new List<(Deletion, DateTimeOffset)>();
        IEnumerable<PointName> recent = points.Where(point => point.Decisions?.Records is [var newest, ..] && reached - newest.Object.Created < longest);
        await foreach ((PointName point, Deletion deletion) in ReadAhead.SelectAsync(
            recent,
            store.Objects.Capabilities.MaxConcurrency,
            async (point, token) => (point, await _log.ReadAsync(point.Decisions, token).ConfigureAwait(false)),
            cancellationToken).ConfigureAwait(false))
        {
            if (await finder.HoldsEarlyAsync(machineId, deletion, kept, reached, cancellationToken).ConfigureAwait(false))
            {
                held.Add((deletion, point.Object!.Value.Created));
            }
        }

        return held.Count == 0 ? null : finder.DescribeEarly(machineId, held, kept);
    }

    private async Task<List<VaultAlarm>> ReadDamageAsync(MachineId? machineId, Task<Func<MachineId, string>> naming, CancellationToken cancellationToken)
    {
        ProofLog log = await ProofLog.ListAsync(store, cancellationToken).ConfigureAwait(false);
        var alarms = new List<VaultAlarm>();
        IReadOnlyList<(SessionId Session, uint Number, DateTimeOffset Since)> damaged = await log.ReadDamagedAsync(cancellationToken).ConfigureAwait(false);
        if (damaged.Count > 0)
        {
            alarms.Add(new VaultAlarm(
                BackupErrorId.VaultDataCorrupt,
                damaged.Min(pack => pack.Since),
                null,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{damaged.Count:N0} stored {(damaged.Count == 1 ? "pack is" : "packs are")} damaged or missing, as verification has found; the first is '{VaultLayout.Pack(store.StoreId, damaged[0].Session, damaged[0].Number)}'."),
                "Run Repair-OBVault, or 'obengine repair': it mends what it can, and says which files suffer. The next backup stores again what the sources still hold."));
        }

        foreach (IGrouping<MachineId, (TrialProof Trial, StoredObject Object)> machine in
            (await log.ReadTrialsAsync(cancellationToken).ConfigureAwait(false)).Where(trial => machineId is null || trial.Trial.MachineId == machineId).GroupBy(trial => trial.Trial.MachineId))
        {
            (TrialProof trial, StoredObject found) = machine.MaxBy(trial => trial.Object.Created);
            if (trial.Differences > 0)
            {
                string name = (await naming.ConfigureAwait(false))(machine.Key);
                alarms.Add(new VaultAlarm(
                    BackupErrorId.VaultDataCorrupt,
                    found.Created,
                    name,
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"The last trial restore of '{name}', from the recovery point {trial.PointId.ToShortString()}, could not bring back {trial.Differences:N0} of {trial.Files:N0} files as they were."),
                    "Run Repair-OBVault, or 'obengine repair', then try again: Test-OBRecoveryPoint -TrialRestore, or 'obengine verify --trial-restore'."));
            }
        }

        return alarms;
    }

    private async Task<Func<MachineId, string>> ReadNamesAsync(CancellationToken cancellationToken)
    {
        var names = new Dictionary<MachineId, string>();
        foreach (MachineRecord machine in await new MachineDirectory(store.Vault).ListAsync(cancellationToken).ConfigureAwait(false))
        {
            names.TryAdd(store.Header.MachineId(machine.First ?? machine.Name), machine.Name);
        }

        return id => names.TryGetValue(id, out string? name) ? name : id.ToString();
    }

    private static VaultAlarm Describe(DeletionBrake brake, Func<MachineId, string> nameOf)
    {
        string name = nameOf(brake.MachineId);
        (BackupErrorId id, string look) = brake.Kind switch
        {
            BrakeKind.UnusualBackup => (BackupErrorId.BackupUnusual, "Look at the files of this machine. Earlier recovery points are as they were."),
            BrakeKind.MassDeletion => (BackupErrorId.PointsDeletedAtOnce, "Ask who deleted them. Restore-OBRecoveryPoint, or 'obengine points undelete', brings them back."),
            _ => (BackupErrorId.RetentionShortened, "Ask who shortened it. Restore-OBRecoveryPoint, or 'obengine points undelete', brings points back; a policy that keeps more keeps them."),
        };
        return new VaultAlarm(
            id,
            brake.Since,
            name,
            string.Create(CultureInfo.InvariantCulture, $"On '{name}' {brake.Cause}. {brake.Held("it")} until {brake.Until:u}, unless the vault's owner releases it."),
            $"{look} If it was meant, the vault's owner releases the brake (Set-OBVault -ReleaseBrake).");
    }
}
