using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Copies;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Packs;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Engine.Backup;

/// <summary>
/// Brings to a twin what a job stores in its vault, while it is at hand: sealed anew, and neither read nor compressed a second time. It takes what the twin has room for, and holds
/// nobody up; a copy that is made before it ends brings whatever is left, and the points.
/// </summary>
internal sealed class TwinFeed : IChunkTap, IAsyncDisposable
{
    private readonly UnlockedVault _vault;
    private readonly Func<CancellationToken, Task<UnlockedVault>> _open;
    private readonly CancellationToken _giveUp;
    private readonly Task _beginning;
    private UnlockedVault? _twin;
    private volatile CopySession? _session;
    private long _bytes;

    private TwinFeed(UnlockedVault vault, Func<CancellationToken, Task<UnlockedVault>> open, CancellationToken stop, CancellationToken giveUp)
    {
        (_vault, _open, _giveUp) = (vault, open, giveUp);
        _beginning = Task.Run(() => BeginAsync(stop), CancellationToken.None);
    }

    /// <summary>Ends when it can take something, or never will; never with an error.</summary>
    public Task Beginning => _beginning.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

    /// <summary>Bytes that it took, as they are stored.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Begins, and returns at once: a twin that is away keeps no job from beginning.</summary>
    /// <param name="vault">The vault.</param>
    /// <param name="open">Opens the twin, which is the feed's from then on.</param>
    /// <param name="stop">Stops it; what is under way is finished.</param>
    /// <param name="giveUp">Ends what is under way.</param>
    public static TwinFeed Begin(UnlockedVault vault, Func<CancellationToken, Task<UnlockedVault>> open, CancellationToken stop, CancellationToken giveUp) =>
        new(vault, open, stop, giveUp);

    /// <inheritdoc/>
    public void Offer(PackedChunk chunk, ReadOnlySpan<byte> encoded)
    {
        if (_session?.Chunks.TryCopy(chunk, encoded) == true)
        {
            Interlocked.Add(ref _bytes, chunk.StoredLength);
        }
    }

    /// <summary>Copies points of the vault: what it took is there, and is not read again.</summary>
    /// <param name="request">Which points.</param>
    /// <param name="stop">Stops it.</param>
    /// <exception cref="BackupException">Those of opening the twin, which is tried once more where that failed, and of <see cref="UnlockedVault.CopyToAsync"/>.</exception>
    public async Task<VaultCopyReport> CopyAsync(VaultCopyRequest request, CancellationToken stop)
    {
        try
        {
            await _beginning.ConfigureAwait(false);
            await _session!.FlushAsync(stop).ConfigureAwait(false);
        }
        catch (Exception e) when (e is BackupException or OperationCanceledException)
        {
            // What it took may be lost, and is copied. What is wrong with the twin, the copy meets and tells.
        }

        _twin ??= await OpenAsync(stop).ConfigureAwait(false);
        return await _vault.CopyToAsync(_twin, request, new JobMonitor(), stop).ConfigureAwait(false);
    }

    /// <summary>Says that nothing more comes, as far as the twin takes that. Once the points are there: until then maintenance waits for it.</summary>
    public async ValueTask DisposeAsync()
    {
        await Beginning.ConfigureAwait(false);
        if (_session is { } session)
        {
            // Whatever is under way arrives first: after the end nothing may be written.
            _session = null;
            await session.DisposeAsync().ConfigureAwait(false);
            await session.TryEndAsync(new OperationCanceledException()).ConfigureAwait(false);
        }

        _twin?.Dispose();
    }

    private async Task BeginAsync(CancellationToken stop)
    {
        _twin = await OpenAsync(stop).ConfigureAwait(false);
        _session = await CopySession.BeginAsync(_twin.WithoutIndex, _twin.Options, new TransferCounters(), isThrifty: true, stop, _giveUp).ConfigureAwait(false);
    }

    private async Task<UnlockedVault> OpenAsync(CancellationToken stop)
    {
        UnlockedVault twin = await _open(stop).ConfigureAwait(false);
        try
        {
            _vault.RequireTwin(twin);
            return twin;
        }
        catch
        {
            twin.Dispose();
            throw;
        }
    }
}
