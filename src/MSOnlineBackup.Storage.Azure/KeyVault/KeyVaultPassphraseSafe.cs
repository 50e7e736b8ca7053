using Azure;
using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Security.KeyVault.Secrets;
using MSOnlineBackup.Storage.Azure.Identity;
using MSOnlineBackup.Storage.Azure.Transport;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Storage.Azure.KeyVault;

/// <summary>
/// Keeps a passphrase as a secret in Azure Key Vault, each new one as a new version. Tags say whose it is, because the names of two machines may
/// come to the same secret's name: what belongs to another is neither read nor covered up.
/// </summary>
public sealed class KeyVaultPassphraseSafe : IPassphraseSafe
{
    private const string MachineTag = "machine";
    private const string VaultTag = "vault";

    private readonly KeyVaultAddress _address;
    private readonly PassphraseOwner _owner;
    private readonly string _name;
    private readonly SecretClient _client;

    internal KeyVaultPassphraseSafe(KeyVaultAddress address, PassphraseOwner owner, TokenCredential credential, HttpPipelineTransport transport)
    {
        _address = address;
        _owner = owner;
        _name = SecretName.Of(owner);
        _client = new SecretClient(address.Vault, credential, new SecretClientOptions().Through(transport));
    }

    /// <inheritdoc/>
    public string Location => $"{_address.Vault.AbsoluteUri}secrets/{_name}";

    private string Item => $"secret '{_name}'";

    /// <summary>Names the secret; asks nobody yet.</summary>
    /// <param name="vaultUri"><c>https://NAME.vault.azure.net/</c>.</param>
    /// <param name="owner">Whose passphrase it is.</param>
    /// <param name="connection">How the Key Vault is reached.</param>
    /// <exception cref="BackupException">KeyVaultUriInvalid (100272).</exception>
    public static KeyVaultPassphraseSafe Open(string vaultUri, PassphraseOwner owner, VaultConnection connection)
    {
        ArgumentNullException.ThrowIfNull(vaultUri);
        ArgumentNullException.ThrowIfNull(owner);
        ArgumentNullException.ThrowIfNull(connection);
        KeyVaultAddress address = KeyVaultAddress.ParseVault(vaultUri);
        HttpPipelineTransport transport = AzureTransport.Create(connection);
        return new KeyVaultPassphraseSafe(address, owner, AzureIdentity.CreateTokenCredential(connection), transport);
    }

    /// <inheritdoc/>
    public async Task<string> ReadAsync(CancellationToken cancellationToken)
    {
        KeyVaultSecret secret =
            await CallAsync("get", () => _client.GetSecretAsync(_name, cancellationToken: cancellationToken), cancellationToken).ConfigureAwait(false);
        CheckOwner(secret);
        return secret.Value;
    }

    /// <inheritdoc/>
    public async Task WriteAsync(string passphrase, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(passphrase);
        try
        {
            CheckOwner(
                await CallAsync("get", () => _client.GetSecretAsync(_name, cancellationToken: cancellationToken), cancellationToken).ConfigureAwait(false));
        }
        catch (BackupException e) when (e.Id is BackupErrorId.KeyVaultSecretNotFound or BackupErrorId.KeyVaultSecretUnusable)
        {
            // Nothing is there yet, or what is there is switched off and becomes an earlier version.
        }

        var secret = new KeyVaultSecret(_name, passphrase)
        {
            Properties = { ContentType = "text/plain", Tags = { [MachineTag] = _owner.Machine, [VaultTag] = _owner.VaultId } },
        };
        await CallAsync("set", () => _client.SetSecretAsync(secret, cancellationToken), cancellationToken).ConfigureAwait(false);
    }

    // What has no tags was put there by hand, and its name says whose it is.
    private void CheckOwner(KeyVaultSecret secret)
    {
        bool isForeign = IsOther(secret, VaultTag, _owner.VaultId) || IsOther(secret, MachineTag, _owner.Machine);
        if (isForeign)
        {
            throw new BackupException(
                BackupErrorId.KeyVaultSecretForeign,
                $"The {Item} in the Key Vault '{_address.Vault}' holds the passphrase of another machine or vault: "
                    + $"{string.Join(", ", secret.Properties.Tags.Select(tag => $"{tag.Key} {tag.Value}"))}.",
                "Use another Key Vault for this machine, or give the machine or the backup vault another name. "
                    + "If that machine or vault is gone for good, delete and purge the secret.",
                Location);
        }
    }

    private static bool IsOther(KeyVaultSecret secret, string tag, string expected) =>
        secret.Properties.Tags.TryGetValue(tag, out string? found) && !found.Equals(expected, StringComparison.OrdinalIgnoreCase);

    private Task<KeyVaultSecret> CallAsync(string permission, Func<Task<Response<KeyVaultSecret>>> call, CancellationToken cancellationToken) =>
        KeyVaultErrors.TranslateAsync(_address.Vault, Item, permission, async () => (await call().ConfigureAwait(false)).Value, cancellationToken);
}
