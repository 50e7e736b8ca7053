using System.Diagnostics;
using System.Management.Automation;
using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Model.Conversions;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Registers this machine with a vault.</summary>
[Cmdlet(VerbsLifecycle.Start, "OBRegistration", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High, DefaultParameterSetName = ByCredentials)]
[OutputType(typeof(OBRegistrationResult), typeof(string))]
public sealed class StartOBRegistrationCommand : ConnectivityCmdlet
{
    private const string ByService = "RecoveryService";
    private const string ByCredentials = "VaultCredentials";

    /// <summary>A vault that Get-OBRecoveryService found.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ParameterSetName = ByService)]
    public OBServiceResource RecoveryService { get; set; } = null!;

    /// <summary>The credential file of the vault; its path may be relative.</summary>
    [Parameter(Mandatory = true, ParameterSetName = ByCredentials)]
    [ValidateNotNullOrEmpty]
    public string VaultCredentials { get; set; } = "";

    /// <inheritdoc/>
    protected override void Process()
    {
        bool byService = ParameterSetName == ByService;
        string file = byService ? RecoveryService.CredentialFile : FullPath(VaultCredentials);
        VaultCredentialInfo vault = Reached(file, stop => Agent.Machine.InspectCredentialAsync(file, stop));
        if (!ShouldProcess(
            $"Registering '{Agent.Machine.Name}' with the vault '{vault.VaultName}' in '{vault.Vault}'.",
            $"This machine, '{Agent.Machine.Name}', will back up to the vault '{vault.VaultName}' in '{vault.Vault}'. Do you want to register it?",
            "MSOnlineBackup"))
        {
            return;
        }

        MachineRegistration registration = Reached(file, stop => Agent.Machine.RegisterAsync(file, stop));
        WriteObject(registration.ToOutput(byService ? RecoveryService.CertThumbprint : ""));

        // Published scripts look whether this is the last that comes.
        WriteObject("Machine registration succeeded.");
        if (Agent.Machine.FindNameChange() is { } renamed)
        {
            WriteWarning($"{renamed.Message} {renamed.RecommendedAction}");
        }

        if (!Agent.Machine.HasPassphrase)
        {
            WriteVerbose("Next: Set-OBMachineSetting -EncryptionPassphrase. Until then the registration is incomplete.");
        }
    }

    // Where the vault cannot be reached, what is in the way is worth more than that it is.
    private T Reached<T>(string file, Func<CancellationToken, Task<T>> work)
    {
        long start = Stopwatch.GetTimestamp();
        try
        {
            return Run((_, stop) => work(stop));
        }
        catch (BackupException e) when (e.Id == BackupErrorId.VaultUnreachable)
        {
            VaultAddress vault = Run((_, stop) => MachineAccount.LocateVaultAsync(file, stop));
            OBEndpointTest? failed = vault.IsContainer ? Test(vault, DiagnosisTime.LeftAfter(Stopwatch.GetElapsedTime(start)))
                .FirstOrDefault(test => test.Outcome == OBTestOutcome.Failed) : null;
            throw failed is null ? e : new BackupException(
                e.Id,
                $"{e.Message} The connection to '{failed.Endpoint}' fails in the layer {failed.FailedLayer}: {failed.Cause}",
                failed.RecommendedAction ?? e.RecommendedAction,
                failed.Endpoint,
                transient: true,
                e,
                e.ErrorCode);
        }
    }
}
