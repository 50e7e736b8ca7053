using System.Globalization;
using System.Net;
using MSOnlineBackup.Engine.Views;
using MSOnlineBackup.Mounts.Serving;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Mounts.WebDav;

/// <summary>How a view is served by WebDAV.</summary>
public sealed record WebDavOptions
{
    /// <summary>The port of 127.0.0.1; 0 for one that is free.</summary>
    public int Port { get; init; }

    /// <summary>Whether the view is one of all points: links of a point then stay within it.</summary>
    public bool IsOfAllPoints { get; init; }

    /// <summary>Is told of what of the vault cannot be read (<see cref="BackupException"/>), and of bugs; from any thread.</summary>
    public Action<Exception> Report { get; init; } = static _ => { };

    /// <summary>What the secret ends with, for those who know servers by it; empty for nothing.</summary>
    public string Label { get; init; } = "";

    /// <summary>What time it is.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>How long clients may take.</summary>
    internal HttpTimes Times { get; init; } = new();
}

/// <summary>
/// A view as a folder of the network, for this machine's programs alone: they need the secret that stands in the address. It is only read. Memory is bounded, whatever
/// clients say and however large folders and files are.
/// </summary>
public sealed class WebDavServer : IAsyncDisposable
{
    private const int MostConnections = 64;

    private readonly ConnectionListener _listener;
    private readonly UseClock _use;

    private WebDavServer(ConnectionListener listener, string secret, UseClock use)
    {
        (_listener, _use) = (listener, use);
        Secret = secret;
        Root = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{((IPEndPoint)listener.Address).Port}/"));
        Address = new Uri(Root, secret + "/");
    }

    /// <summary>The address, with the secret in it.</summary>
    public Uri Address { get; }

    /// <summary>The address for those who say the secret as a password.</summary>
    public Uri Root { get; }

    /// <summary>What clients must know.</summary>
    public string Secret { get; }

    /// <summary>For how long nobody has asked for anything.</summary>
    public TimeSpan Idle => _use.Idle;

    /// <summary>Begins to serve. The view must live longer.</summary>
    /// <exception cref="BackupException">ServerAddressTaken, ServerAddressRefused.</exception>
    public static WebDavServer Start(IItemView view, WebDavOptions options)
    {
        ArgumentNullException.ThrowIfNull(view);
        ArgumentNullException.ThrowIfNull(options);
        var secret = new Secret(Serving.Secret.Create().Text + options.Label);
        var use = new UseClock(options.Clock);
        var handler = new WebDavHandler(new ServedTree(view, options.IsOfAllPoints), new WebDavAccess(secret), options.Report);
        var connection = new HttpConnection(Answer, options.Report, options.Times, options.Clock);
        return new WebDavServer(ConnectionListener.OnPort(options.Port, MostConnections, connection.ServeAsync, options.Report), secret.Text, use);

        Task Answer(HttpExchange exchange, CancellationToken cancellationToken)
        {
            use.Note();
            return handler.AnswerAsync(exchange, cancellationToken);
        }
    }

    /// <summary>Ends all connections, and returns when they have ended.</summary>
    public ValueTask DisposeAsync() => _listener.DisposeAsync();
}
