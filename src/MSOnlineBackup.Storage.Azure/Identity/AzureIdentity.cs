using Azure;
using Azure.Core;
using Azure.Identity;
using Azure.Storage;
using Azure.Storage.Blobs;
using MSOnlineBackup.Storage.Azure.Locations;
using MSOnlineBackup.Storage.Azure.Transport;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Storage.Azure.Identity;

/// <summary>
/// Who this machine is to Azure. What it was given for the vault comes first, then what Azure's own tools read from the environment, then
/// the identity of the machine or of who is signed in:
/// the registration's secret ► <c>AZURE_STORAGE_CONNECTION_STRING</c> ► <c>AZURE_STORAGE_SAS_TOKEN</c> ► <c>AZURE_STORAGE_KEY</c> ►
/// the emulator's own key ► service principal, workload, managed identity, Azure CLI.
/// </summary>
internal static class AzureIdentity
{
    /// <summary>A client for a vault's container; nothing is sent yet.</summary>
    /// <param name="location">The container.</param>
    /// <param name="connection">How it is reached.</param>
    /// <param name="options">The client's options, its transport among them.</param>
    /// <exception cref="BackupException">StorageSecretInvalid, StorageSecretForeign, StorageSecretExpired, IdentityNotFound.</exception>
    public static BlobContainerClient CreateContainerClient(BlobLocation location, VaultConnection connection, BlobClientOptions options) =>
        CreateContainerClient(location, connection, options, Environment.GetEnvironmentVariable);

    /// <summary>A client for a vault's container, by an environment of the caller's.</summary>
    /// <param name="location">The container.</param>
    /// <param name="connection">How it is reached.</param>
    /// <param name="options">The client's options.</param>
    /// <param name="variable">Reads an environment variable.</param>
    public static BlobContainerClient CreateContainerClient(
        BlobLocation location,
        VaultConnection connection,
        BlobClientOptions options,
        Func<string, string?> variable) => StorageSecret.Find(location, connection, variable) switch
        {
            StorageSecret.AccountKey key => new BlobContainerClient(location.Url, new StorageSharedKeyCredential(location.Account, key.Key), options),
            StorageSecret.SharedAccess access => new BlobContainerClient(location.Url, new AzureSasCredential(access.Signature), options),

            // A token may be used by whoever sees it.
            _ when location.Url.Scheme != Uri.UriSchemeHttps => throw IdentityErrors.NotFound(location.ToString(), null),

            _ => new BlobContainerClient(location.Url, CreateTokenCredential(connection), options),
        };

    /// <summary>The identity of this machine, or of who is signed in.</summary>
    /// <param name="connection">How Azure is reached.</param>
    public static TokenCredential CreateTokenCredential(VaultConnection connection)
    {
        ArgumentNullException.ThrowIfNull(connection);

        // Its own retries stay: it knows which answers of a machine's identity service pass.
        return new MachineCredential(new DefaultAzureCredential(new DefaultAzureCredentialOptions
        {
            // Who somebody is can only be asked in public.
            Transport = AzureTransport.Create(connection with { RequiresPrivateEndpoint = false }),
            ExcludeInteractiveBrowserCredential = true,
            ExcludeVisualStudioCredential = true,
            ExcludeVisualStudioCodeCredential = true,
        }));
    }
}
