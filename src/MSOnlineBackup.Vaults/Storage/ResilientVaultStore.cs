using System.Buffers;
using System.Runtime.CompilerServices;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Telemetry;
using Polly;
using Polly.Retry;

namespace MSOnlineBackup.Vaults.Storage;

/// <summary>
/// Retries what failed transiently, with growing, jittered waits or after the time that the store asks for, and lets through as
/// many calls at once as the store bears. It is the only layer that retries: the stores beneath report each failure at once.
/// </summary>
/// <remarks>
/// Patience is measured in time, not in attempts, and an outage is the store's, not a call's: ten calls that meet it wait together,
/// and all go on when the store answers again.
/// </remarks>
public sealed class ResilientVaultStore : IVaultStore
{
    private const int CompareBufferSize = 1 << 20;
    private const int ListingPage = 512;

    // More than any job has under way: a store that never complains is not held back.
    private const int MostCalls = 64;

    private static readonly TimeSpan _tick = TimeSpan.FromMilliseconds(1);
    private static readonly ResiliencePropertyKey<Trial> _trial = new("trial");

    private readonly IVaultStore _inner;
    private readonly VaultRetryOptions _options;
    private readonly TimeProvider _clock;
    private readonly CallGate _gate;
    private readonly Lazy<ResiliencePipeline> _retries;
    private volatile VaultWait? _wait;

    /// <summary>Decorates a store.</summary>
    /// <param name="inner">The store.</param>
    /// <param name="options">How often and how long; null for the defaults.</param>
    /// <param name="timeProvider">The clock to wait by; null for the system's.</param>
    public ResilientVaultStore(IVaultStore inner, VaultRetryOptions? options = null, TimeProvider? timeProvider = null)
    {
        _inner = inner;
        _options = options ?? new VaultRetryOptions();
        _clock = timeProvider ?? TimeProvider.System;
        _gate = new CallGate(MostCalls, _clock);
        _retries = new Lazy<ResiliencePipeline>(CreateRetries);
    }

    /// <inheritdoc/>
    public string Location => _inner.Location;

    /// <inheritdoc/>
    public VaultStoreCapabilities Capabilities => _inner.Capabilities;

    /// <inheritdoc/>
    public VaultTraffic? Traffic => _inner.Traffic;

    /// <inheritdoc/>
    public VaultWait? Wait => _wait;

    /// <inheritdoc/>
    public IVaultAttack? Attack => _inner.Attack;

    /// <inheritdoc/>
    public IVaultAccount? Account => _inner.Account is { } account ? new ResilientAccount(this, account) : null;

    /// <inheritdoc/>
    public IObjectLocks? Locks => _inner.Locks is { } locks ? new ResilientLocks(this, locks) : null;

