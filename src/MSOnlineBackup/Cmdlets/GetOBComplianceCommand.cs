using System.Management.Automation;
using MSOnlineBackup.Completion;
using MSOnlineBackup.Model.Conversions;
using MSOnlineBackup.Vaults.Compliance;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Says of each machine of a vault whether its backups come as expected. It needs no passphrase.</summary>
[Cmdlet(VerbsCommon.Get, "OBCompliance")]
[OutputType(typeof(OBCompliance))]
public sealed class GetOBComplianceCommand : OBEngineCmdlet
{
    /// <summary>The vault, or its folder or URL; without it the vault that this machine is registered with.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true)]
    [ValidateNotNullOrEmpty]
    [VaultLocationTransformation]
    public string Vault { get; set; } = "";

    /// <summary>Files by which statuses are read and proved, from Export-OBMonitoringCredential: one of each chunk store. For this machine's own it needs none.</summary>
    [Parameter(Position = 1)]
    [ValidateNotNullOrEmpty]
    public string[] MonitoringCredential { get; set; } = [];

    /// <summary>How old a machine's newest backup may be, whatever it expects itself; without it as it expects, and two days where it says nothing.</summary>
    [Parameter]
    public TimeSpan? MaximumAge { get; set; }

    /// <inheritdoc/>
    protected override void Process()
    {
        string? own = Agent.Machine.Registration?.VaultLocation;
        string location = Vault.Length > 0 ? VaultPlace(Vault) : own ?? throw new BackupException(
            BackupErrorId.MachineNotRegistered,
            $"The machine '{Agent.Machine.Name}' is not registered with a vault.",
            "Name a vault's folder or URL with -Vault, or register first with Start-OBRegistration.",
            Agent.Machine.Name);
        string[] files = [.. MonitoringCredential.Select(FullPath)];
        VaultCompliance found = Run((_, stop) => Agent.WatchAsync(location, files, MaximumAge, stop));
        foreach (string warning in found.Warnings)
        {
            WriteWarning(warning);
        }

        foreach (PolicyCompliance policy in found.Policies)
        {
            WriteObject(policy.ToOutput());
        }
    }
}
