using MSOnlineBackup.Host.Documents;
using MSOnlineBackup.Host.Rendering;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Alarms;
using MSOnlineBackup.Vaults.Registers;

namespace MSOnlineBackup.Host.Commands;

/// <summary><c>vault alarms</c>.</summary>
internal sealed class VaultAlarmsCommand : HostCommand
{
    private readonly VaultSelection _vault;

    public VaultAlarmsCommand()
        : base(
            "alarms",
            "Say what somebody should see to: brakes on deletion that are in force, and why; and damage that is on record.",
            "obengine vault alarms --vault /mnt/backup") =>
        _vault = new VaultSelection(this);

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        using UnlockedVault vault = await _vault.UnlockAsync(context, VaultUse.Read).ConfigureAwait(false);
        IReadOnlyList<VaultAlarm> alarms = await vault.ReadAlarmsAsync(null, context.Stop).ConfigureAwait(false);
        foreach (VaultAlarm alarm in alarms)
        {
            context.Renderer.Item(
                new AlarmLine(alarm.Id.ToString(), alarm.Since, alarm.Machine, alarm.Message, alarm.RecommendedAction),
                line => $"{context.LocalTime(line.Since)}  {line.Alarm}: {line.Message}\n    {line.Advice}");
        }

        var summary = new ListSummary("vault alarms", alarms.Count) { ExitCode = (int)(alarms.Count > 0 ? ExitCode.Failed : ExitCode.Success) };
        return new Outcome(summary, alarms.Count == 0 ? "There is no alarm." : $"{Quantity.Count(alarms.Count, "alarm")}.");
    }
}
