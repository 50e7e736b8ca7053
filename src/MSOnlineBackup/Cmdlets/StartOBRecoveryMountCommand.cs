using System.Management.Automation;
using System.Security;
using MSOnlineBackup.Agent.Mounting;
using MSOnlineBackup.Model.Conversions;
using MSOnlineBackup.Recovery;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Shows a recovery point, or all of them, as files in a folder, by a process that outlives this session.</summary>
[Cmdlet(VerbsLifecycle.Start, "OBRecoveryMount", SupportsShouldProcess = true, DefaultParameterSetName = "Default")]
[OutputType(typeof(OBRecoveryMount))]
public sealed class StartOBRecoveryMountCommand : OBEngineCmdlet
{
    /// <summary>The recovery point, or an item of it: all of the point is shown.</summary>
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = "Default", ValueFromPipeline = true)]
    [Alias("RecoveryPoint")]
    public OBRecoverableItem RecoverableItem { get; set; } = null!;

    /// <summary>Shows all points: a folder for each machine, in it one for each point, and latest.</summary>
    [Parameter(Mandatory = true, ParameterSetName = "All")]
    public SwitchParameter All { get; set; }

    /// <summary>An empty folder, or one that does not exist yet; on Windows a drive letter that is free.</summary>
    [Parameter(Position = 1)]
    [ValidateNotNullOrEmpty]
    public string? Path { get; set; }

    /// <summary>Where its destination is an empty folder, it stands for -Path.</summary>
    [Parameter(ParameterSetName = "Default")]
    public OBRecoveryOption? RecoveryOption { get; set; }

    /// <summary>The passphrase of the machine that the point is of; this machine's own key, if it is not given.</summary>
    [Parameter]
    public SecureString? EncryptionPassphrase { get; set; }

    /// <summary>As in the original. A mount is served by a process of its own in any case, and the cmdlet returns as soon as it is there.</summary>
    [Parameter(ParameterSetName = "Default")]
    public SwitchParameter Async { get; set; }

    /// <summary>It can be written to; what is written goes with the mount.</summary>
    [Parameter]
    public SwitchParameter Writable { get; set; }

    /// <summary>Other users see it too, as far as the permissions of the files go.</summary>
    [Parameter]
    public SwitchParameter AllowOther { get; set; }

    /// <summary>Shows what a vault in a folder has even where its owner has set it to Deprovisioned, and the profile Mars stops restores then.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <summary>Shows what the copy of the vault in its secondary region has, which Set-OBMachineSetting -SecondaryVault names.</summary>
    [Parameter]
    public SwitchParameter UseSecondaryRegion { get; set; }

    /// <inheritdoc/>
    protected override void Process()
    {
        MountOrder order = Order(GetFolder());
        if (ShouldProcess(order.Folder, order.PointId is null ? "Mount all recovery points" : $"Mount the recovery point {order.PointId}"))
        {
            WriteObject(Run((_, stop) => Agent.Mounts.StartAsync(order, stop)).ToOutput());
        }
    }

    private string GetFolder() => MountPlace.Resolve(SessionState, Path ?? RecoveryOption?.DestinationPath ?? throw new BackupException(
        BackupErrorId.RecoveryOptionMissing,
        "No folder was named to mount on.",
        "Name an empty folder with -Path, or with -RecoveryOption (New-OBRecoveryOption -DestinationPath FOLDER).",
        nameof(Path)));

    private MountOrder Order(string folder)
    {
        VaultAccess? access = All ? null : RecoverableItem.Access;
        access = UseSecondaryRegion ? VaultAccess.ToCopy(Agent, access) : access;
        string? passphrase = EncryptionPassphrase.ToPlain() ?? access?.Passphrase;
        if (passphrase is null && access is { Vault.IsSecondary: false } && access.Vault.Location != Agent.Machine.Registration?.VaultLocation)
        {
            throw new BackupException(
                BackupErrorId.RecoveryOptionMissing,
                $"The point belongs to '{RecoverableItem.ServerName}', in a vault other than this machine's, and its passphrase was not given.",
                "Give the passphrase of that machine with -EncryptionPassphrase.",
                RecoverableItem.ServerName);
        }

        string own = Agent.Machine.Registration?.MachineName ?? Agent.Machine.Name;
        return new MountOrder
        {
            Vault = access?.Vault,
            MachineName = All ? null : RecoverableItem.ServerName.Length > 0 ? RecoverableItem.ServerName : own,
            PointId = All ? null : RecoverableItem.RecoveryPointId,
            Folder = folder,
            IsWritable = Writable,
            AllowOther = AllowOther,
            Passphrase = passphrase,
            EvenDeprovisioned = Force,
        };
    }
}
