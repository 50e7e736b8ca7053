using System.Threading.Channels;
using MSOnlineBackup.Vaults.Concurrency;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Engine.Restore;

/// <summary>
/// What the files of a restore need, as the walk meets them: gathered in batches, looked for at the target, and what is not there handed on to be fetched.
/// The next batch is gathered while one is looked for.
/// </summary>
/// <param name="store">Where contents are.</param>
/// <param name="job">The restore.</param>
/// <param name="workers">How many chunks are looked for at once.</param>
/// <param name="stages">Runs the looking, beside the walk.</param>
/// <param name="reads">Takes what is to be fetched.</param>
internal sealed class FileContents(ChunkStore store, RestoreJob job, int workers, StageGroup stages, ChannelWriter<PackRead> reads)
{
    private readonly EntryContentReader _contents = new(store);
    private readonly LocalContents _local = new(store, job.Target, workers);
    private readonly HardLinks<RestoreFile> _links = new();
    private readonly ReadBatch _batch = new(job.Target.MostOpenFiles);
    private Task _settling = Task.CompletedTask;

    /// <summary>Begins a file, or gives one that is begun a further name.</summary>
    public async ValueTask BeginFileAsync(RestoreItem item, CancellationToken cancellationToken)
    {
        if (_links.TryGetFirst(item.Entry, out RestoreFile? first))
        {
            first.AddLink(item);
            return;
        }

        var file = new RestoreFile(job, item);
        _links.Add(item.Entry, file);
        if (item.Placement == Placement.Same)
        {
            await file.ReleaseAsync(cancellationToken).ConfigureAwait(false);
            return;
        }

        try
        {
            await AddContentAsync(item.Entry.Content, file, cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException fault) when (fault.IsDamage)
        {
            file.Fail(fault);
        }

        await file.ReleaseAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>No further file comes: hands on what is still gathered.</summary>
    public async ValueTask CompleteAsync()
    {
        await SettleBatchAsync(isLast: true).ConfigureAwait(false);
        await _settling.ConfigureAwait(false);
    }

    private async ValueTask AddContentAsync(EntryContent content, RestoreFile file, CancellationToken cancellationToken)
    {
        _batch.BeginFile(content);
        long offset = 0;
        await foreach (ContentSlice slice in _contents.ReadAsync(content, cancellationToken).ConfigureAwait(false))
        {
            if (slice.Chunk is { } chunk)
            {
                file.Expect();
                _batch.Add(chunk, new ChunkUse(file, offset, slice.Offset, (int)slice.Length));
            }
            else if (file.IsCompared)
            {
                file.SkipHole(offset, slice.Length);
            }

            if (_batch.IsFull)
            {
                await SettleBatchAsync(isLast: false).ConfigureAwait(false);
            }

            offset += slice.Length;
        }
    }

    private async ValueTask SettleBatchAsync(bool isLast)
    {
        await _settling.ConfigureAwait(false);
        IReadOnlyList<NeededChunk> chunks = _batch.Take(isLast);
        _settling = stages.RunAsync(stopping => SettleAsync(chunks, stopping));
    }

    private async Task SettleAsync(IReadOnlyList<NeededChunk> chunks, CancellationToken stopping)
    {
        IReadOnlyCollection<NeededChunk> absent = await _local.TakeAsync(chunks, stopping).ConfigureAwait(false);
        foreach (PackRead read in await ReadBatch.GroupAsync(absent, store, stopping).ConfigureAwait(false))
        {
            await reads.WriteAsync(read, stopping).ConfigureAwait(false);
        }
    }
}
