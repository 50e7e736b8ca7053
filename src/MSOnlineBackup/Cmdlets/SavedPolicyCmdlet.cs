using System.Globalization;
using System.Management.Automation;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Model.Conversions;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Protection;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Cmdlets;

/// <summary>For cmdlets that save or remove the policy of one kind.</summary>
public abstract class SavedPolicyCmdlet : OBEngineCmdlet
{
    private const string Caption = "MSOnlineBackup";

    private readonly PolicyScope _scope;

    private protected SavedPolicyCmdlet(PolicyKind kind) => _scope = PolicyScope.Of(kind);

    /// <summary>A security PIN of the vault's owner, where the vault asks for one.</summary>
    [Parameter]
    [AllowEmptyString]
    [AllowNull]
    public string? SecurityPIN { get; set; }

    /// <summary>The code of an approver, where the vault has approvers.</summary>
    [Parameter]
    public string? Approval { get; set; }

    private Consent Consent => new(SecurityPIN, Approval);

    /// <summary>Saves a draft, which is a saved policy from then on.</summary>
    private protected void Save(OBPolicy draft)
    {
        RefuseOtherKind(draft);
        BackupPolicy policy = draft.ToEngine();
        ModuleEnvironment.Limits().Check(policy);
        policy.RequireSources();
        PolicyDoubts.RequireTaken(policy, Agent.SourceRules);

        // Who is asked, or only looks with -WhatIf, shall know.
        foreach (string doubt in PolicyDoubts.OfSources(policy, Agent.SourceRules))
        {
            WriteWarning(doubt);
        }

        WarnOfTwins(policy);
        string what = string.Join(", ", draft.DsList.Select(source => source.DataSourceName));
        string registration = draft.PolicyState == OMPolicyStates.Paused ? "It is paused: no schedule is registered."
            : Agent.Schedules.SchedulerName is { } scheduler ? $"Its schedule is registered with {scheduler}."
            : "Its schedule is registered with no scheduler.";
        if (ShouldProcess(
            $"Saving the policy for {what} on this machine. {registration}",
            $"This becomes the machine's policy for {_scope.Label} and replaces any existing one. It protects {what}. Do you want to save it?",
            Caption))
        {
            BackupPolicy saved = Run((_, stop) => Agent.SavePolicyAsync(policy, Consent, stop));
            draft.MarkSavedAs(saved.Id);
            if (Agent.Policies.FindShortened(_scope.Kind) is { } shortened)
            {
                WriteWarning(shortened.ToAlarm(Agent.Machine.Name).Message);
            }

            draft.BackupSchedule!.ScheduleStartDate = saved.Schedule!.Start?.ToDateTime(TimeOnly.MinValue);
            AlignSchedule(_scope.Kind);
            WriteObject(draft);
        }
    }

    /// <summary>Removes the saved policy.</summary>
    /// <param name="policy">The policy.</param>
    /// <param name="deleteBackup">Whether its recovery points are deleted; else they stay. They are deleted first: if that fails, nothing is removed.</param>
    private protected void Remove(OBPolicy policy, bool deleteBackup)
    {
        RefuseOtherKind(policy);
        if (Agent.Policies.Get(_scope.Kind) is not { } saved || saved.Id?.ToString() != policy.PolicyName)
        {
            throw new BackupException(
                BackupErrorId.PolicyNotFound,
                $"'{policy}' is not the policy of this machine.",
                $"Get-{_scope.Noun} returns this machine's policy.",
                policy.PolicyName);
        }

        const string Ends = "This policy will no longer back anything up.";
        string days = deleteBackup ? DaysOfUndelete() : "";
        if (deleteBackup
            ? ShouldProcess(
                $"Removing the policy '{policy}' and its schedule, and deleting its recovery points. They can be brought back for {days}.",
                $"{Ends} All recovery points that it has made on this machine are deleted, the newest included. Restore-OBRecoveryPoint can bring them back for {days}. Do you want to remove it and delete them?",
                Caption)
            : ShouldProcess(
                $"Removing the policy '{policy}' and its schedule. Its recovery points stay.",
                $"{Ends} Its recovery points stay and can be recovered. Do you want to remove it?",
                Caption))
        {
            if (deleteBackup)
            {
                int deleted = Run((_, stop) => Agent.DeletePointsAsync(_scope.Kind, $"The policy '{policy}' was removed.", stop, Consent));
                WriteVerbose($"{deleted} recovery points were deleted; Get-OBDeletedRecoveryPoint lists them. They can be brought back for {days}.");
            }

            Agent.Policies.Remove(_scope.Kind);
            AlignSchedule(_scope.Kind);
            Run((_, stop) => Agent.RemoveLocalPointsAsync(_scope.Kind, Note, stop));
            policy.MarkSavedAs(null);
            WriteObject(policy);
        }
    }

    // A disk may be away when the policy is saved; another vault never becomes a twin.
    private void WarnOfTwins(BackupPolicy policy)
    {
        foreach (string place in Agent.Machine.Registration is null ? [] : policy.CopyTo)
        {
            try
            {
                Run((_, stop) => Agent.Copies.RequireTwinAsync(new VaultAddress(place), stop));
            }
            catch (BackupException e) when (e.Id is not (BackupErrorId.VaultNotTwin or BackupErrorId.ArgumentInvalid))
            {
                WriteWarning($"Backups are to go to '{place}' as well, which cannot be looked at now: {e.Message} {e.RecommendedAction}");
            }
        }
    }

    private string DaysOfUndelete()
    {
        TimeSpan kept = Run(async (_, stop) =>
        {
            using UnlockedVault vault = await Agent.OpenEngineAsync(stop).ConfigureAwait(false);
            return await vault.Deletions.ReadUndeleteTimeAsync(stop).ConfigureAwait(false);
        });
        return string.Create(CultureInfo.InvariantCulture, $"{kept.TotalDays:0} days");
    }

    private void RefuseOtherKind(OBPolicy policy)
    {
        if (policy.Kind != _scope.Kind)
        {
            PolicyScope other = PolicyScope.Of(policy.Kind);
            throw new BackupException(
                BackupErrorId.PolicyInvalid,
                $"The policy is for {other.Label}.",
                $"Use Set-{other.Noun} and Remove-{other.Noun}.",
                policy.PolicyName);
        }
    }
}
