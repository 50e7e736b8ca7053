using System.Globalization;
using System.Runtime.CompilerServices;
using Azure;
using Azure.Core;
using Azure.Storage;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using MSOnlineBackup.Storage.Azure.Identity;
using MSOnlineBackup.Storage.Azure.Locations;
using MSOnlineBackup.Storage.Azure.Transport;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Storage.Azure.Blobs;

/// <summary>
/// A vault in a container of Azure Blob Storage. An object is a block blob of the same name, created by a request that the service
/// refuses where the name exists. Nothing is tried twice here: see <see cref="ResilientVaultStore"/>.
/// </summary>
/// <remarks>
/// <para>What is sent carries an MD5 that the service compares before it takes the object, and keeps with it for other tools. (A CRC-64 is
/// quicker made, but not kept, and Azurite is slow to compare it.) What is received is checked for its
/// length only: everything that the engine reads ends with a checksum of ours or is authenticated, which finds more than a checksum of a
/// range, and finds what changed at rest too.</para>
/// <para>Premium accounts have no tiers, and are not for vaults.</para>
/// <para>Up to <see cref="LargestSinglePut"/> an object is one request, for which the permission to create is enough. Staging the
/// blocks of a larger one needs that to write.</para>
/// </remarks>
public sealed class BlobVaultStore : IVaultStore, IVaultAccount
{
    private const int BlockSize = 8 << 20;
    private const int BlocksAtOnce = 4;

    private static readonly BlobRequestConditions _absent = new() { IfNoneMatch = ETag.All };

    private readonly BlobContainerClient _container;

    // Until the first write has made it, the container of a new vault need not be there. A call goes by what held when it was
    // begun: its answer may come after another call has made the container.
    private volatile bool _mayBeAbsent;

    internal BlobVaultStore(string location, VaultConnection connection, bool mayBeAbsent)
    {
        ArgumentNullException.ThrowIfNull(connection);
        var place = BlobLocation.Parse(location);
        Location = place.ToString();
        _mayBeAbsent = mayBeAbsent;
        _container = AzureIdentity.CreateContainerClient(place, connection, CreateOptions(connection));
    }

    /// <inheritdoc/>
    public string Location { get; }

    /// <inheritdoc/>
    public VaultStoreCapabilities Capabilities { get; } = new(PackSize: 32 << 20, MaxConcurrency: 8);

    /// <inheritdoc/>
    public IVaultAccount Account => this;

    /// <inheritdoc/>
    public IVaultAttack Attack => new BlobAttack(_container, Location);

    /// <inheritdoc/>
    public IObjectLocks Locks => new BlobLocks(_container, Location);

    /// <summary>Above how many bytes an object is staged in blocks.</summary>
    internal int LargestSinglePut { get; init; } = 256 << 20;

    /// <summary>The store of a vault that is there. Sends nothing yet.</summary>
    /// <param name="location">The container's URL.</param>
    /// <param name="connection">How it is reached.</param>
    /// <exception cref="BackupException">ArgumentInvalid.</exception>
    public static BlobVaultStore Open(string location, VaultConnection connection) => new(location, connection, mayBeAbsent: false);

    /// <summary>The store for a new vault, whose container is created by the first write where it is not there. Sends nothing yet.</summary>
    /// <param name="location">The container's URL.</param>
    /// <param name="connection">How it is reached.</param>
    /// <exception cref="BackupException">ArgumentInvalid.</exception>
    public static BlobVaultStore Create(string location, VaultConnection connection) => new(location, connection, mayBeAbsent: true);

