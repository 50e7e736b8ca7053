using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Agent.Machine;

/// <summary>
/// How vaults and Key Vaults are reached: by the settings of this machine, and, for the registered vault alone, by what came with the registration.
/// </summary>
internal sealed class VaultConnections(StateFolder folder, AccountState account, SettingsStore settings, MachineSecret secret, TimeProvider clock)
{
    private const string SecretPurpose = "vault secret";

    private readonly Lock _bandwidthGate = new();

    /// <summary>What all transfers of this process to vaults beyond this machine share; null where nothing limits them, or none began.</summary>
    public Bandwidth? Bandwidth { get; private set; }

    /// <summary>How a vault is reached. A folder needs no settings, and damaged ones do not keep anybody from it.</summary>
    /// <exception cref="BackupException">StateInvalid, StateAccessDenied.</exception>
    public VaultConnection Connect(VaultAddress vault, VaultPatience patience)
    {
        if (!vault.IsRemote)
        {
            return new VaultConnection { Secret = vault.Secret, Patience = patience, TimeProvider = clock };
        }

        if (account.Read() is { Registration: { } own } state && own.VaultLocation == vault.Location)
        {
            vault = vault with { Secret = vault.Secret ?? UnwrapSecret(state), RequiresPrivateEndpoint = vault.RequiresPrivateEndpoint || own.RequiresPrivateEndpoint };
        }

        // The copy of a vault that is reached past the internet is not reached through it.
        bool isPrivate = vault.RequiresPrivateEndpoint || (vault.IsSecondary && account.Read()?.Registration is { RequiresPrivateEndpoint: true });
        return Connect(vault.Secret, isPrivate) with { Patience = patience };
    }

    /// <summary>How a Key Vault is reached: as the registered vault is.</summary>
    /// <exception cref="BackupException">StateInvalid, StateAccessDenied.</exception>
    public VaultConnection ConnectToKeyVault() => Connect(secret: null, account.Read()?.Registration is { RequiresPrivateEndpoint: true });

    /// <summary>Wraps what opens a vault, for the machine's state.</summary>
    public byte[] WrapSecret(MachineRegistration registration, string vaultSecret) => secret.Wrap(SecretPurpose, Bind(registration), vaultSecret);

    private static string Bind(MachineRegistration registration) => $"{registration.VaultId}\n{registration.VaultLocation}";

    private string? UnwrapSecret(MachineState state) => state.VaultSecret is not { } wrapped
        ? null
        : secret.TryUnwrap(SecretPurpose, Bind(state.Registration!), wrapped) ?? throw new BackupException(
            BackupErrorId.StateInvalid,
            $"The credentials for the vault '{state.Registration!.VaultLocation}', in '{folder.PathOf(AccountState.FileName)}', cannot be decrypted: "
                + "the file or the machine's secret was changed, or comes from another machine.",
            "Register again with a newer credential file; your settings stay.",
            folder.PathOf(AccountState.FileName));

    private VaultConnection Connect(string? secret, bool requiresPrivateEndpoint)
    {
        MachineSettings now = settings.Read();
        return new VaultConnection
        {
            Proxy = now.IsDirect ? null : now.Proxy,
            IsDirect = now.IsDirect,
            Bandwidth = ShareBandwidth(now.Throttle),
            RequiresPrivateEndpoint = requiresPrivateEndpoint,
            Secret = secret,
            TimeProvider = clock,
        };
    }

    // As it is when the first vault is opened: what is changed meanwhile holds for the next job.
    private Bandwidth? ShareBandwidth(ThrottleSetting? throttle)
    {
        lock (_bandwidthGate)
        {
            return Bandwidth ??= throttle is null ? null : new Bandwidth(() => throttle.LimitNow(clock), clock);
        }
    }
}
