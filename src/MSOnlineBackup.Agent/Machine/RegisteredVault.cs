using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults;


namespace MSOnlineBackup.Agent.Machine;

/// <summary>The vault that this machine is registered with, and stores of any other: found, and known again by its id and its owner.</summary>
internal sealed class RegisteredVault(
    AccountState account, VaultConnections connections, Func<string, VaultConnection, IVaultStore> openStore, ContactLog contacts, VaultOptions options)
{
    /// <summary>The store of any vault; nothing of it is read yet.</summary>
    /// <exception cref="BackupException">VaultNotFound, StateInvalid, …</exception>
    public IVaultStore OpenStore(VaultAddress vault, VaultPatience patience, Action<VaultWait>? waiting = null)
    {
        IVaultStore store = openStore(vault.Location, connections.Connect(vault, patience) with { Waiting = waiting });
        return vault.IsSecondary ? new ReadOnlyVaultStore(store) : store;
    }

    /// <summary>The store of the registered vault; nothing of it is read yet.</summary>
    /// <exception cref="BackupException">MachineNotRegistered, VaultNotFound, …</exception>
    public IVaultStore OpenStore(VaultPatience patience, Action<VaultWait>? waiting = null)
    {
        MachineRegistration registration = account.RequireRegistered().Registration!;
        try
        {
            return OpenStore(registration.VaultLocation, patience, waiting);
        }
        catch (BackupException e) when (e.Id == BackupErrorId.VaultNotFound)
        {
            throw Lost(registration, e);
        }
    }

    /// <summary>Opens any vault, for somebody who waits for it.</summary>
    /// <exception cref="BackupException">VaultNotFound, VaultHeaderInvalid, VaultUnreachable, …</exception>
    public Task<Vault> OpenAsync(VaultAddress vault, CancellationToken cancellationToken) =>
        Vault.OpenAsync(OpenStore(vault, VaultPatience.Person), options, cancellationToken);

    /// <summary>Opens the registered vault, for somebody who waits for it.</summary>
    /// <exception cref="BackupException">As of <see cref="OpenStore(VaultPatience, Action{VaultWait})"/> and <see cref="OpenAsync(IVaultStore, CancellationToken)"/>.</exception>
    public Task<Vault> OpenAsync(CancellationToken cancellationToken) => OpenAsync(OpenStore(VaultPatience.Person), cancellationToken);

    /// <summary>Opens the registered vault by its store.</summary>
    /// <exception cref="BackupException">
    /// MachineNotRegistered, VaultNotFound where another is in its place, OwnerForeign where it has another owner, …
    /// </exception>
    public async Task<Vault> OpenAsync(IVaultStore objects, CancellationToken cancellationToken)
    {
        MachineRegistration registration = account.RequireRegistered().Registration!;
        Vault vault;
        try
        {
            vault = await Vault.OpenAsync(objects, options, cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException e) when (e.Id is BackupErrorId.VaultNotFound or BackupErrorId.VaultHeaderInvalid)
        {
            throw Lost(registration, e);
        }
        catch (BackupException e) when (e.Id == BackupErrorId.VaultAccountDisabled)
        {
            contacts.Note(registration.VaultId, VaultSubscription.Expired);
            throw;
        }

        if (vault.VaultId == registration.VaultId && vault.Known.Header.OwnerIdentity?.PublicKey != registration.Owner)
        {
            throw OwnerErrors.Foreign(registration.VaultLocation, "its 'vault.json' does not name the owner that this machine registered with");
        }

        if (vault.VaultId != registration.VaultId)
        {
            throw new BackupException(
                BackupErrorId.VaultNotFound,
                $"The vault at '{registration.VaultLocation}' is not '{registration.VaultName}', the one that this machine is registered with.",
                "Put that vault back in its place. If it has moved, register with a credential file issued at its new location.",
                registration.VaultLocation);
        }

        contacts.Note(vault.VaultId, subscription: null);
        return vault;
    }

    /// <summary>Opens a copy of the registered vault, its twin in another place.</summary>
    /// <exception cref="BackupException">MachineNotRegistered; VaultNotTwin, OwnerForeign; VaultNotFound, …</exception>
    public async Task<Vault> OpenTwinAsync(IVaultStore objects, CancellationToken cancellationToken)
    {
        MachineRegistration registration = account.RequireRegistered().Registration!;
        Vault twin = await Vault.OpenAsync(objects, options, cancellationToken).ConfigureAwait(false);
        return twin.VaultId != registration.VaultId
            ? throw new BackupException(
                BackupErrorId.VaultNotTwin,
                $"The vault in '{twin.Location}' is no copy of '{registration.VaultName}', this machine's vault: it is the vault {twin.VaultId}, and that is the vault {registration.VaultId}.",
                "Name a twin of this machine's vault: Set-OBMachineSetting -SecondaryVault. New-OBVault -TwinOf makes one. For another vault, give its credential file and the "
                    + "passphrase to Get-OBAlternateBackupServer.",
                twin.Location)
            : twin.Known.Header.OwnerIdentity?.PublicKey == registration.Owner
                ? twin
                : throw OwnerErrors.Foreign(twin.Location, "its 'vault.json' does not name the owner of the vault that this machine is registered with");
    }

    /// <summary>Whether a place is that of the registered vault. Damaged state knows of none: whoever needs it says so.</summary>
    public bool IsAt(string location)
    {
        try
        {
            return account.Read()?.Registration?.VaultLocation == location;
        }
        catch (BackupException e) when (e.Id == BackupErrorId.StateInvalid)
        {
            return false;
        }
    }

    /// <summary>What is said where the vault at a place is not there: of the registered one, more.</summary>
    /// <param name="failure">Why it cannot be had.</param>
    /// <param name="vault">The vault.</param>
    /// <returns>Null where it is another failure, or another vault's.</returns>
    public BackupException? FindLoss(BackupException failure, VaultAddress vault) =>
        failure.Id == BackupErrorId.VaultNotFound && IsAt(vault.Location) ? Lost(account.RequireRegistered().Registration!, failure) : null;

    // A new vault in its place would be another one.
    private static BackupException Lost(MachineRegistration registration, BackupException cause) => new(
        BackupErrorId.VaultNotFound,
        $"This machine's vault, '{registration.VaultName}', was not found. {cause.Message}",
        "Check that its disk or share is mounted. If the vault has moved, issue a credential file at its new location (Export-OBVaultCredential), "
            + "then register again with that file (Start-OBRegistration). The policy and recovery points stay.",
        registration.VaultLocation,
        innerException: cause,
        errorCode: cause.ErrorCode);
}
