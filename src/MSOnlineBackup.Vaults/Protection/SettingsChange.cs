using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Registers;

namespace MSOnlineBackup.Vaults.Protection;

/// <summary>Changes what a vault's owner has decided, with the consent that it takes where the new settings protect less.</summary>
/// <param name="vault">The vault.</param>
internal sealed class SettingsChange(KnownVault vault)
{
    /// <summary>Changes, and returns the settings. Nothing that somebody else changes at the same time is lost.</summary>
    /// <param name="owner">The key of its owner.</param>
    /// <param name="change">From the settings to those that are to hold; without side effects, for it may be called more than once.</param>
    /// <param name="consent">What the vault asks for; null for nothing.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task<VaultSettings> RunAsync(
        OwnerKey owner, Func<VaultSettings, VaultSettings> change, Consent? consent, CancellationToken cancellationToken)
    {
        var register = new VaultSettingsRegister(vault);
        VaultSettings before = await register.ReadAsync(cancellationToken).ConfigureAwait(false);
        VaultSettings planned = change(before);
        bool isLooser = SettingProtection.IsLooser(before, planned, vault.Location);
        if (isLooser)
        {
            await new VaultGuard(vault).RequireAsync(before, GuardedOperation.ChangeProtection, consent, cancellationToken).ConfigureAwait(false);
        }

        bool isFixed = planned.Redundancy != before.Redundancy
            && await new PointCensus(vault.Objects).HasAnyAsync(cancellationToken).ConfigureAwait(false);
        return await register.ChangeAsync(owner, Apply, cancellationToken).ConfigureAwait(false);

        VaultSettings Apply(VaultSettings current)
        {
            VaultSettings changed = change(current);
            if (!isLooser && SettingProtection.IsLooser(current, changed, vault.Location))
            {
                throw new BackupException(
                    BackupErrorId.ArgumentInvalid,
                    $"Somebody else changed the settings of '{vault.Location}' at the same moment.",
                    "Look at what holds now, and do it again.",
                    vault.Location);
            }

            return isFixed && current.Redundancy is { } declared && changed.Redundancy != declared
                ? throw new BackupException(
                    BackupErrorId.VaultSettingFixed,
                    $"The vault '{vault.Location}' is declared {declared}, which cannot be changed while it holds recovery points.",
                    "Create another vault with the redundancy that you want, and back up to that one.",
                    vault.Location)
                : changed;
        }
    }
}
