using System.Management.Automation;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Completion;
using MSOnlineBackup.Model.Conversions;
using MSOnlineBackup.Recovery;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.VirtualMachines.Restores;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Restores a virtual machine as a new one, or one of its disks, or replaces a disk by what it was.</summary>
[Cmdlet(VerbsData.Restore, "OBVirtualMachine", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High, DefaultParameterSetName = NewMachine)]
[OutputType(typeof(OBRestoredMachine))]
public sealed class RestoreOBVirtualMachineCommand : RecoveryCmdlet
{
    private const string NewMachine = "Machine";
    private const string OneDisk = "Disk";
    private const string Replacement = "Replace";

    // How often a progress bar is drawn anew.
    private static readonly TimeSpan _readInterval = TimeSpan.FromMilliseconds(500);

    /// <summary>The recovery point, or an item of it.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    [Alias("RecoveryPoint")]
    public OBRecoverableItem RecoverableItem { get; set; } = null!;

    /// <summary>The name of the new machine.</summary>
    [Parameter(Mandatory = true, ParameterSetName = NewMachine)]
    [ValidateNotNullOrEmpty]
    public string As { get; set; } = "";

    /// <summary>What its network cards are connected to: none, user, or the name of a bridge.</summary>
    [Parameter(ParameterSetName = NewMachine)]
    [ValidateNotNullOrEmpty]
    public string Network { get; set; } = MachineNetwork.None.Text;

    /// <summary>The disk, by its name.</summary>
    [Parameter(Mandatory = true, ParameterSetName = OneDisk)]
    [Parameter(Mandatory = true, ParameterSetName = Replacement)]
    [ArgumentCompleter(typeof(MachineDiskCompleter))]
    [ValidateNotNullOrEmpty]
    public string Disk { get; set; } = "";

    /// <summary>The folder of the new machine; the file of the disk's image.</summary>
    [Parameter(Mandatory = true, ParameterSetName = NewMachine)]
    [Parameter(Mandatory = true, ParameterSetName = OneDisk)]
    [ValidateNotNullOrEmpty]
    public string To { get; set; } = "";

    /// <summary>Replaces the disk of the machine, which is off.</summary>
    [Parameter(Mandatory = true, ParameterSetName = Replacement)]
    public SwitchParameter ReplaceDisk { get; set; }

    /// <summary>Puts the disk back that was replaced from this point.</summary>
    [Parameter(ParameterSetName = Replacement)]
    public SwitchParameter Undo { get; set; }

    /// <summary>The image of the disk now; by default the one that the point names.</summary>
    [Parameter(ParameterSetName = Replacement)]
    [ValidateNotNullOrEmpty]
    public string? Image { get; set; }

    /// <summary>The format of the images: qcow2 or raw.</summary>
    [Parameter]
    [ValidateSet("qcow2", "raw")]
    public string? Format { get; set; }

    /// <summary>Replaces files that are there; where a disk is replaced, makes no recovery point of what it is.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    private protected override VaultPatience Patience => VaultPatience.Job;

    private protected override string StopNote => "Stopping; nothing half stays.";

    /// <inheritdoc/>
    protected override void Process()
    {
        MachineNetwork network = MachineNetwork.Parse(Network) ?? throw new BackupException(
            BackupErrorId.ArgumentInvalid, $"'{Network}' is no network.", "Use none, user, or the name of a bridge.", Network);
        string? to = To.Length == 0 ? null : Resolve(To);
        string? image = Image is null ? null : Resolve(Image);
        string target = ParameterSetName == Replacement ? $"{RecoverableItem.ServerName}, {Disk}" : to!;
        string action = ParameterSetName switch
        {
            NewMachine => $"Restore the virtual machine '{RecoverableItem.ServerName}' as '{As}'",
            OneDisk => $"Restore the disk '{Disk}' of '{RecoverableItem.ServerName}'",
            _ => Undo ? "Put back the disk that was replaced" : $"Replace the disk by what it was at the recovery point {RecoverableItem.RecoveryPointId}",
        };

        // Where nothing is overwritten, nobody is asked.
        bool isAsked = ParameterSetName == Replacement || Force || MyInvocation.BoundParameters.ContainsKey("Confirm") || IsRehearsal();
        if (isAsked && !ShouldProcess(target, action))
        {
            return;
        }

        Run(async (pump, stop) =>
        {
            RecoveryArchive archive = await OpenAsync(RecoverableItem.ServerName, RecoverableItem.Access, stop).ConfigureAwait(false);
            RecoveryPoint point = await archive.FindAsync(RecoverableItem.RecoveryPointId, stop).ConfigureAwait(false);
            IndexedVault vault = await archive.IndexAsync(stop).ConfigureAwait(false);
            await Agent.Contact.AdmitRestoreAsync(vault.Vault.Vault, Force, stop).ConfigureAwait(false);
            using MachinePoint machine = await MachinePoint.OpenAsync(vault, point, stop).ConfigureAwait(false);
            RestoredMachine made = await FollowAsync(pump, monitor => RestoreAsync(vault.Vault, machine, network, to, image, monitor, stop)).ConfigureAwait(false);
            foreach (string note in made.Notes)
            {
                pump.WriteVerbose(note);
            }

            await pump.WriteObjectAsync(made.ToOutput(point.SessionId.ToString())).ConfigureAwait(false);
        });
    }

    private bool IsRehearsal() =>
        MyInvocation.BoundParameters.TryGetValue("WhatIf", out object? said) ? LanguagePrimitives.IsTrue(said) : LanguagePrimitives.IsTrue(GetVariableValue("WhatIfPreference"));

    private static async Task<RestoredMachine> FollowAsync(CmdletPump pump, Func<JobMonitor, Task<RestoredMachine>> restore)
    {
        var monitor = new JobMonitor { Noted = pump.WriteVerbose };
        Task<RestoredMachine> work = restore(monitor);
        while (await Task.WhenAny(work, Task.Delay(_readInterval, CancellationToken.None)).ConfigureAwait(false) != work)
        {
            JobProgress now = monitor.Snapshot();
            pump.WriteProgress(new ProgressRecord(0, "Restoring disks", now.Wait is { } wait ? wait.Cause : $"{now.CurrentItem}, {now.Bytes >> 20} of {now.TotalBytes >> 20} MiB"));
        }

        return await work.ConfigureAwait(false);
    }

    private string Resolve(string path) => SessionState.Path.GetUnresolvedProviderPathFromPSPath(path);

    private Task<RestoredMachine> RestoreAsync(UnlockedVault vault, MachinePoint point, MachineNetwork network, string? to, string? image, JobMonitor monitor, CancellationToken stop)
    {
        ExistingFiles existing = ModuleEnvironment.Limits() == PolicyLimits.Mars ? ExistingFiles.RefuseByProfile : Force ? ExistingFiles.Replace : ExistingFiles.Refuse;
        if (ParameterSetName == NewMachine)
        {
            return MachineRestore.CreateAsync(
                point, new NewMachineRequest { Name = As, Folder = to!, Format = Format ?? "qcow2", Network = network, Existing = existing }, monitor, stop);
        }

        if (ParameterSetName == OneDisk)
        {
            return MachineRestore.RestoreDiskAsync(point, Disk, to!, Format, existing, monitor, stop);
        }

        var request = new DiskReplacementRequest
        {
            Disk = Disk,
            Image = image,
            Format = Format,
            SkipsSafetyPoint = Force,
            WorkFolder = Path.GetTempPath(),
        };
        var replacement = new DiskReplacement(vault, point, monitor);
        return Undo ? replacement.UndoAsync(request, stop) : replacement.RunAsync(request, stop);
    }
}
