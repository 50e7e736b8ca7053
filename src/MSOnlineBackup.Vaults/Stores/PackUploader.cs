using System.Threading.Channels;
using MSOnlineBackup.Vaults.Concurrency;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Packs;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Vaults.Stores;

/// <summary>Sends full packs to the vault, and puts them into the index once they are there. One waits; whoever brings another waits, too.</summary>
/// <param name="store">The store.</param>
/// <param name="session">The session's id.</param>
/// <param name="contentTier">Where packs of content go; all others are hot.</param>
/// <param name="counters">Counts.</param>
/// <param name="stages">Runs it; what fails, fails all.</param>
internal sealed class PackUploader(ChunkStore store, SessionId session, VaultAccessTier contentTier, TransferCounters counters, StageGroup stages)
{
    private readonly Channel<FullPack> _packs = Channel.CreateBounded<FullPack>(new BoundedChannelOptions(1) { SingleWriter = false });
    private readonly Watermark _uploading = new();
    private uint _lastPack;

    /// <summary>Takes what was in an open pack. The builder and the buffer are the uploader's from now on, whatever comes of it.</summary>
    /// <param name="builder">The pack.</param>
    /// <param name="isFull">Whether nothing more fits.</param>
    /// <param name="buffer">What it is built in.</param>
    /// <param name="buffers">Gets that back.</param>
    public async ValueTask SubmitAsync(PackBuilder builder, bool isFull, byte[] buffer, BufferPool buffers)
    {
        var pack = new FullPack(builder, isFull, buffer, buffers, Interlocked.Increment(ref _lastPack), _uploading.Begin());
        try
        {
            await _packs.Writer.WriteAsync(pack, stages.Stopping).ConfigureAwait(false);
        }
        catch
        {
            Finish(pack);
            throw;
        }
    }

    /// <summary>Says that no more packs come.</summary>
    public void Complete() => _packs.Writer.TryComplete();

    /// <summary>Waits for what was brought before the call.</summary>
    public Task WhenSentAsync() => _uploading.WhenEndedAsync();

    /// <summary>Sends until no more packs come. To the end even where it is stopped: what was brought is given back.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        await foreach (FullPack pack in _packs.Reader.ReadAllAsync(CancellationToken.None).ConfigureAwait(false))
        {
            try
            {
                stopping.ThrowIfCancellationRequested();
                await SendAsync(pack, stopping).ConfigureAwait(false);
            }
            catch (Exception e)
            {
                stages.Fail(e);
            }
            finally
            {
                Finish(pack);
            }
        }
    }

    private async ValueTask SendAsync(FullPack pack, CancellationToken stopping)
    {
        ReadOnlyMemory<byte> content = pack.Builder.Finish(pack.IsFull);
        string name = VaultLayout.Pack(store.StoreId, session, pack.Number);
        VaultAccessTier tier = pack.Builder.Kind == PackKind.Data ? contentTier : VaultAccessTier.Hot;
        if (!await store.Objects.TryCreateAsync(name, content, stopping, tier).ConfigureAwait(false))
        {
            throw new BackupException(
                BackupErrorId.VaultExists,
                $"Object '{name}' already exists, though its name should be new.",
                "Run the backup again; if this repeats, something else writes into the vault.",
                name);
        }

        counters.AddStored(content.Length);
        store.Index.AddPack(
            new PackInfo(session, pack.Number, pack.Builder.Kind, content.Length, pack.Builder.Salt, store.Keys.Epoch), pack.Builder.Chunks);
    }

    private void Finish(FullPack pack)
    {
        pack.Builder.Dispose();
        pack.Buffers.Return(pack.Buffer);
        _uploading.End(pack.Ticket);
    }

    private sealed record FullPack(PackBuilder Builder, bool IsFull, byte[] Buffer, BufferPool Buffers, uint Number, long Ticket);
}
