using System.Management.Automation;
using System.Security;
using MSOnlineBackup.Agent.Groups;
using MSOnlineBackup.Completion;
using MSOnlineBackup.Model.Conversions;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Makes a protection group: machines that are backed up as one.</summary>
[Cmdlet(VerbsCommon.New, "OBProtectionGroup", SupportsShouldProcess = true)]
[OutputType(typeof(OBProtectionGroup))]
public sealed class NewOBProtectionGroupCommand : GroupCmdlet
{
    /// <summary>What it is called: 1 to 64 characters.</summary>
    [Parameter(Mandatory = true, Position = 0)]
    [ValidateNotNullOrEmpty]
    public string Name { get; set; } = "";

    /// <summary>Machines on which Install-OBAgent has put agents.</summary>
    [Parameter(Mandatory = true)]
    [AllowEmptyCollection]
    [ArgumentCompleter(typeof(AgentCompleter))]
    public string[] Machine { get; set; } = [];

    /// <summary>What is backed up of each machine, when, and for how long it is kept on disk; paths are paths there.</summary>
    [Parameter(Mandatory = true)]
    [ValidateNotNull]
    public OBPolicy Policy { get; set; } = null!;

    /// <summary>The folders of disk vaults, twins of each other, in the order in which they take machines.</summary>
    [Parameter(Mandatory = true)]
    [ValidateNotNullOrEmpty]
    public string[] DiskVault { get; set; } = [];

    /// <summary>Where recovery points are copied to: folders and URLs of twins.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string[] CopyTo { get; set; } = [];

    /// <summary>For how long the copies are kept, which New-OBRetentionPolicy makes; without it they keep what comes.</summary>
    [Parameter]
    [ValidateNotNull]
    public OBRetentionPolicy? CopyRetention { get; set; }

    /// <summary>The passphrase that opens the vaults; not needed where this machine has a key that does.</summary>
    [Parameter]
    public SecureString? EncryptionPassphrase { get; set; }

    /// <inheritdoc/>
    protected override void Process()
    {
        var group = new ProtectionGroup
        {
            Name = Name,
            Machines = Agent.Groups.Describe(Machine),
            Policy = Policy.ToEngine() with { Id = null },
            DiskVaults = Places(DiskVault),
            CopyTo = Places(CopyTo),
            CopyRetention = CopyRetention?.ToEngine(),
        };
        bool isAgreed = ShouldProcess(Name, $"Make the protection group of {string.Join(", ", Machine)}");
        GroupChange change = Run((_, stop) => Agent.Groups.CreateAsync(group, EncryptionPassphrase?.ToPlain(), isRehearsal: !isAgreed, stop));
        if (isAgreed)
        {
            WriteGroup(change);
        }
    }
}
