using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Versioning;

namespace MSOnlineBackup.Vaults.Stores;

/// <summary>
/// Says in the vault that somebody reads for long, so that no collection deletes what was there when that began, whatever becomes of recovery points meanwhile: a collection
/// waits for every session that is under way. Maintenance takes one that has shown no sign of life for long for dead.
/// </summary>
internal sealed class ReadingSession : IAsyncDisposable
{
    private readonly SessionAnnouncement _announcement;

    private readonly TimeProvider _clock;

    private ReadingSession(SessionAnnouncement announcement, TimeProvider clock) => (_announcement, _clock) = (announcement, clock);

    /// <summary>Announces it.</summary>
    /// <param name="store">The store; its index need not be read.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">VaultAccessDenied: who may only read announces nothing; VaultFull, VaultUnreachable, …</exception>
    public static async Task<ReadingSession> BeginAsync(ChunkStore store, CancellationToken cancellationToken)
    {
        TimeProvider clock = store.Vault.Options.TimeProvider;
        var announcement = new SessionAnnouncement(store, new SessionRecord { MachineId = null, Started = clock.GetUtcNow(), AgentVersion = Product.Version });
        await announcement.AnnounceAsync(await SessionOrder.FindHighestAsync(store, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
        return new ReadingSession(announcement, clock);
    }

    /// <summary>Says that it is over. Where the vault is away, the next maintenance finds out by itself.</summary>
    public async ValueTask DisposeAsync() => _ = await _announcement.TryEndAsync(new OperationCanceledException(), _clock).ConfigureAwait(false);
}
