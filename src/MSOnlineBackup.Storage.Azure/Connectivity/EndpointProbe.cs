using System.Net;
using System.Net.Sockets;
using MSOnlineBackup.Storage.Azure.Transport;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Storage.Azure.Connectivity;

/// <summary>
/// Tries one endpoint, layer by layer, over the very transport that jobs use, so that what it finds is what they would meet.
/// Nothing of the vault, and no credential but the proxy's, is sent before the authorisation is tried.
/// </summary>
/// <param name="connection">How the vault is reached, and the clock.</param>
/// <param name="options">Parts of the system that tests replace.</param>
/// <param name="limit">How long the endpoint may take to answer.</param>
internal sealed class EndpointProbe(VaultConnection connection, TransportOptions options, TimeSpan limit)
{
    private static readonly TimeSpan _tolerableSkew = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan _fatalSkew = TimeSpan.FromMinutes(15);

    /// <summary>Tries it. What fails is in the report.</summary>
    /// <param name="endpoint">Which.</param>
    /// <param name="authorise">Reads something of the vault, and throws what a job would; null where the endpoint authorises nobody.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task<EndpointReport> RunAsync(RequiredEndpoint endpoint, Func<CancellationToken, Task>? authorise, CancellationToken cancellationToken)
    {
        // Who somebody is can only be asked in public; and how fast, is no question here.
        VaultConnection way = connection with { Bandwidth = null, RequiresPrivateEndpoint = connection.RequiresPrivateEndpoint && endpoint.IsVault };
        ProxyUse proxy = new ProxyChoice(way, options).For(endpoint.Probe);
        var trial = new Trial(endpoint, proxy);
        using var patience = new CancellationTokenSource(limit, connection.TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            if (await ResolveAsync(trial, either.Token).ConfigureAwait(false)
                && await ConnectAsync(trial, way, either.Token).ConfigureAwait(false)
                && await AskAsync(trial, way, either.Token).ConfigureAwait(false))
            {
                await AuthoriseAsync(trial, authorise, either.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            trial.Fail(
                trial.Next,
                $"'{trial.Peer}' has not answered for {limit.TotalSeconds:0} seconds.",
                "Check whether a firewall on the way drops packets without an answer.");
        }

        return trial.ToReport();
    }

    private async Task<bool> ResolveAsync(Trial trial, CancellationToken cancellationToken)
    {
        if (IPAddress.TryParse(trial.Peer, out IPAddress? literal))
        {
            trial.Addresses = trial.Proxy.Address is null ? [literal] : [];
            trial.Skip(ConnectivityLayer.Dns, "it is given as an address");
            return true;
        }

        try
        {
            IPAddress[] addresses = await options.ResolveAsync(trial.Peer, cancellationToken).ConfigureAwait(false);
            trial.Addresses = trial.Proxy.Address is null ? addresses : [];
            string found = $"'{trial.Peer}' is {string.Join(", ", addresses.Select(address => address.ToString()))}";
            if (trial.Endpoint.IsPublished(trial.Addresses) is false)
            {
                trial.Warn(
                    ConnectivityLayer.Dns,
                    $"{found}, and not all of that is in {string.Join(", ", trial.Endpoint.Addresses)}.",
                    "Where a firewall goes by addresses, let these through too, or use service tags; "
                        + "where nobody expects other addresses, check the DNS server.");
            }
            else
            {
                trial.Pass(ConnectivityLayer.Dns, found);
            }

            return true;
        }
        catch (SocketException e)
        {
            return NoName(trial, e);
        }
    }

    // Through the proxy it is the proxy's address that is connected to.
    private async Task<bool> ConnectAsync(Trial trial, VaultConnection way, CancellationToken cancellationToken)
    {
        var connector = new Connector(way, options);
        try
        {
            Stream stream = await connector.ConnectAsync(new DnsEndPoint(trial.Peer, trial.PeerPort), cancellationToken).ConfigureAwait(false);
            await stream.DisposeAsync().ConfigureAwait(false);
            trial.Pass(ConnectivityLayer.Tcp, $"connected to {trial.Peer}:{trial.PeerPort}");
            return true;
        }
        catch (BackupException e)
        {
            return trial.Fail(ConnectivityLayer.Dns, e.Message, e.RecommendedAction);
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.HostNotFound or SocketError.NoData)
        {
            return NoName(trial, e);
        }
        catch (SocketException e)
        {
            return trial.Fail(
                ConnectivityLayer.Tcp,
                $"No connection to {trial.Peer}:{trial.PeerPort} can be made: {e.Message}.",
                $"Have every firewall on the way let TCP port {trial.PeerPort} out to '{trial.Peer}'.");
        }
    }

    private async Task<bool> AskAsync(Trial trial, VaultConnection way, CancellationToken cancellationToken)
    {
        using var client = new HttpMessageInvoker(AzureTransport.CreateHandler(way, options));
        using var request = new HttpRequestMessage(HttpMethod.Get, trial.Endpoint.Probe);
        HttpResponseMessage response;
        try
        {
            response = await client.SendAsync(request, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is HttpRequestException or BackupException)
        {
            return NoAnswer(trial, e);
        }

        using (response)
        {
            return Judge(trial, response);
        }
    }

    private bool Judge(Trial trial, HttpResponseMessage response)
    {
        int status = (int)response.StatusCode;
        if (response.StatusCode == HttpStatusCode.ProxyAuthenticationRequired)
        {
            return NoAnswer(trial, new HttpRequestException(HttpRequestError.ProxyTunnelError, "The proxy has answered 407.", statusCode: response.StatusCode));
        }

        trial.PassWay(upTo: ConnectivityLayer.Http);

        // Who is nobody may be refused; but it is Blob Storage that must refuse.
        bool isService = trial.Endpoint.IsVault ? response.Headers.Contains("x-ms-request-id") : status < 400;
        if (!isService)
        {
            return trial.Fail(
                ConnectivityLayer.Http,
                $"'{trial.Endpoint.Probe.IdnHost}' has answered with status "
                    + $"{status}{(trial.Endpoint.IsVault ? ", and what answers is not Blob Storage" : "")}.",
                "See whether a filter or a sign-in page of the network stands between, and have it let this host through.");
        }

        if (status >= 500)
        {
            return trial.Fail(ConnectivityLayer.Http, $"Blob Storage has answered with status {status}.", "Wait, and look at the status of Azure if it lasts.");
        }

        trial.Pass(ConnectivityLayer.Http, $"answered with status {status}");
        CompareClocks(trial, response.Headers.Date);
        return true;
    }

    private void CompareClocks(Trial trial, DateTimeOffset? date)
    {
        if (date is not { } theirs)
        {
            trial.Skip(ConnectivityLayer.Clock, "it does not say what time it is");
            return;
        }

        TimeSpan skew = connection.TimeProvider.GetUtcNow() - theirs;
        trial.ClockSkew = skew;
        string found = $"this machine's clock is {skew.Duration():d\\.hh\\:mm\\:ss} {(skew < TimeSpan.Zero ? "behind" : "ahead of")} the "
            + $"one of '{trial.Endpoint.Probe.IdnHost}'";
        const string Action = "Set this machine's date, time and time zone, and have them kept by a time server.";
        if (skew.Duration() > _fatalSkew)
        {
            trial.Fail(ConnectivityLayer.Clock, $"{found}: more than {_fatalSkew.TotalMinutes:0} minutes, and requests are refused.", Action);
        }
        else if (skew.Duration() > _tolerableSkew)
        {
            trial.Warn(ConnectivityLayer.Clock, $"{found}: more than {_tolerableSkew.TotalMinutes:0} minutes.", Action);
        }
        else
        {
            trial.Pass(ConnectivityLayer.Clock, found);
        }
    }

    private static async Task AuthoriseAsync(Trial trial, Func<CancellationToken, Task>? authorise, CancellationToken cancellationToken)
    {
        if (authorise is null)
        {
            trial.Skip(ConnectivityLayer.Authorisation, "nobody is asked for it");
            return;
        }

        try
        {
            await authorise(cancellationToken).ConfigureAwait(false);
            trial.Pass(ConnectivityLayer.Authorisation, "this machine may read the vault");
        }
        catch (BackupException e)
        {
            trial.Fail(ConnectivityLayer.Authorisation, e.Message, e.RecommendedAction);
        }
    }

    private static bool NoName(Trial trial, SocketException e) => trial.Fail(
        ConnectivityLayer.Dns,
        $"The name '{trial.Peer}' has no address here: {e.Message}.",
        "Check how the name is written and which DNS server this machine asks; a private endpoint needs its private DNS zone.");

    private static bool NoAnswer(Trial trial, Exception exception)
    {
        BackupException? known = TransportErrors.Find(exception);
        ConnectivityLayer layer = (known?.Id, (exception as HttpRequestException)?.HttpRequestError) switch
        {
            (BackupErrorId.ProxyAuthenticationRequired or BackupErrorId.ProxyRefused or BackupErrorId.PublicAddressRefused, _) => ConnectivityLayer.Proxy,
            (BackupErrorId.SecureConnectionFailed, _) or (_, HttpRequestError.SecureConnectionError) => ConnectivityLayer.Tls,
            (_, HttpRequestError.ProxyTunnelError) => ConnectivityLayer.Proxy,
            (_, HttpRequestError.NameResolutionError) => ConnectivityLayer.Dns,
            (_, HttpRequestError.ConnectionError) => ConnectivityLayer.Tcp,
            _ => ConnectivityLayer.Http,
        };
        trial.PassWay(layer);
        return known is null or { Id: BackupErrorId.VaultUnreachable }
            ? trial.Fail(
                layer,
                $"'{trial.Endpoint.Probe.IdnHost}' gives no answer: {exception.GetBaseException().Message}",
                "Check what stands between this machine and the host, and try again.")
            : trial.Fail(layer, known.Message, known.RecommendedAction);
    }

    /// <summary>What has been found so far.</summary>
    private sealed class Trial(RequiredEndpoint endpoint, ProxyUse proxy)
    {
        private readonly SortedDictionary<ConnectivityLayer, LayerCheck> _layers = [];

        public RequiredEndpoint Endpoint => endpoint;

        public ProxyUse Proxy => proxy;

        public string? ProxyText => proxy.Address is { } address ? $"{address.Authority} ({proxy.Source.ToString().ToLowerInvariant()})" : null;

        /// <summary>Whom this machine connects to.</summary>
        public string Peer => proxy.Address?.IdnHost ?? endpoint.Probe.IdnHost;

        public int PeerPort => proxy.Address?.Port ?? endpoint.Port;

        /// <summary>The first layer of which nothing is known.</summary>
        public ConnectivityLayer Next => Enum.GetValues<ConnectivityLayer>().First(layer => !_layers.ContainsKey(layer) && !IsNotNeeded(layer));

        public IReadOnlyList<IPAddress> Addresses { get; set; } = [];

        public TimeSpan? ClockSkew { get; set; }

        public void Pass(ConnectivityLayer layer, string detail) => _layers[layer] = new LayerCheck(layer, LayerOutcome.Passed, detail);

        /// <summary>What carried a request as far as a layer has done its part.</summary>
        public void PassWay(ConnectivityLayer upTo)
        {
            if (upTo > ConnectivityLayer.Proxy && !IsNotNeeded(ConnectivityLayer.Proxy))
            {
                Pass(ConnectivityLayer.Proxy, ProxyText!);
            }

            if (upTo > ConnectivityLayer.Tls && !IsNotNeeded(ConnectivityLayer.Tls))
            {
                Pass(ConnectivityLayer.Tls, "TLS 1.2 or newer, with a trusted certificate");
            }
        }

        public void Skip(ConnectivityLayer layer, string detail) => _layers[layer] = new LayerCheck(layer, LayerOutcome.NotNeeded, detail);

        public void Warn(ConnectivityLayer layer, string cause, string action) => _layers[layer] = new LayerCheck(layer, LayerOutcome.Warning, cause, action);

        /// <summary>Notes a failure; what comes after the layer is open again.</summary>
        /// <returns>False: there is no going on.</returns>
        public bool Fail(ConnectivityLayer layer, string cause, string action)
        {
            foreach (ConnectivityLayer later in _layers.Keys.Where(known => known > layer).ToList())
            {
                _layers.Remove(later);
            }

            _layers[layer] = new LayerCheck(layer, LayerOutcome.Failed, cause, action);
            return false;
        }

        public EndpointReport ToReport() => new(
            endpoint, [.. Enum.GetValues<ConnectivityLayer>().Select(Check)], Addresses, endpoint.IsPublished(Addresses), ClockSkew, ProxyText);

        private LayerCheck Check(ConnectivityLayer layer) => _layers.TryGetValue(layer, out LayerCheck? found)
            ? found
            : IsNotNeeded(layer)
                ? new LayerCheck(layer, LayerOutcome.NotNeeded, layer == ConnectivityLayer.Proxy ? "none is used" : "plain HTTP")
                : new LayerCheck(layer, LayerOutcome.NotTested, "not reached");

        private bool IsNotNeeded(ConnectivityLayer layer) => layer switch
        {
            ConnectivityLayer.Proxy => proxy.Address is null,
            ConnectivityLayer.Tls => endpoint.Probe.Scheme != Uri.UriSchemeHttps,
            _ => false,
        };
    }
}
