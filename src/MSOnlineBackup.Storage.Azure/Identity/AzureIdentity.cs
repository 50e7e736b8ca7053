using Azure.Storage;
using Azure.Storage.Blobs;
using MSOnlineBackup.Engine.Storage;
using MSOnlineBackup.Storage.Azure.Blobs;

namespace MSOnlineBackup.Storage.Azure.Identity;

/// <summary>Who asks.</summary>
internal static class AzureIdentity
{
    private const string EmulatorKey = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

    /// <summary>A client for a vault's container.</summary>
    public static BlobContainerClient CreateContainerClient(BlobLocation location, VaultConnection connection, BlobClientOptions options) =>
        connection.Secret is { } text
            ? new BlobContainerClient(text, location.Container, options)
            : new BlobContainerClient(location.Url, new StorageSharedKeyCredential(location.Account, EmulatorKey), options);
}
