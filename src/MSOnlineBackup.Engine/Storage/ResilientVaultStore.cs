using System.Buffers;
using System.Runtime.CompilerServices;
using MSOnlineBackup.Engine.Errors;
using Polly;
using Polly.Retry;

namespace MSOnlineBackup.Engine.Storage;

/// <summary>
/// Retries what failed transiently, with growing, jittered waits. It is the only layer that retries: the stores
/// beneath report each failure at once.
/// </summary>
public sealed class ResilientVaultStore : IVaultStore
{
    private const int CompareBufferSize = 1 << 20;

    private readonly IVaultStore _inner;
    private readonly Lazy<ResiliencePipeline> _retries;

    /// <summary>Decorates a store.</summary>
    /// <param name="inner">The store.</param>
    /// <param name="options">How often and how long; null for the defaults.</param>
    /// <param name="timeProvider">The clock to wait by; null for the system's.</param>
    public ResilientVaultStore(IVaultStore inner, VaultRetryOptions? options = null, TimeProvider? timeProvider = null)
    {
        _inner = inner;
        options ??= new VaultRetryOptions();
        _retries = new Lazy<ResiliencePipeline>(() => CreateRetries(options, timeProvider ?? TimeProvider.System));
    }

    /// <inheritdoc/>
    public string Location => _inner.Location;

    /// <inheritdoc/>
    public VaultStoreCapabilities Capabilities => _inner.Capabilities;

    /// <inheritdoc/>
    public VaultTraffic? Traffic => _inner.Traffic;

    /// <inheritdoc/>
    public IVaultAccount? Account => _inner.Account is { } account ? new ResilientAccount(this, account) : null;

