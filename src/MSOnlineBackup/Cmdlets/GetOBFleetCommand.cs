using System.Management.Automation;
using MSOnlineBackup.Agent.Fleets;
using MSOnlineBackup.Completion;
using MSOnlineBackup.Model.Conversions;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Shows the machines of one or more vaults, and first those that somebody should see to. It needs no passphrase.</summary>
[Cmdlet(VerbsCommon.Get, "OBFleet")]
[OutputType(typeof(OBFleetMachine))]
public sealed class GetOBFleetCommand : OBEngineCmdlet
{
    private readonly List<string> _vaults = [];

    /// <summary>The vaults, or their folders or URLs; without them the vault that this machine is registered with.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true)]
    [ValidateNotNullOrEmpty]
    [VaultLocationTransformation]
    public string[] Vault { get; set; } = [];

    /// <summary>Files by which statuses are read and proved, from Export-OBMonitoringCredential: one of each chunk store, of whichever of the vaults.</summary>
    [Parameter(Position = 1)]
    [ValidateNotNullOrEmpty]
    public string[] MonitoringCredential { get; set; } = [];

    /// <summary>How old a machine's newest backup may be, whatever it expects itself.</summary>
    [Parameter]
    public TimeSpan? MaximumAge { get; set; }

    /// <inheritdoc/>
    protected override void Process() => _vaults.AddRange(Vault.Select(VaultPlace));

    /// <inheritdoc/>
    protected override void Finish()
    {
        if (_vaults.Count == 0)
        {
            if (MyInvocation.ExpectingInput)
            {
                return;
            }

            _vaults.Add(Agent.Machine.Registration?.VaultLocation ?? throw new BackupException(
                BackupErrorId.MachineNotRegistered,
                $"The machine '{Agent.Machine.Name}' is not registered with a vault.",
                "Name the folders or URLs of vaults with -Vault, or register first with Start-OBRegistration.",
                Agent.Machine.Name));
        }

        string[] files = [.. MonitoringCredential.Select(FullPath)];
        VaultAddress[] vaults = [.. _vaults.Distinct().Select(place => new VaultAddress(place))];
        Fleet fleet = Run((_, stop) => Agent.LookOverAsync(vaults, files, MaximumAge, stop));
        foreach (FleetVault vault in fleet.Vaults)
        {
            foreach (string warning in vault.Warnings)
            {
                WriteWarning(warning);
            }

            // The others are told of all the same.
            if (vault.Failure is { } failure)
            {
                WriteError(failure);
            }
        }

        foreach (FleetMachine machine in fleet.Machines)
        {
            WriteObject(machine.ToOutput());
        }
    }
}
