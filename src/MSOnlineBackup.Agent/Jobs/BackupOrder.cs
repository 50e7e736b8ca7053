using System.Text.Json.Serialization;
using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Agent.Retention;
using MSOnlineBackup.Agent.Workloads;
using MSOnlineBackup.Engine;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Snapshots;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.Protection;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Statuses;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Agent.Jobs;

/// <summary>A backup to be run by this machine's policy.</summary>
public sealed record BackupOrder : JobOrder
{
    /// <summary>An order for all that the policy for files names.</summary>
    public BackupOrder()
        : base(JobKind.Backup)
    {
    }

    /// <summary>By which policy.</summary>
    [JsonRequired]
    public PolicyKind Policy { get; init; }

    /// <summary>Only these of the policy's sources; empty for all.</summary>
    [JsonRequired]
    public IReadOnlyList<string> Only { get; init; } = [];

    /// <summary>Until when the point is kept at least; null: by the policy.</summary>
    public DateTimeOffset? RetainUntil { get; init; }

    /// <summary>How hard it tries to make what it stores small.</summary>
    public Compression Compression { get; init; }

    /// <summary>
    /// The folder of a seed, to which is backed up instead of to the vault: it travels there on a disk (<see cref="Access.VaultCopies.ImportSeedAsync"/>). Null for the vault.
    /// </summary>
    public string? SeedFolder { get; init; }

    /// <summary>Whether a schedule wants it. What is handed to another process is asked for by somebody.</summary>
    [JsonIgnore]
    internal bool IsScheduled { get; init; }

    /// <inheritdoc/>
    private protected override string What => Only.Count == 0 ? PolicyScope.Of(Policy).Label : string.Join(", ", Only);

    /// <inheritdoc/>
    internal override void Check(JobMachine machine)
    {
        FindPolicy(machine);
        CheckSeed();
    }

    /// <inheritdoc/>
    internal override JobOrder ToWritten() => SeedFolder is null ? this : this with { SeedFolder = Path.GetFullPath(SeedFolder) };

    /// <inheritdoc/>
    internal override JobPlan Prepare(JobMachine machine)
    {
        BackupPolicy policy = FindPolicy(machine);
        CheckSeed();
        ResolvedSources sources = PolicyScope.Of(Policy).Resolve(policy, Only, machine.State.Path);
        if (SeedFolder is not null && sources.Sources.Count == 0)
        {
            throw new BackupException(
                BackupErrorId.NotAvailable,
                "The policy names no folder, and workloads and virtual machines are not backed up to a seed: what they record of changes would be of points that are nowhere else until the import.",
                "Back them up to the vault: Start-OBBackup without -SeedPath.",
                SeedFolder);
        }

        WorkloadRun[] workloads = SeedFolder is not null ? [] : [.. sources.Workloads.Select(workload => new WorkloadRun(workload))];
        VirtualMachineRun[] machines = SeedFolder is not null ? [] : [.. sources.VirtualMachines.Select(each => new VirtualMachineRun(each))];
        return new JobPlan(
            monitor => [.. SourceStatuses.OfBackup(monitor, sources.Names), .. workloads.Select(workload => workload.ToStatus()), .. machines.Select(each => each.ToStatus())],
            (work, stop) => RunAsync(machine, policy, sources, (workloads, machines), work, stop))
        {
            IsRefusal = IsStopped,
        };
    }

    /// <summary>Whether a failure says that nothing is backed up now, as the table of contact and subscription has it; nothing is wrong with the backup itself.</summary>
    internal static bool IsStopped(Exception failure) =>
        failure is BackupException { Id: BackupErrorId.SubscriptionExpired or BackupErrorId.SubscriptionDeprovisioned or BackupErrorId.VaultContactLost };

    private void CheckSeed()
    {
        if (SeedFolder is null)
        {
            return;
        }

        if (Policy == PolicyKind.SystemState)
        {
            throw new BackupException(
                BackupErrorId.NotAvailable,
                "The system state is not backed up to a seed: it is small, and changes with every update.",
                "Back it up to the vault: Start-OBSystemStateBackup. Files and folders can travel on a disk: Start-OBBackup -SeedPath.",
                SeedFolder);
        }

        if (new VaultAddress(SeedFolder).IsRemote)
        {
            throw new BackupException(
                BackupErrorId.ArgumentInvalid, $"'{SeedFolder}' is no folder: a seed travels on a disk.", "Name a folder on the disk that is to travel.", SeedFolder);
        }
    }

    private BackupPolicy FindPolicy(JobMachine machine)
    {
        PolicyScope.Of(Policy).RequireSupport();
        return machine.Policies.Require(Policy);
    }