    /// <inheritdoc/>
    /// <remarks>A create that was reported as failed may have been done. Where a later attempt finds the name taken, the
    /// content decides: the same bytes are this call's own, others are another's.</remarks>
    public async ValueTask<bool> TryCreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken, VaultAccessTier tier = VaultAccessTier.Hot)
    {
        bool doubtful = false;
        bool created = await ExecuteAsync(
            async token =>
            {
                try
                {
                    return await _inner.TryCreateAsync(name, content, token, tier).ConfigureAwait(false);
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
    public ValueTask<UnfinishedWrites> MeasureUnfinishedAsync(CancellationToken cancellationToken) => _inner.MeasureUnfinishedAsync(cancellationToken);

    /// <inheritdoc/>
    /// <remarks>A listing that broke off begins again, and leaves out what it has shown.</remarks>
    public IAsyncEnumerable<StoredObject> ListAsync(string prefix, CancellationToken cancellationToken) =>
        ListAsync(token => _inner.ListAsync(prefix, token), found => found.Name, cancellationToken);

    /// <inheritdoc/>
    public ValueTask DeleteAsync(string name, CancellationToken cancellationToken) =>
        new(ExecuteAsync(
            async token =>
            {
                await _inner.DeleteAsync(name, token).ConfigureAwait(false);
                return true;
            },
            cancellationToken).AsTask());

    private async IAsyncEnumerable<T> ListAsync<T>(
        Func<CancellationToken, IAsyncEnumerable<T>> list, Func<T, string> nameOf, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var shown = new HashSet<string>(StringComparer.Ordinal);
        var page = new List<T>(ListingPage);
        IAsyncEnumerator<T>? listing = null;
        bool isComplete = false;
        try
        {
            while (!isComplete)
            {
                isComplete = await ExecuteAsync(ReadPageAsync, cancellationToken).ConfigureAwait(false);
                foreach (T found in page)
                {
                    if (shown.Add(nameOf(found)))
                    {
                        yield return found;
                    }
                }
            }
        }
        finally
        {
            await CloseAsync().ConfigureAwait(false);
        }

        // True where the listing ended. Most objects come with others: a call for each would cost more than the listing itself.
        async ValueTask<bool> ReadPageAsync(CancellationToken token)
        {
            page.Clear();
            try
            {
                listing ??= list(token).GetAsyncEnumerator(token);
                while (page.Count < ListingPage)
                {
                    if (!await listing.MoveNextAsync().ConfigureAwait(false))
                    {
                        return true;
                    }

                    page.Add(listing.Current);
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

    private ResiliencePipeline CreateRetries() => new ResiliencePipelineBuilder { TimeProvider = _clock }
        .AddRetry(new RetryStrategyOptions
        {
            ShouldHandle = arguments => ValueTask.FromResult(arguments.Outcome.Exception is BackupException { IsTransient: true } && HasPatience(arguments.Context)),
            MaxRetryAttempts = int.MaxValue,
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
            Delay = _options.FirstWait,
            MaxDelay = _options.LongestWait,
            DelayGenerator = arguments => ValueTask.FromResult(AskedFor(arguments.Outcome.Exception)),
            OnRetry = arguments =>
            {
                Announce(new VaultWait(
                    arguments.AttemptNumber + 1,
                    arguments.RetryDelay,
                    _clock.GetUtcNow() + arguments.RetryDelay,
                    (BackupException)arguments.Outcome.Exception!));
                return ValueTask.CompletedTask;
            },
        })
        .Build();

    // Either may be the longer: other calls may have failed before this one began, or succeed where this one never does. What counts
    // is when the last attempt began: one that took long was no waiting, for what does not move is given up by the transport.
    private bool HasPatience(ResilienceContext context)
    {
        Trial trial = context.Properties.GetValue(_trial, defaultValue: null!);
        return _gate.AwayFor(trial.Began) < _options.Patience && _clock.GetElapsedTime(trial.FailingSince, trial.Began) < _options.Patience;
    }

    private TimeSpan? AskedFor(Exception? failure) => (failure as BackupException)?.RetryAfter is { } asked
        ? TimeSpan.FromTicks(Math.Clamp(asked.Ticks, 0, _options.LongestRequest.Ticks))
        : null;

    // One note for all calls that wait for the same. Timers tick in milliseconds, so a wait may end that much early.
    private void Announce(VaultWait wait)
    {
        VaultWait? known = _wait;
        _wait = wait;
        EngineTelemetry.Retries.Add(1, new KeyValuePair<string, object?>("error.type", wait.Cause.Id.ToString()));
        EngineEventSource.Log.VaultRetried(wait.Cause.Id.ToString(), wait.Attempt, wait.Cause.Message);
        if (known is null || known.Until <= _clock.GetUtcNow() + _tick)
        {
            _options.Waiting?.Invoke(wait);
        }
    }

    // The first attempt needs no pipeline: loading and compiling one takes longer than a whole small job, and nearly no job
    // needs it. What it failed with is the pipeline's first failure.
    private async ValueTask<T> ExecuteAsync<T>(Func<CancellationToken, ValueTask<T>> call, CancellationToken cancellationToken)
    {
        BackupException? first;
        var trial = new Trial();
        try
        {
            return await AttemptAsync(call, trial, cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException e) when (e.IsTransient)
        {
            first = e;
            trial.FailingSince = _clock.GetTimestamp();
        }

        return await RetryAsync(call, trial, first, cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<T> RetryAsync<T>(Func<CancellationToken, ValueTask<T>> call, Trial trial, BackupException failure, CancellationToken cancellationToken)
    {
        BackupException? first = failure;
        ResilienceContext context = ResilienceContextPool.Shared.Get(cancellationToken);
        try
        {
            context.Properties.Set(_trial, trial);
            return await _retries.Value.ExecuteAsync(
                context => Interlocked.Exchange(ref first, null) is { } known ? ValueTask.FromException<T>(known) : AttemptAsync(call, trial, context.CancellationToken),
                context).ConfigureAwait(false);
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    private async ValueTask<T> AttemptAsync<T>(Func<CancellationToken, ValueTask<T>> call, Trial trial, CancellationToken cancellationToken)
    {
        int round = await _gate.EnterAsync(cancellationToken).ConfigureAwait(false);
        trial.Began = _clock.GetTimestamp();
        try
        {
            T result = await call(cancellationToken).ConfigureAwait(false);
            Answered();
            return result;
        }
        catch (BackupException e) when (e.IsTransient)
        {
            _gate.LeaveRefused(round, AskedFor(e) ?? TimeSpan.Zero);
            throw;
        }
        catch (BackupException)
        {
            Answered();
            throw;
        }
        catch
        {
            _gate.Leave();
            throw;
        }
    }

    private void Answered()
    {
        _gate.LeaveAnswered();
        _wait = null;
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

    /// <summary>A call and its attempts, by the clock's timestamps.</summary>
    private sealed class Trial
    {
        /// <summary>When the first attempt failed.</summary>
        public long FailingSince { get; set; }

        /// <summary>When the last attempt began.</summary>
        public long Began { get; set; }
    }

    private sealed class ResilientLocks(ResilientVaultStore store, IObjectLocks inner) : IObjectLocks
    {
        public bool Expire => inner.Expire;

        public ValueTask<string?> FindObstacleAsync(CancellationToken cancellationToken) => store.ExecuteAsync(inner.FindObstacleAsync, cancellationToken);

        public IAsyncEnumerable<LockedObject> ListAsync(string prefix, CancellationToken cancellationToken) =>
            store.ListAsync(token => inner.ListAsync(prefix, token), found => found.Object.Name, cancellationToken);

        public ValueTask<ObjectLock?> ReadAsync(string name, CancellationToken cancellationToken) =>
            store.ExecuteAsync(token => inner.ReadAsync(name, token), cancellationToken);

        public async ValueTask LockAsync(string name, DateTimeOffset until, bool isFirm, CancellationToken cancellationToken) => await store.ExecuteAsync(
            async token =>
            {
                await inner.LockAsync(name, until, isFirm, token).ConfigureAwait(false);
                return true;
            },
            cancellationToken).ConfigureAwait(false);

        public ValueTask<bool> UnlockAsync(string name, CancellationToken cancellationToken) =>
            store.ExecuteAsync(token => inner.UnlockAsync(name, token), cancellationToken);

        public ValueTask<bool> ReleaseAsync(string name, CancellationToken cancellationToken) =>
            store.ExecuteAsync(token => inner.ReleaseAsync(name, token), cancellationToken);
    }

    private sealed class ResilientAccount(ResilientVaultStore store, IVaultAccount inner) : IVaultAccount
    {
        public ValueTask<VaultRedundancy?> ReadRedundancyAsync(CancellationToken cancellationToken) =>
            store.ExecuteAsync(inner.ReadRedundancyAsync, cancellationToken);

        public ValueTask<VaultRehydration> RehydrateAsync(bool urgently, CancellationToken cancellationToken) =>
            store.ExecuteAsync(token => inner.RehydrateAsync(urgently, token), cancellationToken);
    }
}

/// <summary>How a <see cref="ResilientVaultStore"/> retries. By default for a folder: for about a minute.</summary>
public sealed record VaultRetryOptions
{
    /// <summary>For a vault beyond this machine: a network that is away for a quarter of an hour ends no job.</summary>
    public static VaultRetryOptions Remote { get; } = new()
    {
        Patience = TimeSpan.FromMinutes(15),
        FirstWait = TimeSpan.FromSeconds(1),
        LongestWait = TimeSpan.FromSeconds(20),
    };

    /// <summary>For a vault that somebody waits for: with the last attempt, which may take as long as the transport lets it, within a minute.</summary>
    public static VaultRetryOptions Attended { get; } = new()
    {
        Patience = TimeSpan.FromSeconds(15),
        FirstWait = TimeSpan.FromSeconds(1),
        LongestWait = TimeSpan.FromSeconds(8),
        LongestRequest = TimeSpan.FromSeconds(15),
    };

    /// <summary>A call that is tried when the store has answered nobody, or not this call, for so long, and is refused, is given up.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>About how long the first wait is; each later one is about twice as long.</summary>
    public TimeSpan FirstWait { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How long a wait is at most, where the store does not ask for a longer one.</summary>
    public TimeSpan LongestWait { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How long a wait is at most that the store asks for; meanwhile no call is made.</summary>
    public TimeSpan LongestRequest { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Told when calls begin to wait, and again for each further wait; from any thread; must return quickly.</summary>
    public Action<VaultWait>? Waiting { get; init; }
}

/// <summary>A wait before a call on the vault is tried again.</summary>
/// <param name="Attempt">How many attempts have failed, from 1.</param>
/// <param name="Delay">How long the wait is.</param>
/// <param name="Until">When it ends (UTC). Where that has passed, the call is being tried.</param>
/// <param name="Cause">Why.</param>
public sealed record VaultWait(int Attempt, TimeSpan Delay, DateTimeOffset Until, BackupException Cause);
