using System.Threading.Channels;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Engine.Backup;

/// <summary>Drafts to manifest: waits for the names that the reader promised, in order, and writes the entries.</summary>
/// <param name="chunks">Takes the blocks.</param>
/// <param name="boundaryKey">Decides where blocks are cut.</param>
/// <param name="checkpoint">Given the manifest so far at every checkpoint; runs while the stage goes on.</param>
internal sealed class ManifestStage(ChunkWriter chunks, ReadOnlyMemory<byte> boundaryKey, Func<ManifestRoot, Task> checkpoint)
{
    private readonly ManifestWriter _manifest = new(chunks, boundaryKey.Span);
    private readonly EntryContentWriter _content = new(chunks);
    private Task _checkpoint = Task.CompletedTask;

    public async Task<ManifestRoot> RunAsync(ChannelReader<Draft> drafts, CancellationToken cancellationToken)
    {
        try
        {
            await WriteAsync(drafts, cancellationToken).ConfigureAwait(false);
            await _checkpoint.ConfigureAwait(false);
            return await _manifest.CompleteAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            // Nothing of this stage may outlive it; where the checkpoint failed, the exception above has said so or is the cause.
            await _checkpoint.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task WriteAsync(ChannelReader<Draft> drafts, CancellationToken cancellationToken)
    {
        await foreach (Draft draft in drafts.ReadAllAsync(cancellationToken).ConfigureAwait(false))
        {
            switch (draft)
            {
                case Draft.Complete complete:
                    await _manifest.AddAsync(WithStreams(complete.Entry, draft), cancellationToken).ConfigureAwait(false);
                    break;
                case Draft.Bundled small:
                    ChunkId bundle = await small.Bundle.WaitAsync(cancellationToken).ConfigureAwait(false);
                    var slice = new ContentSlice(bundle, small.Offset, small.Entry.Size);
                    await _manifest.AddAsync(WithStreams(small.Entry, draft) with { Content = new EntryContent([slice], []) }, cancellationToken).ConfigureAwait(false);
                    break;
                case Draft.Linked linked:
                    EntryContent content = await linked.Content.WaitAsync(cancellationToken).ConfigureAwait(false);
                    await _manifest.AddAsync(WithStreams(linked.Entry, draft) with { Content = content }, cancellationToken).ConfigureAwait(false);
                    break;
                case Draft.FileChunk chunk:
                    ChunkId id = await chunk.Chunk.WaitAsync(cancellationToken).ConfigureAwait(false);
                    await _content.AddAsync(new ContentSlice(id, 0, chunk.Length), cancellationToken).ConfigureAwait(false);
                    break;
                case Draft.FileSlice known:
                    await _content.AddAsync(known.Slice, cancellationToken).ConfigureAwait(false);
                    break;
                case Draft.FileList list:
                    await _content.AddListAsync(list.Reference, list.Slices, cancellationToken).ConfigureAwait(false);
                    list.UnderWay.TryRead(out _);
                    break;
                case Draft.FileEnd end:
                    EntryContent whole = await _content.ToContentAsync(cancellationToken).ConfigureAwait(false);
                    _content.Reset();
                    end.Content?.SetResult(whole);
                    await _manifest.AddAsync(WithStreams(end.Entry, draft) with { Content = whole }, cancellationToken).ConfigureAwait(false);
                    break;
                case Draft.StreamEnd { Stream: { } stream }:
                    EntryContent lists = await _content.ToListsAsync(cancellationToken).ConfigureAwait(false);
                    _content.Reset();
                    stream.Attribute = new ItemContent(stream.Name, lists).ToAttribute();
                    break;
                case Draft.FileGivenUp:
                    _content.Reset();
                    break;
                case Draft.Checkpoint mark:
                    await CheckpointAsync(mark.Current, cancellationToken).ConfigureAwait(false);
                    break;
            }
        }
    }

    // They come in the order of their names.
    private static ManifestEntry WithStreams(ManifestEntry entry, Draft draft) => draft.Streams.Count == 0
        ? entry
        : entry with { Attributes = [.. entry.Attributes.Concat(draft.Streams.Select(stream => stream.Attribute!.Value)).OrderBy(attribute => attribute.Tag)] };

    private async Task CheckpointAsync(ManifestEntry? current, CancellationToken cancellationToken)
    {
        // One at a time, and its failure is the job's.
        await _checkpoint.ConfigureAwait(false);
        if (current is not null)
        {
            EntryContent soFar = await _content.ToContentAsync(cancellationToken).ConfigureAwait(false);
            current = current with { Content = soFar, Flags = current.Flags | EntryFlags.Partial };
        }

        ManifestRoot root = await _manifest.CheckpointAsync(current, cancellationToken).ConfigureAwait(false);
        _checkpoint = checkpoint(root);
    }
}
