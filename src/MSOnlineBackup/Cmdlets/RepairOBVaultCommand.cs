using System.Management.Automation;
using MSOnlineBackup.Model.Conversions;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.Repair;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Mends what is damaged or missing in the vault of this machine.</summary>
[Cmdlet(VerbsDiagnostic.Repair, "OBVault", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium)]
[OutputType(typeof(OBRepairResult))]
public sealed class RepairOBVaultCommand : OBEngineCmdlet
{
    private static readonly TimeSpan _readInterval = TimeSpan.FromMilliseconds(250);

    /// <summary>How many of the stored packs are read, in percent, chosen at random.</summary>
    [Parameter]
    [ValidateRange(0.0, 100.0)]
    public double Share { get; set; } = 100;

    /// <summary>Whether only the packs are read that are on record as damaged.</summary>
    [Parameter]
    public SwitchParameter RecordedOnly { get; set; }

    private protected override string StopNote => "Stopping; what was mended stays mended, and the next run goes on from there.";

    /// <inheritdoc/>
    protected override void Process()
    {
        bool isAgreed = ShouldProcess(
            "Reading the data in the vault of this machine, and mending what is damaged.",
            "The data in the vault of this machine are read. What is damaged is written anew as far as it can be read, and deleted once nobody can rely on it. Do you want to go on?",
            "MSOnlineBackup",
            out ShouldProcessReason reason);
        if (isAgreed || reason == ShouldProcessReason.WhatIf)
        {
            Run((pump, stop) => RepairAsync(new RepairRequest { IsRehearsal = !isAgreed, Share = Share / 100, RecordedOnly = RecordedOnly }, pump, stop));
        }
    }

    private async Task RepairAsync(RepairRequest request, CmdletPump pump, CancellationToken stop)
    {
        var monitor = new JobMonitor();
        Task<RepairReport> work = Agent.RepairAsync(request, monitor, stop);
        while (await Task.WhenAny(work, Task.Delay(_readInterval, CancellationToken.None)).ConfigureAwait(false) != work)
        {
            pump.WriteProgress(BarOf(monitor.Snapshot()));
        }

        RepairReport report = await work.ConfigureAwait(false);
        if (report.Unfinished is { } unfinished)
        {
            pump.WriteWarning(unfinished);
        }

        if (report.Findings.Count > 0)
        {
            pump.WriteWarning(
                $"Something is still damaged: at least {report.FilesAffected} files of {report.PointsAffected} recovery points suffer by it; Problems lists them. Start-OBBackup stores again what the sources still have.");
        }

        await pump.WriteObjectAsync(report.ToOutput()).ConfigureAwait(false);
    }

    private static ProgressRecord BarOf(JobProgress counters) => new(
        0,
        "Repairing the vault",
        counters.Wait is { } wait ? wait.Cause : counters.Phase == JobPhase.Transferring ? $"{counters.StoredBytes >> 20} MiB written anew" : $"{counters.Bytes >> 20} MiB read")
    {
        PercentComplete = counters.TotalBytes is > 0 and long total && counters.Bytes <= total ? (int)(100.0 * counters.Bytes / total) : -1,
    };
}
