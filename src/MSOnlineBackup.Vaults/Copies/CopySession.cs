using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Stores;
using MSOnlineBackup.Vaults.Versioning;

namespace MSOnlineBackup.Vaults.Copies;

/// <summary>
/// What a copy is to the twin: a session that is announced, and a writer. Maintenance there waits for it, as for a backup. It has no machine, for it makes points of many, and none
/// under its own id.
/// </summary>
internal sealed class CopySession : IAsyncDisposable
{
    // Far less than the day of silence after which maintenance takes a session for dead.
    private static readonly TimeSpan _fresh = TimeSpan.FromHours(1);

    // Each seal of the source is opened anyway; of those that are made, as many are opened again as of a backup.
    private const int VerifyOneIn = 16;

    private readonly SessionAnnouncement _announcement;
    private readonly WriteSession _session;
    private readonly TimeProvider _clock;
    private readonly DateTimeOffset _announced;

    private CopySession(ChunkStore store, SessionAnnouncement announcement, WriteSession session, TimeProvider clock) =>
        (Store, _announcement, _session, _clock, _announced) = (store, announcement, session, clock, announcement.Started);

    /// <summary>The twin's chunk store, as it was when the session had been announced.</summary>
    public ChunkStore Store { get; }

    /// <summary>Takes chunks.</summary>
    public ChunkWriter Chunks => _session.Chunks;

    /// <summary>Whether it was announced so lately that nobody can take it for dead.</summary>
    public bool IsFresh => _clock.GetUtcNow() - _announced is var age && age >= TimeSpan.Zero && age < _fresh;

    /// <summary>Announces a session, then looks at what is there.</summary>
    /// <param name="open">Gives the twin's chunk store anew: nothing of it read.</param>
    /// <param name="options">Clock and workers.</param>
    /// <param name="counters">Counts what is sent.</param>
    /// <param name="isThrifty">Whether it takes as little memory as it can.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <param name="giveUp">Ends what is under way, once it has begun; by itself that is finished.</param>
    public static async Task<CopySession> BeginAsync(
        Func<ChunkStore> open, VaultOptions options, TransferCounters counters, bool isThrifty, CancellationToken cancellationToken, CancellationToken giveUp = default)
    {
        ChunkStore store = open();
        TimeProvider clock = options.TimeProvider;
        var announcement = new SessionAnnouncement(store, new SessionRecord { MachineId = null, Started = clock.GetUtcNow(), AgentVersion = Product.Version, IsCopy = true });
        try
        {
            Task<VaultSettings> reading = WriteSession.ReadSettingsAsync(store, cancellationToken);
            SessionId id = await WriteSession.AnnounceAsync(
                store, announcement, SessionOrder.FindHighestAsync(store, cancellationToken), store.ReadIndexAsync(cancellationToken), cancellationToken).ConfigureAwait(false);
            VaultSettings settings = await reading.ConfigureAwait(false);
            return SubscriptionErrors.OfBackup(settings.Subscription, store.Objects.Location) is { } refusal
                ? throw refusal
                : new CopySession(
                    store, announcement, new WriteSession(store, announcement, id, settings.AccessTier, counters, options.Workers, VerifyOneIn, giveUp, isThrifty: isThrifty), clock);
        }
        catch (Exception e)
        {
            _ = await announcement.TryEndAsync(e, clock).ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Makes everything that was handed over durable and indexed.</summary>
    public Task FlushAsync(CancellationToken cancellationToken) => _session.FlushAsync(cancellationToken);

    /// <summary>Whether maintenance has taken it for dead: then packs may be deleted that it relied on.</summary>
    public async Task<bool> WasShutOutAsync(CancellationToken cancellationToken) =>
        await Store.Objects.StatAsync(VaultLayout.SessionEnd(Store.StoreId, _session.Id), cancellationToken).ConfigureAwait(false) is not null;

    /// <summary>Flushes, and says that nothing more comes.</summary>
    public async Task EndAsync(CancellationToken cancellationToken)
    {
        await FlushAsync(cancellationToken).ConfigureAwait(false);
        await _announcement.EndAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Says after a failure that nothing more comes, as far as the twin takes that; else its maintenance finds out.</summary>
    public async Task TryEndAsync(Exception failure) => _ = await _announcement.TryEndAsync(failure, _clock).ConfigureAwait(false);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _session.DisposeAsync();
}
