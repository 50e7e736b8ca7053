using System.Management.Automation;
using System.Security;
using MSOnlineBackup.Agent.Jobs;
using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Model.Conversions;
using MSOnlineBackup.Recovery;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Brings items back: to where they were, or into a folder.</summary>
[Cmdlet(VerbsLifecycle.Start, "OBRecovery", SupportsShouldProcess = true, DefaultParameterSetName = OfItems)]
[OutputType(typeof(OBJob))]
public sealed class StartOBRecoveryCommand : JobCmdlet
{
    private const string OfItems = "Default";
    private const string OfWorkload = "Workload";

    private readonly List<OBRecoverableItem> _items = [];

    /// <summary>What to bring back. Items of several recovery points are several jobs, one after the other.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ParameterSetName = OfItems)]
    public OBRecoverableItem[] RecoverableItem { get; set; } = [];

    /// <summary>Where to, and what to do where something is; if it is not given, to where the items were, as copies beside what is there.</summary>
    [Parameter(Position = 1, ValueFromPipeline = true, ParameterSetName = OfItems)]
    public OBRecoveryOption RecoveryOption { get; set; } = new();

    /// <summary>The passphrase of the machine that the items are of; this machine's own key, if it is not given.</summary>
    [Parameter(Position = 2, ValueFromPipeline = true, ParameterSetName = OfItems)]
    [Parameter(ParameterSetName = OfWorkload)]
    public SecureString? EncryptionPassphrase { get; set; }

    /// <summary>Has a process of its own run the job, and returns at once.</summary>
    [Parameter(Position = 3, ParameterSetName = OfItems)]
    [Parameter(ParameterSetName = OfWorkload)]
    public SwitchParameter Async { get; set; }

    /// <summary>Restores from a vault in a folder even where its owner has set it to Deprovisioned, and the profile Mars stops restores then.</summary>
    [Parameter(ParameterSetName = OfItems)]
    public SwitchParameter Force { get; set; }

    /// <summary>Where the data come from; from the vault, and where that cannot be reached from local snapshots, if it is not given.</summary>
    [Parameter(ParameterSetName = OfItems)]
    public OBRecoveryTier From { get; set; }

    /// <summary>The workload to recover, beside what there is.</summary>
    [Parameter(Mandatory = true, ParameterSetName = OfWorkload)]
    [ValidateNotNullOrEmpty]
    public string Workload { get; set; } = "";

    /// <summary>To which moment; local unless it says otherwise. To the latest, if it is not given.</summary>
    [Parameter(ParameterSetName = OfWorkload)]
    public DateTime? ToTime { get; set; }

    /// <summary>The folder that becomes the data directory; it does not exist yet, or is empty.</summary>
    [Parameter(Mandatory = true, ParameterSetName = OfWorkload)]
    [ValidateNotNullOrEmpty]
    public string TargetPath { get; set; } = "";

    /// <summary>The machine whose workload it is; this one, if it is not given.</summary>
    [Parameter(ParameterSetName = OfWorkload)]
    public OBBackupServer? Server { get; set; }

    /// <summary>Reads the copy of the vault in its secondary region, which Set-OBMachineSetting -SecondaryVault names, whatever the items were found in.</summary>
    [Parameter]
    public SwitchParameter UseSecondaryRegion { get; set; }

    /// <inheritdoc/>
    protected override void Process()
    {
        if (RecoverableItem.FirstOrDefault(item => item.RecoveryPointId.Length == 0) is { } above)
        {
            throw new BackupException(
                BackupErrorId.ArgumentInvalid,
                $"'{above.Name}' is a folder of recovery points, and no item of one: the same files would come back from each.",
                "Name a point: its folder, or 'latest', in that folder.",
                above.Name);
        }

        _items.AddRange(RecoverableItem);
    }

    /// <inheritdoc/>
    protected override void Finish()
    {
        if (ParameterSetName == OfWorkload)
        {
            RecoverWorkload();
            return;
        }

        if (_items.Count == 0)
        {
            throw new BackupException(
                BackupErrorId.RecoverableItemNotFound, "No item came through the pipeline; nothing was recovered.", "Check what Get-OBRecoverableItem returns: the item may have another name.");
        }

        JobOrder[] orders =
        [
            .. _items.GroupBy(item => (item.ServerName, item.RecoveryPointId, item.Access, item.Workload))
                .Select(items => OrderOf(items.Key.ServerName, items.Key.RecoveryPointId, items.Key.Access, [.. items])),
        ];
        if (Async && orders.Length > 1)
        {
            throw new BackupException(
                BackupErrorId.ArgumentInvalid,
                $"The items come from {orders.Length} recovery points, but only one job at a time can run in the background.",
                "Recover the items of one point, or omit -Async: the jobs then run one after the other.",
                nameof(Async));
        }

        foreach (JobOrder order in orders)
        {
            Recover(order);
        }
    }

