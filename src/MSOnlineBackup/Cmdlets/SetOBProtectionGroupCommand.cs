using System.Management.Automation;
using System.Security;
using MSOnlineBackup.Agent.Groups;
using MSOnlineBackup.Completion;
using MSOnlineBackup.Model.Conversions;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Changes a protection group.</summary>
[Cmdlet(VerbsCommon.Set, "OBProtectionGroup", SupportsShouldProcess = true)]
[OutputType(typeof(OBProtectionGroup))]
public sealed class SetOBProtectionGroupCommand : GroupCmdlet
{
    /// <summary>The group.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(GroupCompleter))]
    public string Name { get; set; } = "";

    /// <summary>What it is called from now on.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? NewName { get; set; }

    /// <summary>Machines that come into it; of those that are in it already, how they are logged in to and the pinned key are taken anew.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(AgentCompleter))]
    public string[] AddMachine { get; set; } = [];

    /// <summary>Machines that leave it; their recovery points stay.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string[] RemoveMachine { get; set; } = [];

    /// <summary>What is backed up, when, and for how long it is kept on disk.</summary>
    [Parameter]
    [ValidateNotNull]
    public OBPolicy? Policy { get; set; }

    /// <summary>The folders of its disk vaults from now on.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string[]? DiskVault { get; set; }

    /// <summary>Where its recovery points are copied to from now on; @() for nowhere.</summary>
    [Parameter]
    [ValidateNotNull]
    [AllowEmptyCollection]
    public string[]? CopyTo { get; set; }

    /// <summary>For how long the copies are kept from now on; $null where they keep what comes.</summary>
    [Parameter]
    [AllowNull]
    public OBRetentionPolicy? CopyRetention { get; set; }

    /// <summary>The passphrase that opens the vaults; not needed where this machine has a key that does.</summary>
    [Parameter]
    public SecureString? EncryptionPassphrase { get; set; }

    /// <inheritdoc/>
    protected override void Process()
    {
        bool isAgreed = ShouldProcess(Name, "Change the protection group");
        GroupChange change = Run((_, stop) => Agent.Groups.ChangeAsync(Name, Change, EncryptionPassphrase?.ToPlain(), isRehearsal: !isAgreed, stop));
        if (isAgreed)
        {
            WriteGroup(change);
        }
    }

    private ProtectionGroup Change(ProtectionGroup group) => group with
    {
        Name = NewName ?? group.Name,
        Machines = Agent.Groups.Describe(group, AddMachine, RemoveMachine),
        Policy = Policy is null ? group.Policy : Policy.ToEngine() with { Id = null },
        DiskVaults = DiskVault is null ? group.DiskVaults : Places(DiskVault),
        CopyTo = CopyTo is null ? group.CopyTo : Places(CopyTo),
        CopyRetention = MyInvocation.BoundParameters.ContainsKey(nameof(CopyRetention)) ? CopyRetention?.ToEngine()
            : CopyTo is { Length: 0 } ? null
            : group.CopyRetention,
    };
}
