using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Keys;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults;


namespace MSOnlineBackup.Agent.Machine;

/// <summary>Registers this machine with a vault by a credential file, and takes it out again.</summary>
internal sealed class Registrar(
    AccountState account, RegisteredVault vaults, VaultConnections connections, MachineKey key, string machineName, VaultOptions options)
{
    /// <summary>Registers; see <see cref="MachineAccount.RegisterAsync"/>.</summary>
    public async Task<MachineRegistration> RegisterAsync(string credentialFile, CancellationToken cancellationToken)
    {
        using IDisposable _ = await account.LockAsync(cancellationToken).ConfigureAwait(false);
        VaultCredential credential = await VaultCredentialFile.ReadAsync(credentialFile, cancellationToken).ConfigureAwait(false);
        if (credential.IsSecondary)
        {
            throw VaultCredentialFile.Invalid(
                credentialFile, "it is of the secondary region of a vault: it serves to recover from there (Get-OBAlternateBackupServer), and not to register");
        }

        MachineState earlier = account.Read() ?? new MachineState();
        if (earlier.Registration is { } old && old.VaultId != credential.VaultId)
        {
            throw Foreign(credentialFile, credential, old);
        }

        if (earlier.Registration is { } pinned && pinned.Owner != credential.Owner)
        {
            throw OwnerErrors.Foreign(credential.Location, $"'{credentialFile}' names an owner other than the one that this machine registered with");
        }

        // It keeps the name by which the vault knows it: under another one it would be another machine, without its recovery points.
        string name = earlier.Registration?.MachineName ?? machineName;
        MachineDirectory.CheckName(name);
        Vault vault = await CheckAsync(credential, credentialFile, cancellationToken).ConfigureAwait(false);
        VaultHeader header = vault.Known.Header;
        await vault.Entrance.EnsureRoomAsync(name, cancellationToken).ConfigureAwait(false);
        if (earlier is { Registration: not null, Activation: not null })
        {
            await ReclaimAsync(vault, earlier, name, cancellationToken).ConfigureAwait(false);
        }

        var registration = new MachineRegistration(
            header.VaultId,
            credential.Location,
            credential.VaultName,
            name,
            options.TimeProvider.GetUtcNow(),
            credential.Serial,
            credential.Owner,
            credential.RequiresPrivateEndpoint)
        {
            FirstName = earlier.Registration?.FirstName,
            EarlierNames = earlier.Registration?.EarlierNames,
            HostName = earlier.Registration is null ? machineName : earlier.Registration.HostName,
        };
        byte[]? secret = credential.Secret is null ? null : connections.WrapSecret(registration, credential.Secret);
        return account.Update(state => state with { Registration = registration, VaultSecret = secret }).Registration!;
    }

    /// <summary>Checks a credential file as a registration does, and returns what it says.</summary>
    /// <exception cref="BackupException">VaultCredentialInvalid, VaultNotFound, …</exception>
    public async Task<VaultCredential> InspectAsync(string file, CancellationToken cancellationToken)
    {
        VaultCredential credential = await VaultCredentialFile.ReadAsync(file, cancellationToken).ConfigureAwait(false);
        await CheckAsync(credential, file, cancellationToken).ConfigureAwait(false);
        return credential;
    }

    /// <summary>Leaves the vault; see <see cref="MachineAccount.LeaveAsync"/>.</summary>
    public async Task<MachineRegistration> LeaveAsync(CancellationToken cancellationToken)
    {
        using IDisposable _ = await account.LockAsync(cancellationToken).ConfigureAwait(false);
        MachineState machine = account.RequireRegistered();

        // Without the registration nothing opens the key file any more: should it stay behind, it serves nobody.
        account.Update(known => known with { Registration = null, VaultSecret = null, Activation = null });
        key.Forget(machine);
        return machine.Registration!;
    }

    private async Task<Vault> CheckAsync(VaultCredential credential, string file, CancellationToken cancellationToken)
    {
        Vault vault = await vaults.OpenAsync(credential.Address, cancellationToken).ConfigureAwait(false);
        await vault.Credentials.CheckAsync(credential, file, cancellationToken).ConfigureAwait(false);
        return vault;
    }

    // It may have been unregistered meanwhile. To prove a record takes the key; where it is not at hand, the vault may still know the machine.
    private async Task ReclaimAsync(Vault vault, MachineState state, string name, CancellationToken cancellationToken)
    {
        MachineRecord? known = await vault.Machines.FindAsync(name, cancellationToken).ConfigureAwait(false);
        if (known is not { IsGone: false } || known.StoreId != state.Activation!.StoreId)
        {
            using UnlockedKey own = key.Read(state);
            await vault.Entrance.ClaimAsync(
                name, await vault.Keys.VerifyAsync(own, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
        }
    }

    private static BackupException Foreign(string file, VaultCredential credential, MachineRegistration earlier) => new(
        BackupErrorId.VaultCredentialForeign,
        $"'{file}' belongs to the vault '{credential.VaultName}' ({credential.Location}); "
            + $"this machine is registered with '{earlier.VaultName}' ({earlier.VaultLocation}).",
        $"Use a credential file of '{earlier.VaultName}'. To leave that vault, run 'Unregister-OBMachine' without a name, then register again. "
            + "Its recovery points stay.",
        file,
        errorCode: "100110");
}