    private void RecoverWorkload()
    {
        string folder = FullPath(TargetPath);
        VaultAccess? access = UseSecondaryRegion ? VaultAccess.ToCopy(Agent, Server?.Access) : Server?.Access;
        DateTimeOffset? moment = ToTime is { } time ? time.ToUniversalTime() : null;
        var order = new WorkloadRecoveryOrder
        {
            Workload = Workload,
            ToTime = moment,
            TargetFolder = folder,
            MachineName = Server is { ServerName.Length: > 0 } server ? server.ServerName : Agent.Machine.Registration?.MachineName ?? Agent.Machine.Name,
            Vault = access?.Vault,
            Passphrase = EncryptionPassphrase.ToPlain() ?? access?.Passphrase,
        };
        Do(order, Workload, $"Recover to {(moment is { } at ? $"{at:u}" : "the latest time")} into '{folder}'", Async);
    }

    private void Recover(JobOrder job)
    {
        if (job is WorkloadRecoveryOrder workload)
        {
            Do(workload, workload.Workload, $"Recover to {workload.ToTime:u} into '{workload.TargetFolder}'", Async);
            return;
        }

        var order = (RecoveryOrder)job;
        string what = order.Paths.Count == 0 ? "everything" : string.Join(", ", order.Paths);
        Do(order, what, order.TargetFolder is { } folder ? $"Recover into '{folder}'" : "Recover to the original location", Async);
    }

    private JobOrder OrderOf(string serverName, string pointId, VaultAccess? access, IReadOnlyList<OBRecoverableItem> items)
    {
        access = UseSecondaryRegion ? VaultAccess.ToCopy(Agent, access) : access;
        string own = Agent.Machine.Registration?.MachineName ?? Agent.Machine.Name;
        string machine = serverName.Length > 0 ? serverName : own;
        if (RecoveryOption.DestinationPath is null && Agent.Machine.Registration?.IsNamed(machine) != true
            && !machine.Equals(own, StringComparison.OrdinalIgnoreCase))
        {
            throw new BackupException(
                BackupErrorId.RecoveryOptionMissing,
                $"The items belong to '{machine}', and no folder on this machine was named for them.",
                "Name a folder: -RecoveryOption (New-OBRecoveryOption -DestinationPath FOLDER).",
                machine);
        }

        string? passphrase = EncryptionPassphrase.ToPlain() ?? access?.Passphrase;
        if (passphrase is null && access is { Vault.IsSecondary: false } && access.Vault.Location != Agent.Machine.Registration?.VaultLocation)
        {
            throw new BackupException(
                BackupErrorId.RecoveryOptionMissing,
                $"The items belong to '{machine}', in a vault other than this machine's, and its passphrase was not given.",
                "Give the passphrase of that machine with -EncryptionPassphrase.",
                machine);
        }

        if (items[0] is { Workload: { } workload } database)
        {
            // It is recovered with its server, as of this point: nothing less of it is one state.
            return new WorkloadRecoveryOrder
            {
                Workload = workload.Name,
                ToTime = workload.Time,
                TargetFolder = RecoveryOption.DestinationPath ?? throw new BackupException(
                    BackupErrorId.RecoveryOptionMissing,
                    $"'{database.Name}' is a database of the workload '{workload.Name}', which is recovered beside the original, never over it.",
                    $"Name a folder that does not exist yet: -RecoveryOption (New-OBRecoveryOption -DestinationPath FOLDER). Start-OBRecovery -Workload '{workload.Name}' does the same, to any time.",
                    database.Name),
                MachineName = machine,
                Vault = access?.Vault,
                Passphrase = passphrase,
            };
        }

        return new RecoveryOrder
        {
            Vault = access?.Vault,
            MachineName = machine,
            PointId = pointId,
            Paths = items.Any(item => item.IsWholePoint) ? [] : [.. items.Select(item => item.ItemNameGuid).Distinct()],
            TargetFolder = RecoveryOption.DestinationPath,
            Conflict = RecoveryOption.OverwriteType switch
            {
                OverwriteType.Skip => RestoreConflict.Skip,
                OverwriteType.Overwrite => RestoreConflict.Overwrite,
                _ => RestoreConflict.Copy,
            },
            SkipSecurity = RecoveryOption.SkipRestoreSecurity,
            MapNames = RecoveryOption.MapNames,
            Passphrase = passphrase,
            EvenDeprovisioned = Force,
            From = Enum.Parse<RestoreFrom>(From.ToString()),
        };
    }
}
