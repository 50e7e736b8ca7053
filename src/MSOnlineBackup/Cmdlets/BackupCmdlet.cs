using MSOnlineBackup.Agent;
using MSOnlineBackup.Agent.Jobs;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Cmdlets;

/// <summary>For cmdlets that back up by a saved policy.</summary>
public abstract class BackupCmdlet : JobCmdlet
{
    /// <summary>Asks, and backs up.</summary>
    private protected void BackUp(BackupOrder order, IEnumerable<string> sources, bool async)
    {
        string what = string.Join(", ", sources);
        if (!ShouldProcess(what, "Back up"))
        {
            return;
        }

        if (async)
        {
            Start(stop => Agent.Jobs.StartAsync(order, stop));
        }
        else
        {
            Follow(JobKind.Backup, what, (progress, stop) => Agent.Jobs.BackUpAsync(order, progress, stop));
        }
    }

    /// <summary>The saved policy of a kind.</summary>
    /// <exception cref="BackupException">PolicyNotFound.</exception>
    private protected BackupPolicy Saved(PolicyKind kind) => Agent.Policies.Get(kind) ?? throw new BackupException(
        BackupErrorId.PolicyNotFound,
        kind == PolicyKind.Files ? "This machine has no policy." : "This machine has no policy for its system state.",
        kind == PolicyKind.Files
            ? "Make one with New-OBPolicy and save it with Set-OBPolicy."
            : "Make one with New-OBPolicy and Add-OBSystemState, and save it with Set-OBSystemStatePolicy.");
}
