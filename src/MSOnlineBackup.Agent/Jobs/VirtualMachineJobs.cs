using System.Security.Cryptography;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Agent.Retention;
using MSOnlineBackup.Agent.VirtualMachines;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.VirtualMachines.Backups;
using MSOnlineBackup.VirtualMachines.Machines;

namespace MSOnlineBackup.Agent.Jobs;

/// <summary>
/// The virtual machines of a backup job, one after the other; those of a group begin together, and are read one after the other. Their recovery points are those of machines of their own.
/// </summary>
/// <param name="Machine">The machine that backs them up.</param>
/// <param name="Policy">The policy that names them.</param>
/// <param name="Vault">The vault.</param>
/// <param name="Work">The job.</param>
internal sealed record VirtualMachineJobs(JobMachine Machine, BackupPolicy Policy, UnlockedVault Vault, JobWork Work)
{
    private const int BarrierIdBytes = 8;

    /// <summary>Until when the points are kept at least; null: by the policy.</summary>
    public DateTimeOffset? RetainUntil { get; init; }

    /// <summary>How hard it tries to make what it stores small.</summary>
    public Compression Compression { get; init; }

    /// <summary>Whether a schedule wants it.</summary>
    public bool IsScheduled { get; init; }

    /// <summary>Runs them.</summary>
    /// <param name="machines">The machines, whose status is noted.</param>
    /// <param name="runs">Notes what came of each.</param>
    /// <param name="stop">Stops it.</param>
    public async Task RunAsync(IReadOnlyList<VirtualMachineRun> machines, SourceRuns runs, CancellationToken stop)
    {
        foreach (IGrouping<string, VirtualMachineRun> group in machines.GroupBy(run => run.Settings.Group ?? $"/{run.Name}", StringComparer.OrdinalIgnoreCase))
        {
            if (group.Count() == 1)
            {
                await BackUpAsync(group.Single(), runs, null, null, stop).ConfigureAwait(false);
                continue;
            }

            var barrier = new MomentBarrier(Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(BarrierIdBytes)), group.Key, group.Count(), Machine.Clock);
            using var turn = new SemaphoreSlim(1);
            await Task.WhenAll(group.Select(run => BackUpAsync(run, runs, barrier, turn, stop)).ToList()).ConfigureAwait(false);
        }
    }

    // What is wrong with the vault, or with this machine in it, is wrong with everything.
    private static bool IsItsOwn(BackupException e) => e.Id is
        BackupErrorId.VirtualMachineUnreachable or BackupErrorId.VirtualMachineBusy or BackupErrorId.VirtualMachineCommandFailed or BackupErrorId.VirtualMachineUnfit
        or BackupErrorId.VirtualMachineProgramUnusable or BackupErrorId.GuestNotFrozen or BackupErrorId.GuestNotThawed or BackupErrorId.SourceItemUnreadable
        or BackupErrorId.PolicyLimitExceeded or BackupErrorId.NotAvailable;

    private async Task BackUpAsync(VirtualMachineRun run, SourceRuns runs, MomentBarrier? barrier, SemaphoreSlim? turn, CancellationToken stop)
    {
        JobMonitor part = Work.BeginPart();
        run.Add(part);
        try
        {
            await runs.RunAsync(run, IsItsOwn, () => BackUpAsync(run, barrier, turn, part, stop)).ConfigureAwait(false);
        }
        finally
        {
            // Whoever has not come so far does not come any more.
            barrier?.Leave(run.Name, run.Failure?.Message.TrimEnd('.') ?? "its backup was ended");
        }

        if (barrier is { Failure: { } why } && run.Failure is null)
        {
            Work.Warn(new BackupException(
                BackupErrorId.GuestNotFrozen,
                $"The virtual machine '{run.Name}' was not held still together with the others of its group '{barrier.Group}', and its recovery point is of a moment of its own: {why}.",
                "See to the machines of the group and their guest agents. Add-OBVirtualMachine -RequireFreeze makes no recovery point then.",
                run.Name));
        }
    }

    private async Task<RecoveryPoint> BackUpAsync(VirtualMachineRun run, MomentBarrier? barrier, SemaphoreSlim? turn, JobMonitor part, CancellationToken stop)
    {
        VirtualMachineSettings settings = run.Settings;
        if (Machine.IsNamed(settings.Name))
        {
            throw new BackupException(
                BackupErrorId.VirtualMachineUnfit,
                $"The virtual machine '{settings.Name}' is called as this machine is, and their recovery points would be mixed.",
                "Give it another name in the policy: Remove-OBVirtualMachine, and Add-OBVirtualMachine with another -Name.",
                settings.Name);
        }

        PointHistory earlier = await Vault.OpenHistoryAsync(settings.Name, stop).ConfigureAwait(false);
        run.IsKnown = earlier.Count > 0;
        Machine.Limits.CheckRecoveryPoints(earlier.Count + 1);
        await CheckRunsAsync(earlier, stop).ConfigureAwait(false);
        var retention = new RetentionRun(Machine.Clock.GetUtcNow(), BackupOrder.Zone(Machine, Policy), RetainUntil: RetainUntil);
        IReadOnlyList<string> kept = await RetentionHistory.FindTagsAsync(Policy, retention, earlier.NewestFirst.Where(IsOurs), stop, MachineRun.Series).ConfigureAwait(false);
        var request = new MachineBackupRequest
        {
            Backup = new BackupRequest
            {
                MachineName = settings.Name,
                Sources = [],
                Tags = [.. kept, new MachineRun(Machine.Name, IsScheduled).ToString()],
                Compression = Compression,
                Twins = BackupOrder.TwinsOf(Machine, Policy, Vault),
            },
            Disks = settings.Disks ?? [],
            ExcludedDisks = settings.ExcludedDisks ?? [],
            Check = Machine.Limits.CheckDisks,
            Turn = turn,
            Moment = new MomentOptions
            {
                WorkFolder = settings.WorkFolder ?? MomentOptions.UsualWorkFolder,
                AgentSocket = settings.AgentSocket,
                Freezer = Machine.Freezer,
                GuestHasHooks = settings.HasHooks,
                RequiresFreeze = settings.RequiresFreeze,
                Barrier = barrier,
                Report = Work.Warn,
            },
        };
        await using IVirtualMachine machine = await Machine.OpenMachine(settings.Address, settings.Name, stop).ConfigureAwait(false);
        return (await MachineBackup.RunAsync(Vault, machine, request, part, stop).ConfigureAwait(false)).Backup.Point;
    }

    // What other machines' policies, or people, have made of it does not count.
    private bool IsOurs(RecoveryPoint point) => MachineRun.Of(point.Tags) is { } run && Machine.IsNamed(run.Host);

    private async Task CheckRunsAsync(PointHistory earlier, CancellationToken stop)
    {
        if (Machine.Limits != PolicyLimits.Mars)
        {
            return;
        }

        TimeZoneInfo zone = BackupOrder.Zone(Machine, Policy);
        DateTime today = TimeZoneInfo.ConvertTime(Machine.Clock.GetUtcNow(), zone).Date;
        long made = await earlier.NewestFirst
            .LongCountAsync(point => IsOurs(point) && MachineRun.Of(point.Tags)!.IsScheduled == IsScheduled && TimeZoneInfo.ConvertTime(point.Started, zone).Date == today, stop).ConfigureAwait(false);
        Machine.Limits.CheckMachineRuns(IsScheduled, made + 1);
    }
}
