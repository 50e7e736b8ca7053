using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults;


namespace MSOnlineBackup.Agent.Access;

/// <summary>What this machine can see of vaults without any key. Its own vault must be the one that it knows.</summary>
public sealed class ClosedVaults
{
    private readonly RegisteredVault _vaults;

    internal ClosedVaults(RegisteredVault vaults) => _vaults = vaults;

    /// <summary>Sees whether there is a vault that this machine may read: reads its header, and nothing else.</summary>
    /// <exception cref="BackupException">VaultNotFound, VaultAccessDenied, VaultUnreachable, VaultHeaderInvalid, …</exception>
    public Task CheckAsync(VaultAddress vault, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        return VaultHeader.ReadAsync(_vaults.OpenStore(vault, VaultPatience.Person), cancellationToken);
    }

    /// <summary>What the vault that this machine is registered with says of versions.</summary>
    /// <exception cref="BackupException">MachineNotRegistered, VaultNotFound, …</exception>
    public async Task<VaultVersions> ReadVersionsAsync(CancellationToken cancellationToken) =>
        (await _vaults.OpenAsync(cancellationToken).ConfigureAwait(false)).Versions;

    /// <summary>What can be known of a vault.</summary>
    /// <exception cref="BackupException">VaultNotFound, …</exception>
    public async Task<VaultInfo> InspectAsync(VaultAddress vault, CancellationToken cancellationToken) =>
        await (await OpenAsync(vault, cancellationToken).ConfigureAwait(false)).InspectAsync(cancellationToken).ConfigureAwait(false);

    /// <summary>The machines that a vault knows, those that were unregistered too, by name.</summary>
    /// <exception cref="BackupException">VaultNotFound, …</exception>
    public async Task<IReadOnlyList<VaultMachine>> ListMachinesAsync(VaultAddress vault, CancellationToken cancellationToken) =>
        await (await OpenAsync(vault, cancellationToken).ConfigureAwait(false)).ListMachinesAsync(cancellationToken).ConfigureAwait(false);

    /// <summary>What the owner of a vault has decided for all of its machines.</summary>
    /// <exception cref="BackupException">VaultDataCorrupt where the settings are damaged; VaultNotFound, …</exception>
    public async Task<VaultSettings> ReadSettingsAsync(VaultAddress vault, CancellationToken cancellationToken) =>
        await (await OpenAsync(vault, cancellationToken).ConfigureAwait(false)).ReadSettingsAsync(cancellationToken).ConfigureAwait(false);

    /// <inheritdoc cref="Vault.RehydrateAsync"/>
    /// <param name="vault">The vault.</param>
    public Task<VaultRehydration> RehydrateAsync(VaultAddress vault, bool urgently, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        return Vault.RehydrateAsync(_vaults.OpenStore(vault, VaultPatience.Person), urgently, cancellationToken);
    }

    /// <summary>Opens a vault without a key.</summary>
    internal async Task<Vault> OpenAsync(VaultAddress vault, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        IVaultStore objects;
        try
        {
            objects = _vaults.OpenStore(vault, VaultPatience.Person);
        }
        catch (BackupException e) when (_vaults.FindLoss(e, vault) is { } loss)
        {
            throw loss;
        }

        return _vaults.IsAt(vault.Location)
            ? await _vaults.OpenAsync(objects, cancellationToken).ConfigureAwait(false)
            : await _vaults.OpenAsync(vault, cancellationToken).ConfigureAwait(false);
    }
}
