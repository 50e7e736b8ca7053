using MSOnlineBackup.Agent.Jobs;
using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Health;

/// <summary>How far this machine has come as a client of a vault, and whether its state can be read.</summary>
internal sealed class AccountChecks(JobMachine machine, AgentJobs jobs)
{
    /// <summary>Whether all state can be read. Where it cannot, nothing that hangs on it is asked.</summary>
    public HealthFinding CheckState()
    {
        try
        {
            _ = machine.Account.Registration;
            _ = machine.Account.Settings;
            _ = machine.Policies.List().Count();
            _ = jobs.List().Count;
            return HealthFinding.Pass(HealthCheck.State, $"The state of this machine, in '{machine.State.Path}', can be read.");
        }
        catch (BackupException e)
        {
            return HealthFinding.Fail(HealthCheck.State, e.Message, e.RecommendedAction);
        }
    }

    /// <summary>All but that.</summary>
    public IEnumerable<HealthFinding> Run()
    {
        MachineRegistration? registration = machine.Account.Registration;
        yield return registration is null
            ? HealthFinding.Fail(
                HealthCheck.Registration,
                $"The machine '{machine.OwnName}' is not registered with a vault.",
                "Register it with Start-OBRegistration and a vault credential file. A machine that was registered before takes the passphrase that it had.")
            : HealthFinding.Pass(HealthCheck.Registration, $"'{registration.MachineName}' is registered with the vault '{registration.VaultName}'.");
        bool isActivated = registration is not null && machine.Account.HasPassphrase;
        yield return isActivated
            ? HealthFinding.Pass(HealthCheck.Passphrase, "A passphrase is set.")
            : registration is null
                ? HealthFinding.NotApplicable(HealthCheck.Passphrase, "The machine is not registered.")
                : HealthFinding.Fail(
                    HealthCheck.Passphrase,
                    "The registration is incomplete: no encryption passphrase is set.",
                    "Set it with Set-OBMachineSetting -EncryptionPassphrase, and keep it somewhere safe.");
        yield return !isActivated || !Directory.Exists(machine.Account.Scratch.Path)
            ? HealthFinding.NotApplicable(HealthCheck.KeyFile, "No passphrase is set, or the scratch folder is not there.")
            : machine.Account.Key.FindFault() is { } fault
                ? HealthFinding.Fail(HealthCheck.KeyFile, fault.Message, fault.RecommendedAction)
                : HealthFinding.Pass(HealthCheck.KeyFile, "The key file can be read, and is this machine's.");
        yield return machine.Account.FindNameChange() is { } change
            ? HealthFinding.Warning(HealthCheck.MachineName, change.Message, change.RecommendedAction)
            : registration is null
                ? HealthFinding.NotApplicable(HealthCheck.MachineName, "The machine is not registered.")
                : HealthFinding.Pass(HealthCheck.MachineName, $"The vault knows this machine as '{registration.MachineName}'.");
    }
}
