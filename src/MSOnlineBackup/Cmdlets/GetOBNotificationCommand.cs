using System.Management.Automation;
using MSOnlineBackup.Agent.Jobs;
using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Vaults.Errors;
using JobState = MSOnlineBackup.Agent.Jobs.JobState;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Lists what somebody should see to: steps that are missing, and how the last jobs ended.</summary>
[Cmdlet(VerbsCommon.Get, "OBNotification")]
[OutputType(typeof(OBNotification))]
public sealed class GetOBNotificationCommand : OBCmdlet
{
    private const string Warning = "Warning";
    private const string Error = "Error";

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

        foreach (PolicyScope scope in PolicyScope.All)
        {
            WriteLastBackup(scope);
        }
    }

    // A schedule that nobody runs looks like a backup until it is needed.
    private void WriteSchedules(DateTime now)
    {
        foreach (BackupPolicy policy in Agent.Policies.List())
        {
            if (policy is { IsPaused: false, Schedule: not null } && !Agent.Jobs.RunsBySchedule(policy))
            {
                Write(
                    now,
                    Warning,
                    $"Nothing runs the schedule of the policy for {PolicyScope.Of(policy.Kind).Label}: no backup started at its last scheduled time, and this version does not register schedules with the operating system.",
                    SavedPolicyCmdlet.RunAdvice,
                    null);
            }
        }
    }

    // Only the newest of its kind counts: what went wrong before it has been put right.
    private void WriteLastBackup(PolicyScope scope)
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

        foreach (JobError warning in last.Warnings ?? [])
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
