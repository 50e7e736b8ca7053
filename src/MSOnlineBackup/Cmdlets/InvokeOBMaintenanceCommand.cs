using System.Management.Automation;
using MSOnlineBackup.Agent.Retention;
using MSOnlineBackup.Model.Conversions;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Maintenance;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.Protection;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Deletes the recovery points of this machine that no rule keeps any more, and frees what its vault needs no more.</summary>
[Cmdlet(VerbsLifecycle.Invoke, "OBMaintenance", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium)]
[OutputType(typeof(OBMaintenanceResult))]
public sealed class InvokeOBMaintenanceCommand : MaintenanceCmdlet
{
    private static readonly TimeSpan _readInterval = TimeSpan.FromMilliseconds(250);

    /// <summary>The most bytes of packs that are written anew in this run; without it, no limit.</summary>
    [Parameter]
    [ValidateRange(0, long.MaxValue)]
    public long? MaxRepackBytes { get; set; }

    /// <summary>The most bytes that are sealed anew in this run because an earlier master key had sealed them; without it, none.</summary>
    [Parameter]
    [ValidateRange(0, long.MaxValue)]
    public long ReencryptBytes { get; set; }

    /// <summary>After this time nothing further is begun; without it, no limit.</summary>
    [Parameter]
    public TimeSpan? MaxDuration { get; set; }

    /// <summary>How much of a pack may be unused, in percent, before the rest of it is written anew.</summary>
    [Parameter]
    [ValidateRange(0.0, 100.0)]
    public double? MaxUnused { get; set; }

    /// <summary>A job that has said nothing to the vault for this long is taken for dead.</summary>
    [Parameter]
    public TimeSpan? ShutOutAfter { get; set; }

    /// <summary>Within how many days all that is stored is to be read back once, by a share in each run; 0 reads nothing. Without it, as the vault is set.</summary>
    [Parameter]
    [ValidateRange(0, 3650)]
    public int? VerifyDays { get; set; }

    /// <summary>The most bytes that are read back and verified in this run; without it, no limit.</summary>
    [Parameter]
    [ValidateRange(0, long.MaxValue)]
    public long? MaxVerifyBytes { get; set; }

    private protected override string StopNote => "Stopping; what was done stays done, and the next run goes on from there.";

    /// <inheritdoc/>
    protected override void Process()
    {
        var usual = new MaintenanceRequest();
        MaintenanceRequest request = usual with
        {
            MaxRepackBytes = MaxRepackBytes,
            ReencryptBytes = ReencryptBytes,
            MaxDuration = NotNegative(MaxDuration, nameof(MaxDuration)),
            MaxUnused = MaxUnused / 100 ?? usual.MaxUnused,
            VerifyDays = VerifyDays,
            MaxVerifyBytes = MaxVerifyBytes,
            ShutOutAfter = NotNegative(ShutOutAfter, nameof(ShutOutAfter)) ?? usual.ShutOutAfter,
        };
        bool isAgreed = ShouldProcess(
            "Deleting recovery points that no rule keeps any more, and freeing space in the vault of this machine.",
            "Recovery points of this machine that no rule keeps any more are deleted, and what the vault needs no more is freed. Get-OBRetentionPlan shows the points. Do you want to go on?",
            "MSOnlineBackup",
            out ShouldProcessReason reason);
        if (isAgreed || reason == ShouldProcessReason.WhatIf)
        {
            Run((pump, stop) => MaintainAsync(request with { IsRehearsal = !isAgreed }, pump, stop));
        }
    }

    private async Task MaintainAsync(MaintenanceRequest request, CmdletPump pump, CancellationToken stop)
    {
        var monitor = new JobMonitor();
        Task<MachineMaintenance> work = Agent.MaintainAsync(
            request, monitor, count => pump.WriteVerbose($"{count} recovery points of this machine are kept by no rule any more."), stop);
        while (await Task.WhenAny(work, Task.Delay(_readInterval, CancellationToken.None)).ConfigureAwait(false) != work)
        {
            pump.WriteProgress(BarOf(monitor.Snapshot()));
        }

        MachineMaintenance done = await work.ConfigureAwait(false);
        WarnOfDamage(pump, done.Plan);
        if (done.Collection.Findings is [var finding, ..])
        {
            pump.WriteWarning(
                $"{finding.Problem} ({finding.Object}{(done.Collection.Findings.Count > 1 ? $", and {done.Collection.Findings.Count - 1} more" : "")}) Problems lists what is damaged; Test-OBRecoveryPoint tells more.");
        }

        if (done.Collection.Unproven is { } full)
        {
            pump.WriteWarning($"Space was freed, and what comes after that was not done: {full.Message} ({full.Id}) {full.RecommendedAction}");
        }

        foreach (DeletionBrake brake in done.Collection.Brakes)
        {
            pump.WriteWarning(
                $"{brake.Held($"the machine {brake.MachineId}")}: {brake.Cause}. Look at it; then the vault's owner releases it (Set-OBVault -ReleaseBrake), or it is over on {brake.Until:u}.");
        }

        await pump.WriteObjectAsync(done.ToOutput()).ConfigureAwait(false);
    }

    private static ProgressRecord BarOf(JobProgress counters) => new(
        0,
        "Maintaining the vault",
        counters.Wait is { } wait ? wait.Cause : counters.Phase switch
        {
            JobPhase.Transferring => $"Freeing space, {counters.StoredBytes >> 20} MiB written anew",
            JobPhase.Verifying => $"Verifying, {counters.Bytes >> 20} MiB read",
            _ => "Finding what is needed",
        });

    private static TimeSpan? NotNegative(TimeSpan? time, string name) => !(time < TimeSpan.Zero) ? time
        : throw new BackupException(BackupErrorId.ArgumentInvalid, $"-{name} is negative.", "Give a time such as 02:00:00, or '7.00:00:00' for seven days.", name);
}
