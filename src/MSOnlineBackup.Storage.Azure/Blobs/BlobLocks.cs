using System.Runtime.CompilerServices;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Storage.Azure.Blobs;

/// <summary>
/// Immutability policies of the version that a blob has. They need a container that supports them (version-level immutability), and a right of their own, which
/// machines do not have. Setting or extending one is a request for each blob; how blobs stand is told by their listing.
/// </summary>
/// <param name="container">The vault's container.</param>
/// <param name="location">Its URL, for messages.</param>
internal sealed class BlobLocks(BlobContainerClient container, string location) : IObjectLocks
{
    /// <summary>A policy runs out.</summary>
    public bool Expire => true;

    /// <inheritdoc/>
    public async ValueTask<string?> FindObstacleAsync(CancellationToken cancellationToken)
    {
        try
        {
            Response<BlobContainerProperties> answer = await RunAsync(
                "", () => container.GetPropertiesAsync(cancellationToken: cancellationToken), cancellationToken).ConfigureAwait(false);
            return answer.Value.HasImmutableStorageWithVersioning
                ? null
                : $"The container '{location}' does not support version-level immutability: see docs/operations.md, 'Immutability of the storage'.";
        }
        catch (BackupException e) when (e.Id == BackupErrorId.VaultAccessDenied)
        {
            // Who may not look at the container may be able to lock blobs all the same: it is known when it is tried.
            return null;
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<LockedObject> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ObjectName.ThrowIfInvalidPrefix(prefix);
        var options = new GetBlobsOptions { Prefix = prefix, Traits = BlobTraits.ImmutabilityPolicy | BlobTraits.LegalHold };
        await using IAsyncEnumerator<BlobItem> items = container.GetBlobsAsync(options, cancellationToken).GetAsyncEnumerator(cancellationToken);
        while (await RunAsync(prefix, () => items.MoveNextAsync().AsTask(), cancellationToken).ConfigureAwait(false))
        {
            BlobItem item = items.Current;
            if (ObjectName.IsValid(item.Name) && item.Properties is { ContentLength: long length, CreatedOn: DateTimeOffset created })
            {
                yield return new LockedObject(
                    new StoredObject(item.Name, length, created.ToUniversalTime()), ToLock(item.Properties.ImmutabilityPolicy, item.Properties.HasLegalHold));
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask<ObjectLock?> ReadAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            Response<BlobProperties> answer = await RunAsync(
                name, () => container.GetBlobClient(name).GetPropertiesAsync(cancellationToken: cancellationToken), cancellationToken).ConfigureAwait(false);
            return ToLock(answer.Value.ImmutabilityPolicy, answer.Value.HasLegalHold);
        }
        catch (BackupException e) when (e.Id == BackupErrorId.VaultDataMissing)
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public async ValueTask LockAsync(string name, DateTimeOffset until, bool isFirm, CancellationToken cancellationToken)
    {
        var policy = new BlobImmutabilityPolicy
        {
            ExpiresOn = until.ToUniversalTime(),
            PolicyMode = isFirm ? BlobImmutabilityPolicyMode.Locked : BlobImmutabilityPolicyMode.Unlocked,
        };
        await RunAsync(
            name, () => container.GetBlobClient(name).SetImmutabilityPolicyAsync(policy, cancellationToken: cancellationToken), cancellationToken)
            .ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<bool> UnlockAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            await RunAsync(name, () => container.GetBlobClient(name).DeleteImmutabilityPolicyAsync(cancellationToken), cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (BackupException e) when (e.Id is BackupErrorId.VaultDataProtected or BackupErrorId.VaultAccessDenied)
        {
            return false;
        }
    }

    /// <inheritdoc/>
    public async ValueTask<bool> ReleaseAsync(string name, CancellationToken cancellationToken)
    {
        // A policy that is firm is not asked about twice.
        if (await ReadAsync(name, cancellationToken).ConfigureAwait(false) is { IsFirm: true }
            || !await UnlockAsync(name, cancellationToken).ConfigureAwait(false))
        {
            return false;
        }

        try
        {
            await RunAsync(
                name, () => container.GetBlobClient(name).DeleteIfExistsAsync(cancellationToken: cancellationToken), cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (BackupException e) when (e.Id == BackupErrorId.VaultDataProtected)
        {
            return false;
        }
    }

    // A hold is somebody's who takes it off when they like.
    private static ObjectLock? ToLock(BlobImmutabilityPolicy? policy, bool hasHold) =>
        hasHold ? new ObjectLock(Until: null, IsFirm: true)
        : policy?.ExpiresOn is { } until ? new ObjectLock(until.ToUniversalTime(), policy.PolicyMode == BlobImmutabilityPolicyMode.Locked)
        : null;

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
