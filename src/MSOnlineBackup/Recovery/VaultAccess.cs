using System.Security;
using MSOnlineBackup.Agent;
using MSOnlineBackup.Model.Conversions;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Recovery;

/// <summary>
/// The way into the vault of another machine: where it is, and that machine's passphrase where it was given. Sources and items carry it from one
/// cmdlet to the next. It lives in memory: no property that scripts see leads here, so nothing shows or serialises it.
/// </summary>
/// <param name="vault">The vault, with what its credential file brought to open it.</param>
/// <param name="passphrase">The passphrase of the machine whose recovery points are wanted; null where none was given.</param>
internal sealed class VaultAccess(VaultAddress vault, SecureString? passphrase)
{
    private bool _isForgotten;

    /// <summary>The vault.</summary>
    public VaultAddress Vault { get; } = vault;

    /// <summary>The passphrase as the engine takes it; null where none was given, or it is forgotten.</summary>
    public string? Passphrase => _isForgotten ? null : passphrase.ToPlain();

    /// <summary>The way into the copy of the vault in its secondary region, by the same passphrase.</summary>
    /// <param name="agent">This machine's agent, whose settings name the copy of its own vault.</param>
    /// <param name="access">The way into the vault; null for this machine's own.</param>
    /// <exception cref="BackupException">RecoveryOptionMissing where no copy is known.</exception>
    public static VaultAccess ToCopy(BackupAgent agent, VaultAccess? access)
    {
        VaultAddress copy = agent.Secondary.Find(access?.Vault);
        return access is { Vault.IsSecondary: true } ? access : new VaultAccess(copy, access?.CopyPassphrase());
    }

    /// <summary>Wipes the passphrase. What still has this way in is asked for it again.</summary>
    public void Forget()
    {
        _isForgotten = true;
        passphrase?.Dispose();
    }

    private SecureString? CopyPassphrase() => _isForgotten ? null : passphrase?.Copy();
}
