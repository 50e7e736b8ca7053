using System.Security.Cryptography;
using System.Threading.Channels;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Index;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Engine.Backup;

/// <summary>
/// Opens a share of the content that a backup relies on without storing it: a random one, another in each run, so that a
/// damage is found while the sources still have what was damaged. Works beside the job.
/// </summary>
/// <remarks>
/// The share is bounded in bytes: a 128th of what was there before, but at least 4 and at most 16 MiB. Where one chunk does not open, all of
/// its pack is opened.
/// </remarks>
internal sealed class SpotCheck : IAsyncDisposable
{
    private const long MinBytes = 4 << 20;
    private const long MaxBytes = 16 << 20;
    private const int ShareOf = 128;
    private const int MaxAtOnce = 8;

    private readonly ChunkStore _store;
    private readonly bool _everything;
    private readonly ulong _salt = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong)));
    private readonly ulong _threshold;
    private readonly Lock _gate = new();
    private readonly HashSet<ChunkId> _taken = [];
    private readonly Channel<ChunkId> _queue = Channel.CreateUnbounded<ChunkId>(new UnboundedChannelOptions { SingleWriter = true, SingleReader = true });
    private readonly CancellationTokenSource _stop;
    private readonly Task _work;
    private long _left;
    private volatile bool _found;

    /// <param name="store">The store.</param>
    /// <param name="expected">How many bytes of content the job can be expected to rely on.</param>
    /// <param name="everything">Whether everything is read anew and nothing is believed: then all that is found known is opened.</param>
    /// <param name="giveUp">Ends it.</param>
    public SpotCheck(ChunkStore store, long expected, bool everything, CancellationToken giveUp)
    {
        _store = store;
        _everything = everything;
        _left = Math.Clamp(expected / ShareOf, MinBytes, MaxBytes);
        _threshold = expected <= _left ? ulong.MaxValue : (ulong)((double)_left / expected * ulong.MaxValue);
        _stop = CancellationTokenSource.CreateLinkedTokenSource(giveUp);
        _work = Task.Run(WorkAsync, CancellationToken.None);
    }

    /// <summary>Notes a chunk that is taken over; it may be opened later. One caller at a time.</summary>
    public void Consider(ChunkId chunk)
    {
        if (!_everything && TryTake(chunk))
        {
            _queue.Writer.TryWrite(chunk);
        }
    }

    /// <summary>Whether a chunk is to be opened before it is relied on; once for each. From any thread.</summary>
    public bool Doubts(ChunkId chunk) => TryTake(chunk);

    /// <summary>
    /// Waits for what is under way. True where the job relies on something that is not there: then <see cref="ChunkStore.Contains"/> tells what.
    /// </summary>
    public async Task<bool> FindLossAsync(CancellationToken cancellationToken)
    {
        _queue.Writer.TryComplete();
        await _work.ConfigureAwait(false);
        if (_store.DamagedPacks is { Count: > 0 } damaged)
        {
            IEnumerable<ChunkLocation> doubtful =
                _store.Index.All().Where(location => location.Chunk.Kind == ChunkKind.Content && damaged.Contains(location.Pack));
            foreach (ChunkLocation location in doubtful)
            {
                _found |= _store.Contains(location.Chunk.Id)
                    && !await _store.IsSoundAsync(ChunkKind.Content, location.Chunk.Id, cancellationToken).ConfigureAwait(false);
            }
        }

        return _found;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        _queue.Writer.TryComplete();
        await _work.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    // The same answer for a chunk however often it is met, but yes only once.
    private bool TryTake(ChunkId chunk)
    {
        if (!_everything && (unchecked(chunk.Prefix * 0x9E37_79B9_7F4A_7C15) ^ _salt) > _threshold)
        {
            return false;
        }

        int length = _store.Index.TryFind(chunk, out ChunkLocation location) ? location.Chunk.StoredLength : 0;
        lock (_gate)
        {
            if ((!_everything && _left <= 0) || !_taken.Add(chunk))
            {
                return false;
            }

            _left -= length;
            return true;
        }
    }

    private Task WorkAsync()
    {
        // Several at once, for the vault may be far away.
        var options =
            new ParallelOptions { MaxDegreeOfParallelism = Math.Min(MaxAtOnce, _store.Objects.Capabilities.MaxConcurrency), CancellationToken = _stop.Token };
        return Parallel.ForEachAsync(_queue.Reader.ReadAllAsync(_stop.Token), options, async (chunk, token) =>
        {
            if (!await _store.IsSoundAsync(ChunkKind.Content, chunk, token).ConfigureAwait(false))
            {
                _found = true;
            }
        });
    }
}
