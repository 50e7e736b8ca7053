using System.Management.Automation;
using MSOnlineBackup.Agent.Jobs;
using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Agent.Schedules;
using MSOnlineBackup.Vaults.Alarms;
using MSOnlineBackup.Vaults.Errors;
using JobState = MSOnlineBackup.Agent.Jobs.JobState;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Lists what somebody should see to: steps that are missing, how the last jobs ended, and the alarms of the vault.</summary>
[Cmdlet(VerbsCommon.Get, "OBNotification")]
[OutputType(typeof(OBNotification))]
public sealed class GetOBNotificationCommand : OBEngineCmdlet
{
    private const string Warning = "Warning";
    private const string Error = "Error";

    // What the vault is asked afresh: how it was at the last backup counts no more.
    private static readonly string[] _asked = [nameof(BackupErrorId.BackupUnusual), nameof(BackupErrorId.VaultDataCorrupt)];

    /// <inheritdoc/>
    protected override void Process()
    {
        DateTime now = TimeProvider.System.GetUtcNow().UtcDateTime;
        MachineAccount machine = Agent.Machine;
        if (machine.Registration is null)
        {
            Write(now, Warning, "This machine is not registered with a vault.", "Register it with Start-OBRegistration.", nameof(BackupErrorId.MachineNotRegistered));
        }
        else if (!machine.HasPassphrase)
        {
            Write(now, Warning, "Registration is incomplete: no passphrase is set.", "Set it with Set-OBMachineSetting -EncryptionPassphrase.", nameof(BackupErrorId.MachineNotActivated));
        }
        else if (machine.Key.FindFault() is { } fault)
        {
            Write(now, Error, fault.Message, fault.RecommendedAction, fault.Id.ToString());
        }
        else if (Agent.Policies.Get(PolicyKind.Files) is not { } policy)
        {
            Write(now, Warning, "Nothing is backed up: there is no policy.", "Make one with New-OBPolicy and save it with Set-OBPolicy.", nameof(BackupErrorId.PolicyNotFound));
        }
        else if (policy.IsPaused)
        {
            Write(now, Warning, "The policy is paused: its schedule backs nothing up.", "Resume it with Set-OBPolicyState -State Valid.", nameof(BackupErrorId.PolicyPaused));
        }

        if (machine is { Registration: not null, HasPassphrase: true })
        {
            WriteSchedules(now);
        }

        WriteContact();
        bool isAsked = machine is { Registration: not null, HasPassphrase: true } && machine.Key.FindFault() is null && WriteAlarms(now);
        foreach (PolicyScope scope in PolicyScope.All)
        {
            WriteLastBackup(scope, isAsked);
        }
    }

    // Backups that are stopped fail nowhere.
    private void WriteContact()
    {
        if (Run((_, stop) => Agent.Contact.FindAlarmAsync(stop)) is { } alarm)
        {
            Write(alarm.Since.UtcDateTime, Error, alarm.Message, alarm.RecommendedAction, alarm.Id.ToString());
        }
    }

    // False where the vault could not be asked.
    private bool WriteAlarms(DateTime now)
    {
        BackupException? failure = null;
        IEnumerable<VaultAlarm> alarms = Run(async (_, stop) =>
        {
            try
            {
                return await Agent.ReadAlarmsAsync(stop).ConfigureAwait(false);
            }
            catch (BackupException e)
            {
                failure = e;
                return [.. Agent.FindLocalAlarms()];
            }
        });
        foreach (VaultAlarm alarm in alarms)
        {
            Write(alarm.Since.UtcDateTime, alarm.IsDamage ? Error : Warning, alarm.Message, alarm.RecommendedAction, alarm.Id.ToString());
        }

        if (failure is not null)
        {
            Write(now, Warning, $"What the vault has to tell is not known: {failure.Message}", failure.RecommendedAction, failure.Id.ToString());
        }

        return failure is null;
    }

    // A schedule that nobody runs looks like a backup until it is needed.
    private void WriteSchedules(DateTime now)
    {
        foreach (BackupPolicy policy in Agent.Policies.List().Where(policy => policy is { IsPaused: false, Schedule: not null }))
        {
            string label = PolicyScope.Of(policy.Kind).Label;
            try
            {
                ScheduleStatus status = Run((_, stop) => Agent.Schedules.FindAsync(policy.Kind, stop));
                if (status.Registration == ScheduleRegistration.NotUsed && !Agent.Jobs.RunsBySchedule(policy))
                {
                    Write(now, Warning, $"Nothing runs the schedule of the policy for {label}: no backup started at its last scheduled time.", RunAdvice(status), null);
                }
                else if (status.Registration is ScheduleRegistration.Missing or ScheduleRegistration.Disabled or ScheduleRegistration.Changed)
                {
                    Write(
                        now,
                        Error,
                        $"Nothing runs the schedule of the policy for {label} as it should be: in {status.Scheduler} it is {status.Registration}.",
                        "Run Repair-OBSchedule. Test-OBSchedule says more.",
                        nameof(BackupErrorId.ScheduleNotRegistered));
                }
            }
            catch (BackupException e) when (e.Id is BackupErrorId.SchedulerUnavailable or BackupErrorId.ScheduleNotRegistered)
            {
                Write(now, Error, $"Nothing runs the schedule of the policy for {label}. {e.Message}", e.RecommendedAction, e.Id.ToString());
            }
        }
    }

    // Only the newest of its kind counts: what went wrong before it has been put right.
    private void WriteLastBackup(PolicyScope scope, bool isAsked)
    {
        if (Agent.Jobs.LastBackup(scope.Kind) is not { } last)
        {
            return;
        }

        string name = scope.NamesFiles ? "backup" : $"backup of {scope.Label}";
        DateTime ended = (last.Ended ?? last.Started).UtcDateTime;
        if (last is { State: JobState.Failed, Error: { } error })
        {
            Write(ended, Error, $"The last {name} failed: {error.Message}", error.RecommendedAction, error.Id);
        }
        else if (last.State == JobState.CompletedWithWarnings)
        {
            foreach (JobSourceStatus lost in last.Sources.Where(source => source is { State: JobState.Failed, Error: not null }))
            {
                Write(ended, Error, $"The last {name} does not include '{lost.Name}': {lost.Error!.Message}", lost.Error.RecommendedAction, lost.Error.Id);
            }

            Write(ended, Warning, $"The last {name} skipped {last.Skipped:N0} {(last.Skipped == 1 ? "item" : "items")}.", "Get-OBSkippedItem lists them, with the reason for each.", null);
        }

        foreach (JobError warning in (last.Warnings ?? []).Where(warning => !isAsked || !_asked.Contains(warning.Id)))
        {
            Write(ended, Warning, warning.Message, warning.RecommendedAction, warning.Id);
        }
    }

    private void Write(DateTime time, string severity, string message, string action, string? id) => WriteObject(new OBNotification
    {
        Time = time,
        Severity = severity,
        Message = message,
        RecommendedAction = action,
        ErrorId = id,
    });
}
