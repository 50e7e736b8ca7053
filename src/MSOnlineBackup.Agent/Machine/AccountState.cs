using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Machine;

/// <summary>
/// How far this machine has come as a client of a vault: registered, then activated by a passphrase. It is read from disk whenever it is asked for:
/// other processes change it too.
/// </summary>
/// <param name="folder">The machine's state.</param>
/// <param name="machineName">The name of this machine.</param>
internal sealed class AccountState(StateFolder folder, string machineName)
{
    /// <summary>The file in which it is.</summary>
    public const string FileName = "machine.json";

    // Held by whoever registers or activates; everything else goes on meanwhile.
    private const string LockName = "account.lock";

    private readonly StateFile<MachineState> _file = new(
        folder,
        FileName,
        StateJson.Default.MachineState,
        "delete it, register again, and set the passphrase that the machine had: it then finds its recovery points again");

    /// <summary>The state; null where there is none yet.</summary>
    /// <exception cref="BackupException">StateInvalid, StateAccessDenied.</exception>
    public MachineState? Read() => _file.Read();

    /// <summary>Changes the state, and returns it. Nobody else changes it in between.</summary>
    /// <exception cref="BackupException">StateInvalid, StateAccessDenied.</exception>
    public MachineState Update(Func<MachineState, MachineState> change) => _file.Update(known => change(known ?? new MachineState()));

    /// <summary>Keeps everybody else from registering and activating.</summary>
    public Task<IDisposable> LockAsync(CancellationToken cancellationToken) => folder.LockAsync(LockName, cancellationToken);

    /// <summary>The state of a machine that is registered.</summary>
    /// <exception cref="BackupException">MachineNotRegistered.</exception>
    public MachineState RequireRegistered() => Read() is { Registration: not null } state
        ? state
        : throw new BackupException(
            BackupErrorId.MachineNotRegistered,
            $"The machine '{machineName}' is not registered with a vault.",
            "Register it with 'Start-OBRegistration' and a vault credential file.",
            machineName);

    /// <summary>The state of a machine that is registered and activated.</summary>
    /// <exception cref="BackupException">MachineNotRegistered, MachineNotActivated.</exception>
    public MachineState RequireActivated()
    {
        MachineState state = RequireRegistered();
        return state.Activation is not null
            ? state
            : throw new BackupException(
                BackupErrorId.MachineNotActivated,
                $"The registration of '{state.Registration!.MachineName}' is incomplete: no encryption passphrase is set.",
                "Set it with 'Set-OBMachineSetting -EncryptionPassphrase', and keep it somewhere safe: without it the data cannot be recovered.",
                state.Registration.MachineName);
    }
}