    /// <inheritdoc/>
    /// <remarks>A create that was reported as failed may have been done. Where a later attempt finds the name taken, the
    /// content decides: the same bytes are this call's own, others are another's.</remarks>
    public async ValueTask<bool> TryCreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken, ObjectUse use = ObjectUse.Frequent)
    {
        bool doubtful = false;
        bool created = await ExecuteAsync(
            async token =>
            {
                try
                {
                    return await _inner.TryCreateAsync(name, content, token, use).ConfigureAwait(false);
                }
                catch (BackupException)
                {
                    doubtful = true;
                    throw;
                }
            },
            cancellationToken).ConfigureAwait(false);
        return created || (doubtful && await HoldsAsync(name, content, cancellationToken).ConfigureAwait(false));
    }

    /// <inheritdoc/>
    public ValueTask<int> ReadAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken) =>
        ExecuteAsync(token => _inner.ReadAsync(name, offset, destination, token), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<StoredObject?> StatAsync(string name, CancellationToken cancellationToken) =>
        ExecuteAsync(token => _inner.StatAsync(name, token), cancellationToken);

    /// <inheritdoc/>
    /// <remarks>A listing that broke off begins again, and leaves out what it has shown.</remarks>
    public async IAsyncEnumerable<StoredObject> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var shown = new HashSet<string>(StringComparer.Ordinal);
        IAsyncEnumerator<StoredObject>? listing = null;
        try
        {
            while (await ExecuteAsync(MoveToNewAsync, cancellationToken).ConfigureAwait(false))
            {
                yield return listing!.Current;
            }
        }
        finally
        {
            await CloseAsync().ConfigureAwait(false);
        }

        async ValueTask<bool> MoveToNewAsync(CancellationToken token)
        {
            try
            {
                listing ??= _inner.ListAsync(prefix, token).GetAsyncEnumerator(token);
                while (await listing.MoveNextAsync().ConfigureAwait(false))
                {
                    if (shown.Add(listing.Current.Name))
                    {
                        return true;
                    }
                }

                return false;
            }
            catch (BackupException)
            {
                await CloseAsync().ConfigureAwait(false);
                throw;
            }
        }

        async ValueTask CloseAsync()
        {
            if (listing is not null)
            {
                await listing.DisposeAsync().ConfigureAwait(false);
                listing = null;
            }
        }
    }

    /// <inheritdoc/>
    public ValueTask DeleteAsync(string name, CancellationToken cancellationToken) =>
        new(ExecuteAsync(
            async token =>
            {
                await _inner.DeleteAsync(name, token).ConfigureAwait(false);
                return true;
            },
            cancellationToken).AsTask());

    private static ResiliencePipeline CreateRetries(VaultRetryOptions options, TimeProvider timeProvider) => new ResiliencePipelineBuilder { TimeProvider = timeProvider }
            .AddRetry(new RetryStrategyOptions
            {
                ShouldHandle = static arguments => ValueTask.FromResult(arguments.Outcome.Exception is BackupException { IsTransient: true }),
                MaxRetryAttempts = options.MaxRetries,
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                Delay = options.FirstWait,
                MaxDelay = options.LongestWait,
                OnRetry = arguments =>
                {
                    options.Waiting?.Invoke(new VaultWait(
                        arguments.AttemptNumber + 1,
                        arguments.RetryDelay,
                        (BackupException)arguments.Outcome.Exception!));
                    return ValueTask.CompletedTask;
                },
            })
            .Build();

    // The first attempt needs no pipeline: loading and compiling one takes longer than a whole small job, and nearly no job
    // needs it. What it failed with is the pipeline's first failure.
    private async ValueTask<T> ExecuteAsync<T>(Func<CancellationToken, ValueTask<T>> call, CancellationToken cancellationToken)
    {
        BackupException? first;
        try
        {
            return await call(cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException e) when (e.IsTransient)
        {
            first = e;
        }

        return await RetryAsync(call, first, cancellationToken).ConfigureAwait(false);
    }

    private ValueTask<T> RetryAsync<T>(Func<CancellationToken, ValueTask<T>> call, BackupException failure, CancellationToken cancellationToken)
    {
        BackupException? first = failure;
        return _retries.Value.ExecuteAsync(
            token => Interlocked.Exchange(ref first, null) is { } known ? ValueTask.FromException<T>(known) : call(token),
            cancellationToken);
    }

    private async ValueTask<bool> HoldsAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        if (await StatAsync(name, cancellationToken).ConfigureAwait(false) is not StoredObject found || found.Length != content.Length)
        {
            return false;
        }

        byte[] buffer = ArrayPool<byte>.Shared.Rent(CompareBufferSize);
        try
        {
            for (int offset = 0; offset < content.Length;)
            {
                int count = Math.Min(buffer.Length, content.Length - offset);
                int read = await ReadAsync(name, offset, buffer.AsMemory(0, count), cancellationToken).ConfigureAwait(false);
                if (!content.Span.Slice(offset, count).SequenceEqual(buffer.AsSpan(0, read)))
                {
                    return false;
                }

                offset += count;
            }

            return true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private sealed class ResilientAccount(ResilientVaultStore store, IVaultAccount inner) : IVaultAccount
    {
        public ValueTask<VaultRedundancy?> ReadRedundancyAsync(CancellationToken cancellationToken) =>
            store.ExecuteAsync(inner.ReadRedundancyAsync, cancellationToken);

        public ValueTask<VaultRehydration> RehydrateAsync(bool urgently, CancellationToken cancellationToken) =>
            store.ExecuteAsync(token => inner.RehydrateAsync(urgently, token), cancellationToken);
    }
}

/// <summary>How a <see cref="ResilientVaultStore"/> retries. By default five attempts within about a minute of waiting.</summary>
public sealed record VaultRetryOptions
{
    /// <summary>How often a call is tried again; at least 1.</summary>
    public int MaxRetries { get; init; } = 4;

    /// <summary>About how long the first wait is; each later one is about twice as long.</summary>
    public TimeSpan FirstWait { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How long a wait is at most.</summary>
    public TimeSpan LongestWait { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Told before each wait, from any thread; must return quickly.</summary>
    public Action<VaultWait>? Waiting { get; init; }
}

/// <summary>A wait before a call on the vault is tried again.</summary>
/// <param name="Attempt">How many attempts have failed, from 1.</param>
/// <param name="Delay">How long the wait is.</param>
/// <param name="Cause">Why.</param>
public readonly record struct VaultWait(int Attempt, TimeSpan Delay, BackupException Cause);
