using System.Net;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Storage.Azure.Transport;

/// <summary>
/// The proxy of a connection: the setting, else what the environment or the system names. This machine's own addresses are
/// not asked of another machine: it would answer for itself, a managed identity's token included.
/// </summary>
internal sealed class ProxyChoice : IWebProxy
{
    // Those that HttpClient reads.
    private static readonly string[] _variables = ["https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"];

    private readonly IWebProxy? _proxy;
    private readonly ProxySetting? _setting;
    private readonly ProxySource _source;

    /// <summary>Chooses.</summary>
    /// <exception cref="BackupException">ArgumentInvalid: the setting is not an address.</exception>
    public ProxyChoice(VaultConnection connection, TransportOptions? options = null)
    {
        options ??= new TransportOptions();
        if (connection.IsDirect)
        {
            _source = ProxySource.Direct;
        }
        else if (connection.Proxy is { } setting)
        {
            _source = ProxySource.Setting;
            _setting = setting;
            _proxy = new WebProxy(setting.ToUri()) { Credentials = CredentialsOf(setting) };
        }
        else
        {
            _source = _variables.Any(name => !string.IsNullOrEmpty(options.Variable(name))) ? ProxySource.Environment : ProxySource.System;
            _proxy = options.SurroundingProxy;
        }
    }

    /// <inheritdoc/>
    public ICredentials? Credentials
    {
        get => _proxy?.Credentials;
        set => throw new NotSupportedException("The proxy comes with its credentials.");
    }

    /// <summary>How a URL is reached.</summary>
    public ProxyUse For(Uri target) => GetProxy(target) is { } address
        ? new ProxyUse(_source, address)
        : new ProxyUse(_source == ProxySource.Direct ? ProxySource.Direct : ProxySource.None, null);

    /// <inheritdoc/>
    /// <remarks>Without user and password, which HttpClient would repeat in its errors; it has them from <see cref="Credentials"/>.</remarks>
    public Uri? GetProxy(Uri destination)
    {
        Uri? address = _proxy is null || _proxy.IsBypassed(destination) || _setting?.Passes(destination.IdnHost) == true ? null : _proxy.GetProxy(destination);
        return address is null || address == destination || IsOwn(destination, address) ? null : new UriBuilder(address) { UserName = "", Password = "" }.Uri;
    }

    /// <inheritdoc/>
    public bool IsBypassed(Uri host) => GetProxy(host) is null;

    private static bool IsOwn(Uri target, Uri proxy) =>
        (target.IsLoopback && !proxy.IsLoopback) || (IPAddress.TryParse(target.IdnHost, out IPAddress? address) && PrivateAddress.IsLinkLocal(address));

    private static NetworkCredential? CredentialsOf(ProxySetting setting) => setting.UserName?.Split('\\', 2) switch
    {
        null => null,
        [string domain, string user] => new NetworkCredential(user, setting.Password, domain),
        _ => new NetworkCredential(setting.UserName, setting.Password),
    };
}
