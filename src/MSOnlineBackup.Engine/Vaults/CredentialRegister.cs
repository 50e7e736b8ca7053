using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using MSOnlineBackup.Engine.Errors;
using MSOnlineBackup.Engine.Storage;

namespace MSOnlineBackup.Engine.Vaults;

/// <summary>The credential files that a vault's owner issued. Only the newest counts.</summary>
internal sealed class CredentialRegister(IVaultStore objects, VaultHeader header, TimeProvider clock)
{
    public static readonly TimeSpan DefaultValidity = TimeSpan.FromHours(48);
    public static readonly TimeSpan LongestValidity = TimeSpan.FromDays(10);

    private const int MaxLength = 64 << 10;
    private const int TokenLength = 32;

    /// <summary>Issues a credential; those before it hold no longer.</summary>
    /// <param name="location">The vault, as machines will look for it.</param>
    /// <exception cref="BackupException">ArgumentInvalid where the validity is out of range.</exception>
    public async Task<VaultCredential> IssueAsync(string location, string vaultName, TimeSpan validity, CancellationToken cancellationToken)
    {
        if (validity <= TimeSpan.Zero || validity > LongestValidity)
        {
            throw new BackupException(
                BackupErrorId.ArgumentInvalid,
                $"A vault credential file cannot be valid for {validity}: it may be up to {LongestValidity.Days} days.",
                "Leave the validity out for 48 hours, or choose at most ten days.");
        }

        byte[] token = RandomNumberGenerator.GetBytes(TokenLength);
        DateTimeOffset now = clock.GetUtcNow();
        var record = new CredentialRecord { TokenHash = SHA256.HashData(token), Issued = now, Expires = now + validity };
        byte[] content = JsonSerializer.SerializeToUtf8Bytes(record, VaultJson.Default.CredentialRecord);
        uint serial;
        do
        {
            // Somebody else who issues at this moment takes the number; the later one counts.
            serial = await FindNewestAsync(cancellationToken).ConfigureAwait(false) + 1;
        }
        while (!await objects.TryCreateAsync(VaultLayout.Credential(serial), content, cancellationToken).ConfigureAwait(false));

        return new VaultCredential
        {
            Location = location,
            VaultId = header.VaultId,
            VaultName = vaultName,
            Serial = serial,
            Token = token,
            Issued = now,
            Expires = now + validity,
        };
    }

    /// <summary>Checks a credential against what the vault knows.</summary>
    /// <param name="path">The file it came from, for the message.</param>
    /// <exception cref="BackupException">VaultCredentialInvalid.</exception>
    public async Task CheckAsync(VaultCredential credential, string path, CancellationToken cancellationToken)
    {
        if (credential.VaultId != header.VaultId)
        {
            throw VaultCredentialFile.Invalid(path, $"another vault is now at '{objects.Location}' than the one that it was issued for");
        }

        uint newest = await FindNewestAsync(cancellationToken).ConfigureAwait(false);
        if (credential.Serial != newest)
        {
            throw VaultCredentialFile.Invalid(path, newest > credential.Serial
                ? $"it is number {credential.Serial}, and number {newest} has been issued since: only the newest file counts"
                : "the vault knows nothing of it");
        }

        if (await ReadAsync(newest, cancellationToken).ConfigureAwait(false) is not { } record)
        {
            throw VaultCredentialFile.Invalid(path, "the vault's record of it is damaged");
        }

        if (!CryptographicOperations.FixedTimeEquals(SHA256.HashData(credential.Token), record.TokenHash))
        {
            throw VaultCredentialFile.Invalid(path, "the vault did not issue it");
        }

        // The vault's own record counts: what the file says of its time could have been written by anybody.
        if (clock.GetUtcNow() > record.Expires)
        {
            throw VaultCredentialFile.Invalid(
                path,
                string.Create(CultureInfo.InvariantCulture, $"it expired on {record.Expires.UtcDateTime:yyyy-MM-dd 'at' HH:mm} UTC"));
        }
    }

    private async Task<uint> FindNewestAsync(CancellationToken cancellationToken)
    {
        uint newest = 0;
        await foreach (StoredObject found in objects.ListAsync(VaultLayout.Credentials, cancellationToken).ConfigureAwait(false))
        {
            ReadOnlySpan<char> number = found.Name.AsSpan(VaultLayout.Credentials.Length);
            if (number.Length == 8
                && uint.TryParse(number, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out uint serial)
                && serial < uint.MaxValue)
            {
                newest = Math.Max(newest, serial);
            }
        }

        return newest;
    }

    private async Task<CredentialRecord?> ReadAsync(uint serial, CancellationToken cancellationToken)
    {
        try
        {
            byte[]? content = await VaultHeader.ReadSmallAsync(objects, VaultLayout.Credential(serial), MaxLength, cancellationToken).ConfigureAwait(false);
            CredentialRecord? record = content is null ? null : JsonSerializer.Deserialize(content, VaultJson.Default.CredentialRecord);
            return record?.TokenHash is null ? null : record;
        }
        catch (Exception e) when (e is JsonException or BackupException { Id: BackupErrorId.VaultDataCorrupt })
        {
            return null;
        }
    }
}
