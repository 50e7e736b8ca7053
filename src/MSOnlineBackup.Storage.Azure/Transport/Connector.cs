using System.Net;
using System.Net.Sockets;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Storage.Azure.Transport;

/// <summary>Makes the connections: to the vault, or to the proxy, which resolves the vault's name itself.</summary>
internal sealed class Connector(VaultConnection connection, TransportOptions options)
{
    /// <summary>Resolves, checks and connects; tries each address.</summary>
    /// <exception cref="BackupException">PublicAddressRefused; nothing has been sent.</exception>
    /// <exception cref="SocketException">The name has no address, or none of them can be reached.</exception>
    public async ValueTask<Stream> ConnectAsync(DnsEndPoint endPoint, CancellationToken cancellationToken)
    {
        IPAddress[] addresses = IPAddress.TryParse(endPoint.Host, out IPAddress? literal)
            ? [literal]
            : await options.ResolveAsync(endPoint.Host, cancellationToken).ConfigureAwait(false);
        if (connection.RequiresPrivateEndpoint)
        {
            addresses = PrivateOnes(endPoint.Host, addresses);
        }

        var failure = new SocketException((int)SocketError.HostNotFound);
        foreach (IPAddress address in addresses)
        {
            try
            {
                return Wrap(await ConnectAsync(new IPEndPoint(address, endPoint.Port), cancellationToken).ConfigureAwait(false), endPoint);
            }
            catch (SocketException e)
            {
                failure = e;
            }
        }

        throw failure;
    }

    private static IPAddress[] PrivateOnes(string host, IPAddress[] addresses)
    {
        IPAddress[] allowed = [.. addresses.Where(PrivateAddress.Contains)];
        return allowed.Length > 0 || addresses.Length == 0 ? allowed : throw new BackupException(
            BackupErrorId.PublicAddressRefused,
            $"'{host}' has public addresses only ({string.Join(", ", addresses.Select(address => address.ToString()))}), "
                + "but this vault may only be reached over private ones. Nothing was sent.",
            "Check that this machine resolves the name by the private DNS zone of the endpoint ('privatelink...'), or allow public addresses for this vault.",
            host);
    }

    private async ValueTask<NetworkStream> ConnectAsync(IPEndPoint endPoint, CancellationToken cancellationToken)
    {
        // By the real clock: a test's clock that skips waits would end every attempt at once.
        using var patience = new CancellationTokenSource(options.ConnectLimit);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.NoDelay = true;
            await socket.ConnectAsync(endPoint, either.Token).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            socket.Dispose();
            throw new SocketException((int)SocketError.TimedOut);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private Stream Wrap(Stream stream, DnsEndPoint endPoint)
    {
        Stream guarded = new StallGuardedStream(stream, endPoint.Host, options.StallLimit, connection.TimeProvider);
        return connection.Bandwidth is { } bandwidth ? new PacedStream(guarded, bandwidth) : guarded;
    }
}