    /// <inheritdoc/>
    public async ValueTask<bool> TryCreateAsync(
        string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken, VaultAccessTier tier = VaultAccessTier.Hot)
    {
        ObjectName.ThrowIfInvalid(name);
        bool mayBeAbsent = _mayBeAbsent;
        try
        {
            try
            {
                return await UploadAsync(name, content, tier, cancellationToken).ConfigureAwait(false);
            }
            catch (RequestFailedException failure) when (mayBeAbsent && BlobErrors.Is(failure, BlobErrorCode.ContainerNotFound))
            {
                await _container.CreateIfNotExistsAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
                _mayBeAbsent = false;
                return await UploadAsync(name, content, tier, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (Exception failure) when (BlobErrors.IsFailure(failure, cancellationToken))
        {
            throw BlobErrors.From(failure, Location, name);
        }
    }

    /// <inheritdoc/>
    public async ValueTask<int> ReadAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        ObjectName.ThrowIfInvalid(name);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        bool mayBeAbsent = _mayBeAbsent;
        try
        {
            // A range of no bytes cannot be asked for.
            var range = new HttpRange(offset, Math.Max(destination.Length, 1));
            using BlobDownloadStreamingResult response = await _container.GetBlobClient(name)
                .DownloadStreamingAsync(new BlobDownloadOptions { Range = range }, cancellationToken).ConfigureAwait(false);
            int expected = LengthOf(response.Details, offset, destination.Length);
            int read =
                await response.Content.ReadAtLeastAsync(destination[..expected], expected, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
            return read == expected ? read : throw new IOException($"the answer broke off after {read} of {expected} bytes");
        }
        catch (RequestFailedException failure) when (BlobErrors.Is(failure, BlobErrorCode.InvalidRange))
        {
            return 0;
        }
        catch (Exception failure) when (BlobErrors.IsFailure(failure, cancellationToken))
        {
            throw Explain(failure, name, mayBeAbsent);
        }
    }

    /// <inheritdoc/>
    public async ValueTask<StoredObject?> StatAsync(string name, CancellationToken cancellationToken)
    {
        ObjectName.ThrowIfInvalid(name);
        bool mayBeAbsent = _mayBeAbsent;
        try
        {
            BlobProperties found = await _container.GetBlobClient(name).GetPropertiesAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
            return new StoredObject(name, found.ContentLength, found.CreatedOn.ToUniversalTime());
        }
        catch (RequestFailedException failure) when (IsAbsent(failure, mayBeAbsent))
        {
            return null;
        }
        catch (Exception failure) when (BlobErrors.IsFailure(failure, cancellationToken))
        {
            throw BlobErrors.From(failure, Location, name);
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<StoredObject> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ObjectName.ThrowIfInvalidPrefix(prefix);
        bool mayBeAbsent = _mayBeAbsent;
        await using IAsyncEnumerator<BlobItem> items =
            _container.GetBlobsAsync(new GetBlobsOptions { Prefix = prefix }, cancellationToken).GetAsyncEnumerator(cancellationToken);
        while (await MoveAsync().ConfigureAwait(false))
        {
            BlobItem item = items.Current;
            if (ObjectName.IsValid(item.Name) && item.Properties is { ContentLength: long length, CreatedOn: DateTimeOffset created })
            {
                yield return new StoredObject(item.Name, length, created.ToUniversalTime());
            }
        }

        async ValueTask<bool> MoveAsync()
        {
            try
            {
                return await items.MoveNextAsync().ConfigureAwait(false);
            }
            catch (RequestFailedException failure) when (IsAbsent(failure, mayBeAbsent))
            {
                return false;
            }
            catch (Exception failure) when (BlobErrors.IsFailure(failure, cancellationToken))
            {
                throw BlobErrors.From(failure, Location, prefix);
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask DeleteAsync(string name, CancellationToken cancellationToken)
    {
        ObjectName.ThrowIfInvalid(name);
        bool mayBeAbsent = _mayBeAbsent;
        try
        {
            await _container.GetBlobClient(name).DeleteAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
        }
        catch (RequestFailedException failure) when (IsAbsent(failure, mayBeAbsent))
        {
            // As asked.
        }
        catch (Exception failure) when (BlobErrors.IsFailure(failure, cancellationToken))
        {
            throw BlobErrors.From(failure, Location, name);
        }
    }

    /// <inheritdoc/>
    public async ValueTask<VaultRedundancy?> ReadRedundancyAsync(CancellationToken cancellationToken)
    {
        try
        {
            AccountInfo account = await _container.GetParentBlobServiceClient().GetAccountInfoAsync(cancellationToken).ConfigureAwait(false);
            return account.SkuName switch
            {
                SkuName.StandardLrs or SkuName.PremiumLrs => VaultRedundancy.LocallyRedundant,
                SkuName.StandardZrs or SkuName.PremiumZrs => VaultRedundancy.ZoneRedundant,
                SkuName.StandardGrs or SkuName.StandardRagrs => VaultRedundancy.GeoRedundant,
                SkuName.StandardGzrs or SkuName.StandardRagzrs => VaultRedundancy.GeoZoneRedundant,
                _ => null,
            };
        }
        catch (ArgumentOutOfRangeException)
        {
            // One that the client does not know.
            return null;
        }
        catch (Exception failure) when (BlobErrors.IsFailure(failure, cancellationToken))
        {
            BackupException error = BlobErrors.From(failure, Location, "");
            return error.Id == BackupErrorId.VaultAccessDenied ? null : throw error;
        }
    }

    /// <inheritdoc/>
    public async ValueTask<VaultRehydration> RehydrateAsync(bool urgently, CancellationToken cancellationToken)
    {
        int started = 0;
        int pending = 0;
        long startedBytes = 0;
        long pendingBytes = 0;
        RehydratePriority priority = urgently ? RehydratePriority.High : RehydratePriority.Standard;
        var options = new ParallelOptions { CancellationToken = cancellationToken, MaxDegreeOfParallelism = Capabilities.MaxConcurrency };
        try
        {
            await Parallel.ForEachAsync(
                _container.GetBlobsAsync(new GetBlobsOptions(), cancellationToken),
                options,
                async (item, token) =>
                {
                    long length = item.Properties.ContentLength ?? 0;
                    if (item.Properties.AccessTier != AccessTier.Archive || !ObjectName.IsValid(item.Name))
                    {
                        return;
                    }

                    if (item.Properties.ArchiveStatus is not null)
                    {
                        Interlocked.Increment(ref pending);
                        Interlocked.Add(ref pendingBytes, length);
                        return;
                    }

                    await _container.GetBlobClient(item.Name)
                        .SetAccessTierAsync(AccessTier.Hot, rehydratePriority: priority, cancellationToken: token).ConfigureAwait(false);
                    Interlocked.Increment(ref started);
                    Interlocked.Add(ref startedBytes, length);
                }).ConfigureAwait(false);
        }
        catch (Exception failure) when (BlobErrors.IsFailure(failure, cancellationToken))
        {
            throw BlobErrors.From(failure, Location, "");
        }

        return new VaultRehydration(started, startedBytes, pending, pendingBytes);
    }

    private static BlobClientOptions CreateOptions(VaultConnection connection)
    {
        var options = new BlobClientOptions
        {
            Transport = AzureTransport.Create(connection),
            Diagnostics = { IsLoggingEnabled = false, IsDistributedTracingEnabled = false, ApplicationId = "MSOnlineBackup" },
        };
        options.AddPolicy(new EmptyAnswerPolicy(), HttpPipelinePosition.PerCall);
        options.Retry.MaxRetries = 0;

        // A throttled pack may well take an hour; that nothing moves at all is for the transport to notice.
        options.Retry.NetworkTimeout = Timeout.InfiniteTimeSpan;
        return options;
    }

    private async Task<bool> UploadAsync(string name, ReadOnlyMemory<byte> content, VaultAccessTier tier, CancellationToken cancellationToken)
    {
        var options = new BlobUploadOptions
        {
            AccessTier = ToAccessTier(tier),
            Conditions = _absent,
            TransferValidation = new UploadTransferValidationOptions { ChecksumAlgorithm = StorageChecksumAlgorithm.MD5 },
            TransferOptions = new StorageTransferOptions
            {
                InitialTransferSize = (long)LargestSinglePut + 1,
                MaximumTransferSize = BlockSize,
                MaximumConcurrency = BlocksAtOnce,
            },
        };
        try
        {
            using Stream stream = BinaryData.FromBytes(content).ToStream();
            await _container.GetBlockBlobClient(name).UploadAsync(stream, options, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (RequestFailedException failure) when (BlobErrors.SaysThatItExists(failure))
        {
            return false;
        }
        catch (RequestFailedException failure) when (BlobErrors.SaysThatItIsDenied(failure))
        {
            // Who may create, and not overwrite, may be told no more than that.
            return await IsKnownAsync(name, cancellationToken).ConfigureAwait(false) ? false : throw BlobErrors.From(failure, Location, name);
        }
    }

    // Who may not look does not know; what refused the create says more than what refuses a look.
    private async Task<bool> IsKnownAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            return await _container.GetBlobClient(name).ExistsAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (RequestFailedException failure) when (BlobErrors.SaysThatItIsDenied(failure))
        {
            return false;
        }
    }

    private static AccessTier ToAccessTier(VaultAccessTier tier) => tier switch
    {
        VaultAccessTier.Hot => AccessTier.Hot,
        VaultAccessTier.Cool => AccessTier.Cool,
        VaultAccessTier.Cold => AccessTier.Cold,
        _ => throw new ArgumentOutOfRangeException(nameof(tier)),
    };

    /// <summary>How many bytes the answer is to have; it must be the range that was asked for.</summary>
    private static int LengthOf(BlobDownloadDetails details, long offset, int asked)
    {
        string range = details.ContentRange ?? "";
        _ = long.TryParse(range.AsSpan(range.IndexOf('/', StringComparison.Ordinal) + 1), NumberStyles.None, CultureInfo.InvariantCulture, out long length);
        long count = Math.Clamp(length - offset, 0, Math.Max(asked, 1));
        return range == string.Create(CultureInfo.InvariantCulture, $"bytes {offset}-{offset + count - 1}/{length}") && details.ContentLength == count
            ? (int)Math.Min(asked, count)
            : throw new IOException($"the answer is not the range that was asked for, but '{range}'");
    }

    private BackupException Explain(Exception failure, string name, bool mayBeAbsent) => failure is RequestFailedException refused
        && IsAbsent(refused, mayBeAbsent)
        ? BlobErrors.Missing(Location, name, failure)
        : BlobErrors.From(failure, Location, name);

    private static bool IsAbsent(RequestFailedException failure, bool mayBeAbsent) =>
        BlobErrors.SaysThatItIsAbsent(failure) || (mayBeAbsent && BlobErrors.Is(failure, BlobErrorCode.ContainerNotFound));
}
