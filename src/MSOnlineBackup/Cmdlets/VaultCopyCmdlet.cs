using System.Management.Automation;
using MSOnlineBackup.Model.Conversions;
using MSOnlineBackup.Vaults.Copies;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Progress;

namespace MSOnlineBackup.Cmdlets;

/// <summary>For cmdlets that bring recovery points from one place of a vault to another.</summary>
public abstract class VaultCopyCmdlet : OBEngineCmdlet
{
    private static readonly TimeSpan _readInterval = TimeSpan.FromMilliseconds(250);

    /// <summary>Copies with a bar, and writes what came of it; an error at the end where a point could not be copied.</summary>
    /// <param name="copy">Copies.</param>
    /// <param name="place">To where.</param>
    /// <param name="again">What is done about damage, at the end of "…; then".</param>
    /// <param name="pump">Takes what is written.</param>
    private protected static async Task FollowAsync(Func<JobMonitor, Task<VaultCopyReport>> copy, string place, string again, CmdletPump pump)
    {
        var monitor = new JobMonitor { Noted = pump.WriteVerbose, VaultDamaged = damage => pump.WriteWarning($"{damage.Message} ({damage.Id}) {damage.RecommendedAction}") };
        Task<VaultCopyReport> work = copy(monitor);
        while (await Task.WhenAny(work, Task.Delay(_readInterval, CancellationToken.None)).ConfigureAwait(false) != work)
        {
            pump.WriteProgress(BarOf(monitor.Snapshot()));
        }

        VaultCopyReport report = await work.ConfigureAwait(false);
        await pump.WriteObjectAsync(report.ToOutput(place)).ConfigureAwait(false);
        if (report.Damaged is [var first, ..])
        {
            // Scripts and cron see by the error that the twin lacks something; the other points are there.
            BackupException why = first.Damage;
            string others = report.Damaged.Count == 1 ? "" : $", and {report.Damaged.Count - 1} more";
            pump.WriteError(new BackupException(
                why.Id,
                $"The recovery point {first.SessionId.ToShortString()} of '{first.MachineName ?? first.MachineId.ToString()}'{others} could not be copied: {why.Message}",
                $"Problems lists what is damaged, and which items suffer. Repair-OBVault and the next backup mend what can be mended; then {again}.",
                first.SessionId.ToString(),
                innerException: why));
        }
    }

    private static ProgressRecord BarOf(JobProgress counters) => new(
        0,
        "Copying recovery points",
        counters.Wait is { } wait ? wait.Cause : counters.Phase == JobPhase.Transferring ? $"{counters.CurrentItem}, {counters.Bytes >> 20} MiB copied" : "Finding what is lacking");
}
