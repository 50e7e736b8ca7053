using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Storage.Azure.Transport;

/// <summary>
/// A connection whose bytes pass at the pace of a <see cref="Bandwidth"/>, both ways. It lies below TLS, so that what is counted is what
/// is on the wire. What is sent waits before; what is received waits after, and TCP slows the sender.
/// </summary>
internal sealed class PacedStream(Stream inner, Bandwidth bandwidth) : WireStream(inner)
{
    // Taking more at once would leave the line still for long, at a low limit.
    private const int LongestRead = 1 << 16;

    /// <inheritdoc/>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Memory<byte> part = buffer.Length > LongestRead && bandwidth.Limit is not null ? buffer[..LongestRead] : buffer;
        int read = await Inner.ReadAsync(part, cancellationToken).ConfigureAwait(false);
        await bandwidth.PassAsync(read, cancellationToken).ConfigureAwait(false);
        return read;
    }

    /// <inheritdoc/>
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (buffer.Length > 0)
        {
            int granted = await bandwidth.TakeAsync(buffer.Length, cancellationToken).ConfigureAwait(false);
            await Inner.WriteAsync(buffer[..granted], cancellationToken).ConfigureAwait(false);
            buffer = buffer[granted..];
        }
    }
}