    private async Task RunAsync(
        JobMachine machine,
        BackupPolicy policy,
        ResolvedSources sources,
        (IReadOnlyList<WorkloadRun> Workloads, IReadOnlyList<VirtualMachineRun> Machines) others,
        JobWork work,
        CancellationToken stop)
    {
        try
        {
            await BackUpAsync(machine, policy, sources, others, work, stop).ConfigureAwait(false);
            if (SeedFolder is null)
            {
                machine.Contact.Note(VaultSubscription.Active);
            }
        }
        catch (BackupException e) when (machine.Contact.Explain(e) is { } explained)
        {
            throw explained;
        }
    }

    private async Task BackUpAsync(
        JobMachine machine,
        BackupPolicy policy,
        ResolvedSources sources,
        (IReadOnlyList<WorkloadRun> Workloads, IReadOnlyList<VirtualMachineRun> Machines) others,
        JobWork work,
        CancellationToken stop)
    {
        using UnlockedVault vault = await (SeedFolder is null
            ? machine.Vaults.OpenAsync(work.Monitor, VaultPatience.Job, stop)
            : machine.Vaults.OpenSeedAsync(SeedFolder, work.Monitor, stop)).ConfigureAwait(false);
        work.ReadTraffic = () => vault.Traffic;
        StatusWriter statuses = vault.StatusesOf(machine.Name);
        RecoveryPoint? own = null;
        List<(VirtualMachineRun, StatusWriter)> machineStatuses = [.. others.Machines.Select(run => (run, vault.StatusesOf(run.Name)))];
        work.Tell = record => TellAsync(machine, statuses, machineStatuses, record with { RecoveryPointId = own?.SessionId });
        if (machine.Account.FindNameChange() is { } renamed)
        {
            work.Warn(renamed);
        }

        // First what is due by the quarter hour; files may take longer, and their point is the newest then.
        var runs = new SourceRuns(work);
        await new WorkloadJobs(machine, policy, vault, work) { RetainUntil = RetainUntil, Compression = Compression }.RunAsync(others.Workloads, runs, stop).ConfigureAwait(false);
        own = others.Workloads.Select(run => run.Point).LastOrDefault(point => point is not null);
        await new VirtualMachineJobs(machine, policy, vault, work) { RetainUntil = RetainUntil, Compression = Compression, IsScheduled = IsScheduled }
            .RunAsync(others.Machines, runs, stop).ConfigureAwait(false);
        runs.End(hasMore: sources.Sources.Count > 0);
        if (sources.Sources.Count > 0)
        {
            own = await BackUpFilesAsync(machine, policy, sources, vault, work, stop).ConfigureAwait(false);
        }

        statuses.MachineId = own?.MachineId;
        if (SeedFolder is null && (own ?? others.Machines.Select(run => run.Point).LastOrDefault(point => point is not null)) is { } newest)
        {
            await new MaintenanceAfterBackup(machine, vault).RunAsync(newest, work, stop).ConfigureAwait(false);
        }
    }

    // A virtual machine is a machine of its own to whoever watches the vault.
    private async Task<BackupException?> TellAsync(JobMachine machine, StatusWriter statuses, IReadOnlyList<(VirtualMachineRun Run, StatusWriter Statuses)> machines, JobRecord record)
    {
        var teller = new RunTeller(machine);
        BackupException? untold = await teller.TellAsync(statuses, this, record).ConfigureAwait(false);
        foreach ((VirtualMachineRun run, StatusWriter ofMachine) in machines.Where(each => each.Run.IsKnown || each.Run.Point is not null))
        {
            ofMachine.MachineId = run.Point?.MachineId;
            BackupException? untoldOfMachine = await teller.TellAsync(ofMachine, run, record).ConfigureAwait(false);
            untold ??= untoldOfMachine;
        }

        return untold;
    }

    /// <summary>Refuses one recovery point more than the limits allow.</summary>
    /// <param name="machine">The machine.</param>
    /// <param name="policy">What makes the point.</param>
    /// <param name="earlier">The machine's points.</param>
    /// <param name="workload">The workload that it is of; null where it is of files.</param>
    /// <param name="stop">Stops it.</param>
    /// <exception cref="BackupException">PolicyLimitExceeded.</exception>
    internal static async Task CheckPointsAsync(JobMachine machine, BackupPolicy policy, PointHistory earlier, string? workload, CancellationToken stop)
    {
        machine.Limits.CheckRecoveryPoints(earlier.Count + 1);
        if (policy.CopyTo.Count > 0 && machine.Limits == PolicyLimits.Mars)
        {
            long own = await earlier.NewestFirst.LongCountAsync(point => WorkloadPoint.Of(point.Tags)?.Name == workload, stop).ConfigureAwait(false);
            machine.Limits.CheckRecoveryPoints(workload is not null, own + 1);
        }
    }

