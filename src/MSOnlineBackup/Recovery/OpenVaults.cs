using System.Security.Cryptography;
using System.Text;
using MSOnlineBackup.Agent;
using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Recovery;

/// <summary>
/// The vaults that this session has opened, kept for a short while after their last use: neither Tab nor the next cmdlet derives a key and reads an index
/// again. Before one is lent once more it is asked whether it is still there, and before an index is used once more, whether it is still the newest.
/// </summary>
internal sealed class OpenVaults(TimeProvider clock)
{
    /// <summary>How long a vault stays open that nobody uses. Its keys are in memory as long.</summary>
    public static readonly TimeSpan Kept = TimeSpan.FromMinutes(2);

    private readonly Lock _gate = new();
    private readonly Dictionary<object, OpenVault> _vaults = [];

    /// <summary>Those of this session.</summary>
    public static OpenVaults OfSession { get; } = new(TimeProvider.System);

    /// <summary>Lends a vault: one that is open already, or opens it.</summary>
    /// <param name="agent">This machine's agent.</param>
    /// <param name="access">The way in, with its passphrase; null for this machine's own vault and key. To a copy of that its own key is the way in, too.</param>
    /// <param name="patience">Who waits for the vault.</param>
    /// <param name="note">Told, from any thread, what the user should know of while something takes longer; as long as the loan lasts.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">PassphraseRejected, MachineNotRegistered, MachineNotActivated, KeyFileInvalid, VaultNotFound, …</exception>
    public Task<VaultLoan> LendAsync(BackupAgent agent, VaultAccess? access, VaultPatience patience, Action<string> note, CancellationToken cancellationToken)
    {
        return LendAsync(KeyOf(agent, access, patience), OpenAsync, note, cancellationToken);

        Task<UnlockedVault> OpenAsync(Action<string> tell)
        {
            BackupAgent own = ModuleEnvironment.OpenAgent(tell);
            return access?.Passphrase is string passphrase
                ? own.OpenEngineAsync(access.Vault, passphrase, patience, cancellationToken)
                : access is { Vault.IsSecondary: true } ? own.Secondary.OpenAsync(access.Vault, patience, cancellationToken)
                : own.OpenEngineAsync(patience, cancellationToken);
        }
    }

    /// <summary>Lends the vault of a key.</summary>
    /// <param name="key">Which.</param>
    /// <param name="openAsync">Opens it where it is not open. What it gets is told of what the vault waits for, as long as it is open.</param>
    /// <param name="note">Told of it while this loan lasts.</param>
    /// <param name="cancellationToken">Stops it.</param>
    internal async Task<VaultLoan> LendAsync(
        object key, Func<Action<string>, Task<UnlockedVault>> openAsync, Action<string> note, CancellationToken cancellationToken)
    {
        if (TryLend(key, note) is { } loan)
        {
            bool isThere = false;
            try
            {
                isThere = await loan.Vault.Vault.IsThereAsync(cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                if (!isThere)
                {
                    Forget(key, loan);
                }
            }

            if (isThere)
            {
                return loan;
            }
        }

        var vault = new OpenVault();
        vault.Use(note);
        vault.Vault = await openAsync(vault.Note).ConfigureAwait(false);
        lock (_gate)
        {
            // Somebody else may have been faster; then there are two for a while, and this one goes when it is given back.
            _vaults.TryAdd(key, vault);
            return new VaultLoan(vault, () => GiveBack(key, vault, note));
        }
    }

    // This machine's own key may have been replaced meanwhile, and its vault too.
    private static VaultKey KeyOf(BackupAgent agent, VaultAccess? access, VaultPatience patience)
    {
        string opener = access?.Passphrase is string passphrase
            ? Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(passphrase)))
            : agent.Machine.Key.Identify();
        MachineRegistration? own = agent.Machine.Registration;
        VaultAddress vault = access is not null && (access.Passphrase is not null || access.Vault.IsSecondary) ? access.Vault : own!.VaultLocation;
        return new VaultKey(agent.StateFolder, own, vault, agent.Machine.Connect(vault, patience), opener);
    }

    private VaultLoan? TryLend(object key, Action<string> note)
    {
        lock (_gate)
        {
            if (!_vaults.TryGetValue(key, out OpenVault? vault))
            {
                return null;
            }

            vault.Use(note);
            return new VaultLoan(vault, () => GiveBack(key, vault, note));
        }
    }

    private void Forget(object key, VaultLoan loan)
    {
        lock (_gate)
        {
            if (_vaults.TryGetValue(key, out OpenVault? vault) && loan.IsOf(vault))
            {
                _vaults.Remove(key);
            }
        }

        loan.Dispose();
    }

    private void GiveBack(object key, OpenVault vault, Action<string> note)
    {
        lock (_gate)
        {
            vault.Unuse(note);
            if (vault.Users > 0)
            {
                return;
            }

            if (_vaults.GetValueOrDefault(key) == vault)
            {
                vault.CloseAfter(Kept, clock, () => Close(key, vault));
            }
            else
            {
                vault.Dispose();
            }
        }
    }

    private void Close(object key, OpenVault vault)
    {
        lock (_gate)
        {
            if (vault.Users == 0 && _vaults.GetValueOrDefault(key) == vault)
            {
                _vaults.Remove(key);
                vault.Dispose();
            }
        }
    }

    /// <summary>What must be the same for a vault that was opened to be the one that is wanted.</summary>
    /// <param name="StateFolder">Whose settings hold.</param>
    /// <param name="Own">With which vault this machine is registered.</param>
    /// <param name="Vault">Where it is.</param>
    /// <param name="Connection">How it is reached.</param>
    /// <param name="Opener">What opened it; nothing can be opened with it.</param>
    private sealed record VaultKey(string StateFolder, MachineRegistration? Own, VaultAddress Vault, VaultConnection Connection, string Opener);
}
