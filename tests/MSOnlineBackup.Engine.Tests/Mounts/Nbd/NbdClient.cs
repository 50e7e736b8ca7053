using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Mounts.Nbd;

/// <summary>A client of NBD that says what a test wants it to.</summary>
internal sealed class NbdClient : IDisposable
{
    private readonly Socket _socket;

    private NbdClient(Socket socket)
    {
        _socket = socket;
        Stream = new NetworkStream(socket);
    }

    public NetworkStream Stream { get; }

    public static async Task<NbdClient> ConnectAsync(string address, CancellationToken cancellationToken, uint flags = 3)
    {
        EndPoint place = address.StartsWith("nbd+unix", StringComparison.Ordinal)
            ? new UnixDomainSocketEndPoint(address[(address.IndexOf('=', StringComparison.Ordinal) + 1)..])
            : new IPEndPoint(IPAddress.Loopback, new Uri(address).Port);
        var socket = new Socket(place.AddressFamily, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(place, cancellationToken);
        var client = new NbdClient(socket);
        byte[] greeting = await client.ReadAsync(18, cancellationToken);
        Assert.Equal("NBDMAGICIHAVEOPT"u8.ToArray(), greeting[..16]);
        Assert.Equal([0, 3], greeting[16..]);
        await client.WriteAsync(Number(flags), cancellationToken);
        return client;
    }

    public static byte[] Number(uint value) => [(byte)(value >> 24), (byte)(value >> 16), (byte)(value >> 8), (byte)value];

    public static byte[] Number(ulong value) => [.. Number((uint)(value >> 32)), .. Number((uint)value)];

    public static byte[] Text(string text) => [.. Number((uint)text.Length), .. Encoding.ASCII.GetBytes(text)];

    public async Task WriteAsync(byte[] bytes, CancellationToken cancellationToken) => await Stream.WriteAsync(bytes, cancellationToken);

    public async Task<byte[]> ReadAsync(int length, CancellationToken cancellationToken)
    {
        byte[] bytes = new byte[length];
        await Stream.ReadExactlyAsync(bytes, cancellationToken);
        return bytes;
    }

    /// <summary>Whether the server ends the connection without a word.</summary>
    public async Task<bool> IsEndedAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await Stream.ReadAsync(new byte[1], cancellationToken) == 0;
        }
        catch (IOException)
        {
            return true;
        }
    }

    /// <summary>Sends an option, and gives its answers up to the last.</summary>
    public async Task<List<(uint Type, byte[] Data)>> AskAsync(uint option, byte[] data, CancellationToken cancellationToken)
    {
        await WriteAsync([.. "IHAVEOPT"u8, .. Number(option), .. Number((uint)data.Length), .. data], cancellationToken);
        var answers = new List<(uint, byte[])>();
        while (true)
        {
            byte[] head = await ReadAsync(20, cancellationToken);
            Assert.Equal(0x0003e889045565a9UL, BinaryPrimitives.ReadUInt64BigEndian(head));
            Assert.Equal(option, BinaryPrimitives.ReadUInt32BigEndian(head.AsSpan(8)));
            uint type = BinaryPrimitives.ReadUInt32BigEndian(head.AsSpan(12));
            answers.Add((type, await ReadAsync((int)BinaryPrimitives.ReadUInt32BigEndian(head.AsSpan(16)), cancellationToken)));
            if (type == 1 || type > int.MaxValue)
            {
                return answers;
            }
        }
    }

    /// <summary>Chooses a disk.</summary>
    public async Task GoAsync(string name, bool isStructured, CancellationToken cancellationToken)
    {
        if (isStructured)
        {
            Assert.Equal(1U, (await AskAsync(8, [], cancellationToken)).Single().Type);
            Assert.Equal([4U, 1U], (await AskAsync(10, [.. Text(name), .. Number(1U), .. Text("base:allocation")], cancellationToken)).Select(answer => answer.Type));
        }

        Assert.Equal([3U, 1U], (await AskAsync(7, [.. Text(name), 0, 0], cancellationToken)).Select(answer => answer.Type));
    }

    public Task SendAsync(ushort command, ulong cookie, ulong offset, uint length, CancellationToken cancellationToken, ushort flags = 0) => WriteAsync(
        [.. Number(0x25609513U), (byte)(flags >> 8), (byte)flags, (byte)(command >> 8), (byte)command, .. Number(cookie), .. Number(offset), .. Number(length)], cancellationToken);

    /// <summary>A simple answer's error and cookie.</summary>
    public async Task<(uint Error, ulong Cookie)> ReadSimpleAsync(CancellationToken cancellationToken)
    {
        byte[] head = await ReadAsync(16, cancellationToken);
        Assert.Equal(0x67446698U, BinaryPrimitives.ReadUInt32BigEndian(head));
        return (BinaryPrimitives.ReadUInt32BigEndian(head.AsSpan(4)), BinaryPrimitives.ReadUInt64BigEndian(head.AsSpan(8)));
    }

    /// <summary>The parts of one structured answer.</summary>
    public async Task<List<(ushort Type, byte[] Data)>> ReadPartsAsync(ulong cookie, CancellationToken cancellationToken)
    {
        var parts = new List<(ushort, byte[])>();
        while (true)
        {
            byte[] head = await ReadAsync(20, cancellationToken);
            Assert.Equal(0x668e33efU, BinaryPrimitives.ReadUInt32BigEndian(head));
            Assert.Equal(cookie, BinaryPrimitives.ReadUInt64BigEndian(head.AsSpan(8)));
            parts.Add((BinaryPrimitives.ReadUInt16BigEndian(head.AsSpan(6)), await ReadAsync((int)BinaryPrimitives.ReadUInt32BigEndian(head.AsSpan(16)), cancellationToken)));
            if (head[5] == 1)
            {
                return parts;
            }
        }
    }

    public void Dispose()
    {
        Stream.Dispose();
        _socket.Dispose();
    }
}