    /// <summary>The twins that backups by a policy go to as well.</summary>
    internal static IReadOnlyList<TwinPlace> TwinsOf(JobMachine machine, BackupPolicy policy, UnlockedVault vault) =>
        [.. policy.CopyTo.Select(place => new TwinPlace(place, stop => machine.Copies.OpenTwinAsync(vault, new VaultAddress(place), new JobMonitor(), stop)))];

    private async Task<RecoveryPoint> BackUpFilesAsync(
        JobMachine machine, BackupPolicy policy, ResolvedSources sources, UnlockedVault vault, JobWork work, CancellationToken stop)
    {
        string name = machine.Name;
        PointHistory earlier = await vault.OpenHistoryAsync(name, stop).ConfigureAwait(false);
        await sources.PrepareAsync(stop).ConfigureAwait(false);
        var read = new List<RecoveryPoint>();
        var run = new RetentionRun(machine.Clock.GetUtcNow(), Zone(machine, policy), sources.IsPartial, RetainUntil);
        var request = new BackupRequest
        {
            MachineName = name,
            Sources =
            [
                .. sources.Sources.Select(source => source is BackupSource.Tree tree ? tree with { EarlierPaths = machine.Policies.EarlierPathsOf(tree.Path) } : source),
            ],
            Tags = await RetentionHistory.FindTagsAsync(policy, run, earlier.NewestFirst.Select(Note), stop).ConfigureAwait(false),
            MustBeRegistered = true,
            OwnFolders = [machine.State.Path, machine.Account.Scratch.Path, .. SeedFolder is null ? [] : new[] { Path.GetFullPath(SeedFolder) }],
            OpenSource = machine.OpenSource,
            Snapshots = new SnapshotOptions(machine.Account.Settings.Snapshots, machine.State.PathOf(StateFolder.Snapshots))
            {
                // What is on its way to the vault is not there yet, and a snapshot that stays would say that it is.
                Keep = SeedFolder is null ? machine.Account.Settings.KeepLocalSnapshots : null,
                Series = Policy.ToString(),
            },
            ScriptFile = machine.Account.Settings.ScriptFile,
            Compression = Compression,
            Rules = machine.RulesFor(Policy),
            Twins = SeedFolder is null ? TwinsOf(machine, policy, vault) : [],
        };
        await CheckPointsAsync(machine, policy, earlier, workload: null, stop).ConfigureAwait(false);
        if (machine.Limits.SizesScratch)
        {
            await CheckScratchAsync(machine.Account, vault, request, work, stop).ConfigureAwait(false);
        }

        BackupResult result = await vault.BackUpAsync(request, work.Monitor, stop).ConfigureAwait(false);
        work.RecoveryPointId = result.Point.SessionId;
        work.LostSources = [.. work.LostSources, .. result.LostSources];
        foreach (RecoveryPointSource source in result.Point.Sources.Where(source => source.Warning is not null))
        {
            work.Warn(Doubtful(source));
        }

        if (UnusualBackup.Find(result.Point, read) is { } cause)
        {
            work.Warn(Unusual(result.Point, cause));
        }

        return result.Point;

        // What was read for the tags says what is usual, too.
        RecoveryPoint Note(RecoveryPoint point)
        {
            read.Add(point);
            return point;
        }
    }

    internal static TimeZoneInfo Zone(JobMachine machine, BackupPolicy policy) =>
        policy.Schedule is { } schedule ? ScheduleZone.Of(schedule, machine.Clock.LocalTimeZone) : machine.Clock.LocalTimeZone;

    private static BackupException Doubtful(RecoveryPointSource source) => new(
        BackupErrorId.SourceDoubtful,
        source.Warning!,
        "If this is what you want, allow such sources with Set-OBMachineSetting -AllowSource. Otherwise name another folder.",
        source.ShownPath);

    private static BackupException Unusual(RecoveryPoint point, string cause) => new(
        BackupErrorId.BackupUnusual,
        $"The backup {point.SessionId.ToShortString()} looks as it would after ransomware: {cause}.",
        "Look at the files of this machine. Earlier recovery points are as they were; until the vault's owner releases it, or its time is over, maintenance ends none of them for good.",
        point.SessionId.ToString());

    private static async Task CheckScratchAsync(MachineAccount account, UnlockedVault vault, BackupRequest request, JobWork work, CancellationToken stop)
    {
        ScratchCheck scratch = account.Scratch.CheckRoom(await vault.EstimateAsync(request, stop).ConfigureAwait(false));
        if (scratch.IsFull)
        {
            // Earlier points say how much there was. Before a backup is refused, what there is now counts.
            scratch = account.Scratch.CheckRoom(await VaultFiles.MeasureSourcesAsync(request, stop).ConfigureAwait(false));
            scratch.ThrowIfFull();
        }

        if (scratch.FindWarning() is { } low)
        {
            work.Warn(low);
        }
    }
}
