using System.Collections.Concurrent;

namespace MSOnlineBackup.Vaults.Stores;

/// <summary>A fixed number of equal buffers; a caller that wants one more waits. This bounds a backup's memory.</summary>
internal sealed class BufferPool(int count, int length) : IDisposable
{
    private readonly SemaphoreSlim _free = new(count);
    private readonly ConcurrentBag<byte[]> _buffers = [];

    public async ValueTask<byte[]> RentAsync(CancellationToken cancellationToken)
    {
        await _free.WaitAsync(cancellationToken).ConfigureAwait(false);
        return _buffers.TryTake(out byte[]? buffer) ? buffer : GC.AllocateUninitializedArray<byte>(length);
    }

    /// <summary>One that is free now; null where the caller would have to wait.</summary>
    public byte[]? TryRent() => !_free.Wait(0) ? null : _buffers.TryTake(out byte[]? buffer) ? buffer : GC.AllocateUninitializedArray<byte>(length);

    public void Return(byte[] buffer)
    {
        _buffers.Add(buffer);
        _free.Release();
    }

    public void Dispose() => _free.Dispose();
}
