using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Packs;

namespace MSOnlineBackup.Vaults.Stores;

/// <summary>A place for one pack that is being filled. Who holds the gate may use the rest.</summary>
/// <param name="kind">What packs there hold.</param>
/// <param name="buffers">What they are built in; its own from now on.</param>
internal sealed class OpenPack(PackKind kind, BufferPool buffers) : IDisposable
{
    private byte[] _buffer = [];

    /// <summary>Of who uses it.</summary>
    public SemaphoreSlim Gate { get; } = new(1);

    /// <summary>The pack; null where there is none.</summary>
    public PackBuilder? Builder { get; private set; }

    /// <summary>What it is built in.</summary>
    public ReadOnlySpan<byte> Content => _buffer;

    /// <summary>Begins a pack, where there is none.</summary>
    public async ValueTask<PackBuilder> BeginAsync(StoreKeys keys, CancellationToken cancellationToken)
    {
        if (Builder is null)
        {
            _buffer = await buffers.RentAsync(cancellationToken).ConfigureAwait(false);
            Builder = new PackBuilder(keys, kind, _buffer);
        }

        return Builder;
    }

    /// <summary>Sends the pack, where there is one.</summary>
    public ValueTask CloseAsync(PackUploader uploader, bool isFull)
    {
        if (Builder is not { } builder)
        {
            return ValueTask.CompletedTask;
        }

        byte[] buffer = _buffer;
        (Builder, _buffer) = (null, []);
        return uploader.SubmitAsync(builder, isFull, buffer, buffers);
    }

    /// <summary>Takes over what another open pack holds, where it fits.</summary>
    public void TakeOver(OpenPack other)
    {
        if (Builder!.TryTakeOver(other.Builder!))
        {
            other.Drop();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Builder?.Dispose();
        Gate.Dispose();
        buffers.Dispose();
    }

    private void Drop()
    {
        Builder!.Dispose();
        buffers.Return(_buffer);
        (Builder, _buffer) = (null, []);
    }
}
