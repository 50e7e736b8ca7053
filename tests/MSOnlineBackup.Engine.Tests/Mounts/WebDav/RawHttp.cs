using System.Net.Sockets;
using System.Text;

namespace MSOnlineBackup.Engine.Tests.Mounts.WebDav;

/// <summary>A connection on which a test says what it likes, also what no client would.</summary>
internal sealed class RawHttp : IDisposable
{
    private readonly TcpClient _client = new();
    private NetworkStream? _stream;

    private RawHttp()
    {
    }

    // The client itself gives none of a connection that is half closed.
    public NetworkStream Stream => _stream ??= _client.GetStream();

    public static async Task<RawHttp> ConnectAsync(Uri address, CancellationToken cancellationToken)
    {
        var http = new RawHttp();
        await http._client.ConnectAsync("127.0.0.1", address.Port, cancellationToken);
        return http;
    }

    /// <summary>Says something on a connection of its own, and gives all that comes until the server ends it.</summary>
    public static async Task<string> AskAsync(Uri address, string said, CancellationToken cancellationToken)
    {
        using RawHttp http = await ConnectAsync(address, cancellationToken);
        await http.Stream.WriteAsync(Encoding.Latin1.GetBytes(said), cancellationToken);
        http._client.Client.Shutdown(SocketShutdown.Send);
        return await http.ReadToEndAsync(cancellationToken);
    }

    public async Task<string> ReadToEndAsync(CancellationToken cancellationToken)
    {
        var all = new MemoryStream();
        try
        {
            await Stream.CopyToAsync(all, cancellationToken);
        }
        catch (IOException)
        {
            // Cut: what came before is what there is.
        }

        return Encoding.Latin1.GetString(all.ToArray());
    }

    public void Dispose() => _client.Dispose();
}
