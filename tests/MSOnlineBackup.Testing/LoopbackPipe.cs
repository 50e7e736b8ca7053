using System.Net;
using System.Net.Sockets;
using MSOnlineBackup.Vaults.Pipes;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Testing;

/// <summary>A pipe to a server in the same process, over the loopback interface. Streams may be put around the server's ends.</summary>
public sealed class LoopbackPipe : VaultPipe
{
    private readonly NetworkStream _stream;

    private LoopbackPipe(NetworkStream stream, Task serving) => (_stream, Serving) = (stream, serving);

    /// <summary>Ends when the server has; fails as it does.</summary>
    public Task Serving { get; }

    public override Stream Incoming => _stream;

    public override Stream Outgoing => _stream;

    /// <summary>A store that is asked over such a pipe.</summary>
    public static PipedVaultStore StoreOver(IVaultStore store, Func<IVaultStore, CancellationToken, Task<PipeAccess>>? admit = null) =>
        new(store.Location, async stop => await OpenAsync(store, admit, stop: stop));

    /// <summary>Connects to a server that is started for it.</summary>
    /// <param name="store">What it serves.</param>
    /// <param name="admit">What the peer may do; everything unless given.</param>
    /// <param name="incoming">Around what the server receives.</param>
    /// <param name="outgoing">Around what it sends.</param>
    /// <param name="stop">Ends the connecting.</param>
    public static async Task<LoopbackPipe> OpenAsync(
        IVaultStore store,
        Func<IVaultStore, CancellationToken, Task<PipeAccess>>? admit = null,
        Func<Stream, Stream>? incoming = null,
        Func<Stream, Stream>? outgoing = null,
        CancellationToken stop = default)
    {
        (NetworkStream near, NetworkStream far) = await ConnectAsync(stop);
        return new LoopbackPipe(near, Task.Run(() => ServeAsync(store, admit, far, incoming, outgoing), CancellationToken.None));
    }

    /// <summary>Two ends of a connection.</summary>
    public static async Task<(NetworkStream Near, NetworkStream Far)> ConnectAsync(CancellationToken stop)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var near = new Socket(SocketType.Stream, ProtocolType.Tcp);
        Task<Socket> accepted = listener.AcceptSocketAsync(stop).AsTask();
        await near.ConnectAsync(listener.LocalEndpoint, stop);
        return (new NetworkStream(near, ownsSocket: true), new NetworkStream(await accepted, ownsSocket: true));
    }

    protected override void Dispose(bool disposing) => _stream.Dispose();

    private static async Task ServeAsync(
        IVaultStore store,
        Func<IVaultStore, CancellationToken, Task<PipeAccess>>? admit,
        NetworkStream far,
        Func<Stream, Stream>? incoming,
        Func<Stream, Stream>? outgoing)
    {
        await using (far)
        {
            await PipedVaultServer.ServeAsync(
                _ => store,
                admit ?? ((_, _) => Task.FromResult(PipeAccess.Unlimited)),
                incoming is null ? far : incoming(far),
                outgoing is null ? far : outgoing(far),
                CancellationToken.None);
        }
    }
}

/// <summary>A stream that breaks, in both directions, after so many bytes have passed it.</summary>
public sealed class CutStream(Stream inner, long after) : Stream
{
    private long _left = after;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>How many bytes have passed.</summary>
    public long Passed { get; private set; }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        int read = await inner.ReadAsync(buffer[..(int)Math.Min(buffer.Length, Math.Max(1, _left))], cancellationToken);
        Pass(read);
        return read;
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        ReadOnlyMemory<byte> first = buffer[..(int)Math.Min(buffer.Length, _left)];
        await inner.WriteAsync(first, cancellationToken);
        Pass(first.Length);
        if (first.Length < buffer.Length)
        {
            await inner.DisposeAsync();
            throw new IOException("cut");
        }
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

    public override void Flush() => inner.Flush();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    private void Pass(int count)
    {
        if (count > _left)
        {
            inner.Dispose();
            throw new IOException("cut");
        }

        _left -= count;
        Passed += count;
    }
}
