using System.Management.Automation;
using MSOnlineBackup.Agent.Groups;
using MSOnlineBackup.Agent.Jobs;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Completion;
using MSOnlineBackup.Model.Conversions;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Backs up now what a policy names.</summary>
[Cmdlet(VerbsLifecycle.Start, "OBBackup", SupportsShouldProcess = true, DefaultParameterSetName = ByName)]
[OutputType(typeof(OBJob), ParameterSetName = [ByName, ByObject])]
[OutputType(typeof(OBGroupBackup), ParameterSetName = [ByGroup])]
public sealed class StartOBBackupCommand : JobCmdlet
{
    private const string ByName = "PolicyName";
    private const string ByObject = "PolicyObject";
    private const string ByGroup = "ProtectionGroup";

    private bool _hasInput;

    /// <summary>The name of a saved policy; this machine's policy for files, if it is not given.</summary>
    [Parameter(Position = 0, ParameterSetName = ByName)]
    [ArgumentCompleter(typeof(PolicyNameCompleter))]
    [ValidateNotNullOrEmpty]
    public string Name { get; set; } = "";

    /// <summary>A saved policy, from Get-OBPolicy.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ParameterSetName = ByObject)]
    public OBPolicy Policy { get; set; } = null!;

    /// <summary>A protection group: each of its machines backs up into its disk vault, what is new is copied, and the retention is put into force.</summary>
    [Parameter(Mandatory = true, ParameterSetName = ByGroup)]
    [ArgumentCompleter(typeof(GroupCompleter))]
    [ValidateNotNullOrEmpty]
    public string ProtectionGroup { get; set; } = "";

    /// <summary>Has a process of its own run the job, and returns at once.</summary>
    [Parameter(Position = 1)]
    public SwitchParameter Async { get; set; }

    /// <summary>Only these of the policy's sources.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(PolicySourceCompleter))]
    [ValidateNotNullOrEmpty]
    public string[] Volumes { get; set; } = [];

    /// <summary>For timers: a paused policy is not backed up by.</summary>
    [Parameter]
    public SwitchParameter Scheduled { get; set; }

    /// <summary>Until when the recovery point is kept at least, whatever the policy says.</summary>
    [Parameter]
    public DateTime? RetainUntil { get; set; }

    /// <summary>How hard to try to make what is stored small.</summary>
    [Parameter]
    public OBCompression Compression { get; set; }

    /// <summary>A folder on a disk that travels: the backup is made to a seed there instead of to the vault, and Import-OBSeed brings it into the vault.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? SeedPath { get; set; }

    /// <inheritdoc/>
    protected override void Process()
    {
        _hasInput = true;
        if (ParameterSetName == ByGroup)
        {
            RunGroup();
            return;
        }

        BackupPolicy policy = ParameterSetName == ByObject ? SavedFrom(Policy) : Name.Length == 0 ? Agent.Policies.Require(PolicyKind.Files) : SavedAs(Name);
        if (Scheduled && policy.IsPaused)
        {
            throw new BackupException(
                BackupErrorId.PolicyPaused, "The policy is paused; nothing was backed up.", "Resume it with Set-OBPolicyState -State Valid.", policy.Id?.ToString());
        }

        if (RetainUntil is { } until && until.ToUniversalTime() <= TimeProvider.System.GetUtcNow())
        {
            throw new BackupException(
                BackupErrorId.ArgumentInvalid, $"-RetainUntil is {until}, which is in the past.", "Give a time in the future, or omit -RetainUntil to follow the policy.", nameof(RetainUntil));
        }

        string? seed = SeedPath is null ? null : VaultPlace(SeedPath);
        IEnumerable<string> sources = Volumes.Length > 0 ? Volumes : policy.ToDraft().DsList.Select(source => source.DataSourceName);
        Do(
            new BackupOrder { Policy = policy.Kind, Only = Volumes, RetainUntil = RetainUntil, Compression = Compression.ToEngine(), SeedFolder = seed },
            string.Join(", ", sources),
            seed is null ? "Back up" : $"Back up to the seed '{seed}'",
            Async);
    }

    /// <inheritdoc/>
    protected override void Finish()
    {
        // Silence would be taken for a backup.
        if (!_hasInput)
        {
            throw new BackupException(
                BackupErrorId.PolicyNotFound, "No policy came through the pipeline; nothing was backed up.", "Get-OBPolicy returns the policy of this machine, if there is one.");
        }
    }

    private void RunGroup()
    {
        string[] others = [nameof(Async), nameof(Volumes), nameof(RetainUntil), nameof(Compression), nameof(SeedPath), nameof(Scheduled)];
        if (others.FirstOrDefault(MyInvocation.BoundParameters.ContainsKey) is { } contradiction)
        {
            throw new BackupException(
                BackupErrorId.ArgumentInvalid,
                $"-{contradiction} was given with -ProtectionGroup: the machines of a group back up by its policy, here and now.",
                $"Leave out -{contradiction}. Set-OBProtectionGroup changes the policy of the group.",
                contradiction);
        }

        ProtectionGroup group = Run((_, stop) => Agent.Groups.GetAsync(ProtectionGroup, stop));
        if (!ShouldProcess(group.Name, $"Back up {string.Join(", ", group.Machines.Select(machine => machine.HostName))}"))
        {
            return;
        }

        GroupRun run = Run((pump, stop) => Agent.Groups.RunAsync(
            group.Name, machine => pump.WriteVerbose($"{machine.HostName}: {(machine.Failure is { } failure ? failure.Message : $"backed up to {machine.DiskVault}")}"), stop));
        foreach (BackupException warning in run.Warnings.Concat(run.Machines.SelectMany(machine => machine.Warnings)).Concat(run.Copies.Select(copy => copy.Failure).OfType<BackupException>()))
        {
            WriteWarning($"{warning.Message} ({warning.Id}) {warning.RecommendedAction}");
        }

        foreach (GroupMachineRun machine in run.Machines)
        {
            WriteObject(machine.ToOutput(group.Name));
            if (machine.Failure is { } failure)
            {
                WriteError(failure);
            }
        }
    }

    private BackupPolicy SavedAs(string name) =>
        Agent.Policies.List().FirstOrDefault(saved => string.Equals(saved.Id?.ToString(), name, StringComparison.OrdinalIgnoreCase))
        ?? throw new BackupException(BackupErrorId.PolicyNotFound, $"'{name}' is not a policy of this machine.", "(Get-OBPolicy).PolicyName shows the name of this machine's policy.", name);

    private BackupPolicy SavedFrom(OBPolicy draft)
    {
        string save = $"Set-{PolicyScope.Of(draft.Kind).Noun}";
        if (draft.State == OBObjectState.New)
        {
            throw new BackupException(BackupErrorId.PolicyInvalid, "The policy is a draft; a backup needs a saved policy.", $"Save it with {save} first.");
        }

        BackupPolicy saved = SavedAs(draft.PolicyName);

        // Whether it is paused is saved by itself, and does not matter here.
        return PolicyJson.Write(draft.ToEngine() with { IsPaused = saved.IsPaused }) == PolicyJson.Write(saved)
            ? saved
            : throw new BackupException(
                BackupErrorId.PolicyInvalid,
                $"The policy '{draft}' differs from the saved one, and backups follow the saved one.",
                $"Save it with {save}, or use the saved one from Get-OBPolicy.",
                draft.PolicyName);
    }
}
