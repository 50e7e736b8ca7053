using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Machine;

/// <summary>Keeps a passphrase in a safe, before anything is done by it.</summary>
internal static class PassphraseKeeping
{
    /// <summary>Keeps it: in a safe is what it gives back.</summary>
    /// <exception cref="BackupException">KeyVaultSecretUnusable; what the safe throws.</exception>
    public static async Task KeepAsync(this IPassphraseSafe safe, string passphrase, CancellationToken cancellationToken)
    {
        await safe.WriteAsync(passphrase, cancellationToken).ConfigureAwait(false);
        if (await safe.ReadAsync(cancellationToken).ConfigureAwait(false) != passphrase)
        {
            throw new BackupException(
                BackupErrorId.KeyVaultSecretUnusable,
                $"The passphrase read back from '{safe.Location}' differs from what was written.",
                "Make sure that nothing else writes to this secret, then set the passphrase again.",
                safe.Location);
        }
    }

    /// <summary>Whether a safe that refused a passphrase may have it all the same.</summary>
    public static async Task<bool> MayHoldAsync(this IPassphraseSafe safe, string passphrase)
    {
        try
        {
            return await safe.ReadAsync(CancellationToken.None).ConfigureAwait(false) == passphrase;
        }
        catch (BackupException e)
        {
            // Who cannot look cannot know.
            return e.Id is not (BackupErrorId.KeyVaultSecretNotFound or BackupErrorId.KeyVaultSecretForeign);
        }
    }
}
