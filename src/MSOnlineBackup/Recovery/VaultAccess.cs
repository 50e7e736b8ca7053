using System.Security;
using MSOnlineBackup.Model.Conversions;
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

    /// <summary>Wipes the passphrase. What still has this way in is asked for it again.</summary>
    public void Forget()
    {
        _isForgotten = true;
        passphrase?.Dispose();
    }
}
