using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Authentication;

namespace MSOnlineBackup.Agent.Sinks;

/// <summary>Sends requests to web addresses that are secrets: no error names them, and no redirection leads them elsewhere.</summary>
internal static class WebSender
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(30);

    // One for all: it keeps no cookie and no address.
    private static readonly HttpClient _client = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, ConnectTimeout = _patience }) { Timeout = _patience };

    /// <summary>Posts.</summary>
    /// <param name="name">Of the sink, for errors.</param>
    /// <param name="url">Where to.</param>
    /// <param name="content">What; empty for nothing.</param>
    /// <param name="type">Its media type.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="Vaults.Errors.BackupException">AlarmNotDelivered.</exception>
    public static async Task PostAsync(string name, Uri url, byte[] content, string type, CancellationToken cancellationToken)
    {
        try
        {
            using var body = new ByteArrayContent(content) { Headers = { ContentType = new MediaTypeHeaderValue(type, "utf-8") } };
            using HttpResponseMessage response = await _client.PostAsync(url, body, cancellationToken).ConfigureAwait(false);
            if (!response.IsSuccessStatusCode)
            {
                throw AlarmSinkErrors.NotDelivered(name, $"'{url.IdnHost}' has answered with status {(int)response.StatusCode}");
            }
        }
        catch (Exception e) when (e is HttpRequestException or IOException or SocketException or AuthenticationException
            || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw AlarmSinkErrors.NotDelivered(name, $"'{url.IdnHost}' gives no answer ({e.GetBaseException().Message.TrimEnd('.')})", e);
        }
    }
}
