using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Storage.Azure.Blobs;

/// <summary>What whoever has this machine's rights could do to a vault's blobs.</summary>
/// <param name="container">The vault's container.</param>
/// <param name="location">Its URL, for messages.</param>
internal sealed class BlobAttack(BlobContainerClient container, string location) : IVaultAttack
{
    /// <inheritdoc/>
    public ValueTask OverwriteAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) => new(RunAsync(
        name, () => container.GetBlobClient(name).UploadAsync(BinaryData.FromBytes(content), overwrite: true, cancellationToken), cancellationToken));

    /// <summary>Times are the service's own.</summary>
    /// <inheritdoc/>
    public ValueTask<bool> BackdateAsync(string name, DateTimeOffset created, CancellationToken cancellationToken) => new(false);

    /// <inheritdoc/>
    public async ValueTask<StorageProtection?> ReadProtectionAsync(string name, CancellationToken cancellationToken)
    {
        Response<BlobProperties> answer = await RunAsync(
            name, () => container.GetBlobClient(name).GetPropertiesAsync(cancellationToken: cancellationToken), cancellationToken).ConfigureAwait(false);
        BlobProperties found = answer.Value;
        bool keepsVersions = !string.IsNullOrEmpty(found.VersionId);
        return found.ImmutabilityPolicy?.ExpiresOn is { } until
            ? new StorageProtection(until.ToUniversalTime(), found.ImmutabilityPolicy.PolicyMode == BlobImmutabilityPolicyMode.Locked, keepsVersions)
            : found.HasLegalHold ? new StorageProtection(null, IsLocked: false, keepsVersions)
            : keepsVersions ? new StorageProtection(DateTimeOffset.MinValue, IsLocked: false, KeepsVersions: true)
            : null;
    }

    private async Task<T> RunAsync<T>(string name, Func<Task<T>> call, CancellationToken cancellationToken)
    {
        try
        {
            return await call().ConfigureAwait(false);
        }
        catch (Exception failure) when (BlobErrors.IsFailure(failure, cancellationToken))
        {
            throw BlobErrors.From(failure, location, name);
        }
    }
}
