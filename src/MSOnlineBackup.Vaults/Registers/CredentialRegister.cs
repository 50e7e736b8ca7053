using System.Globalization;
using System.Security.Cryptography;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Layout;

namespace MSOnlineBackup.Vaults.Registers;

/// <summary>The credential files that a vault's owner issued. Only the newest counts.</summary>
internal sealed class CredentialRegister(KnownVault vault)
{
    public static readonly TimeSpan DefaultValidity = TimeSpan.FromHours(48);
    public static readonly TimeSpan LongestValidity = TimeSpan.FromDays(10);

    private const int TokenLength = 32;

    private readonly OwnerSeries<CredentialRecord> _series = new(vault, VaultLayout.Credentials, RegisterJson.Default.CredentialRecord);

    /// <summary>Issues a credential; those before it hold no longer.</summary>
    /// <param name="owner">The vault's owner.</param>
    /// <param name="location">The vault, as machines will look for it.</param>
    /// <exception cref="BackupException">ArgumentInvalid where the validity is out of range; OwnerForeign.</exception>
    public async Task<VaultCredential> IssueAsync(OwnerKey owner, string location, string vaultName, TimeSpan validity, CancellationToken cancellationToken)
    {
        if (validity <= TimeSpan.Zero || validity > LongestValidity)
        {
            throw new BackupException(
                BackupErrorId.ArgumentInvalid,
                $"A vault credential file cannot be valid for {validity}: it may be up to {LongestValidity.Days} days.",
                "Leave the validity out for 48 hours, or choose at most ten days.");
        }

        byte[] token = RandomNumberGenerator.GetBytes(TokenLength);
        DateTimeOffset now = vault.Clock.GetUtcNow();
        var record = new CredentialRecord { TokenHash = SHA256.HashData(token), Issued = now, Expires = now + validity };
        uint serial = await _series.AppendAsync(owner, _ => Task.FromResult<CredentialRecord?>(record), cancellationToken).ConfigureAwait(false);
        return new VaultCredential
        {
            Location = location,
            VaultId = vault.VaultId,
            Owner = owner.Identity.PublicKey,
            VaultName = vaultName,
            Serial = serial,
            Token = token,
            Issued = now,
            Expires = now + validity,
        };
    }

    /// <summary>Checks a credential against what the vault knows.</summary>
    /// <param name="path">The file it came from, for the message.</param>
    /// <exception cref="BackupException">VaultCredentialInvalid; OwnerForeign where the vault has another owner than the one that the file names.</exception>
    public async Task CheckAsync(VaultCredential credential, string path, CancellationToken cancellationToken)
    {
        if (credential.VaultId != vault.VaultId)
        {
            throw VaultCredentialFile.Invalid(path, $"another vault is now at '{vault.Location}' than the one that it was issued for");
        }

        if (vault.Header.OwnerIdentity?.PublicKey != credential.Owner)
        {
            throw OwnerErrors.Foreign(vault.Location, $"'{path}' names the one who issued it");
        }

        uint newest = await _series.FindNewestAsync(cancellationToken).ConfigureAwait(false);
        if (credential.Serial != newest)
        {
            throw VaultCredentialFile.Invalid(path, newest > credential.Serial
                ? await NewerAsync(credential, newest, cancellationToken).ConfigureAwait(false)
                : "the vault knows nothing of it");
        }

        if (await _series.ReadAsync(newest, cancellationToken).ConfigureAwait(false) is not { TokenHash: not null } record)
        {
            throw VaultCredentialFile.Invalid(path, "the vault's record of it is damaged, or not signed by the vault's owner");
        }

        if (!CryptographicOperations.FixedTimeEquals(SHA256.HashData(credential.Token), record.TokenHash))
        {
            throw VaultCredentialFile.Invalid(path, "the vault did not issue it");
        }

        // The vault's own record counts: what the file says of its time could have been written by anybody.
        if (vault.Clock.GetUtcNow() > record.Expires)
        {
            throw VaultCredentialFile.Invalid(
                path,
                string.Create(CultureInfo.InvariantCulture, $"it expired on {record.Expires.UtcDateTime:yyyy-MM-dd 'at' HH:mm} UTC"));
        }
    }

    // What follows may be nobody's: it still stands in the way, for the owner may have meant to withdraw the file.
    private async Task<string> NewerAsync(VaultCredential credential, uint newest, CancellationToken cancellationToken) =>
        await _series.ReadAsync(newest, cancellationToken).ConfigureAwait(false) is not null
            ? $"it is number {credential.Serial}, and number {newest} has been issued since: only the newest file counts"
            : $"it is number {credential.Serial}, and the vault has a record '{_series.NameOf(newest)}' that is damaged, or not signed by its owner";
}
