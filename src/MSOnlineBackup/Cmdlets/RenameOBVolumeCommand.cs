using System.Management.Automation;
using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Completion;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Tells the saved policy that what it protects under one path is found under another now.</summary>
[Cmdlet(VerbsCommon.Rename, "OBVolume", SupportsShouldProcess = true)]
[OutputType(typeof(OBVolume))]
public sealed class RenameOBVolumeCommand : OBCmdlet
{
    /// <summary>The path as it was.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(PolicySourceCompleter))]
    public string OldVolumeName { get; set; } = "";

    /// <summary>The path as it is now.</summary>
    [Parameter(Mandatory = true, Position = 1)]
    [ValidateNotNullOrEmpty]
    public string NewVolumeName { get; set; } = "";

    /// <inheritdoc/>
    protected override void Process()
    {
        string from = Path.TrimEndingDirectorySeparator(FullPath(OldVolumeName));
        string to = Path.TrimEndingDirectorySeparator(FullPath(NewVolumeName));
        if (!Directory.Exists(to))
        {
            throw new BackupException(
                BackupErrorId.SourceNotFound, $"'{to}' is not a folder.", "Mount the volume first, then name the folder where it is mounted.", to);
        }

        BackupPolicy policy = Agent.Policies.Require(PolicyKind.Files);
        BackupPolicy changed = PolicyStore.Move(policy, from, to);

        // What was doubtful before was told when the policy was saved.
        foreach (string doubt in PolicyDoubts.OfSources(changed, Agent.SourceRules).Except(PolicyDoubts.OfSources(policy, Agent.SourceRules)))
        {
            WriteWarning(doubt);
        }

        if (!ShouldProcess(from, $"Change this path to '{to}' in the policy"))
        {
            return;
        }

        Agent.Policies.SetMoved(changed, from, to);
        WriteObject(new OBVolume { OldVolumeName = from, NewVolumeName = to });
    }
}
