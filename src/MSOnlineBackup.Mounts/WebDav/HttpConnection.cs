using System.Globalization;
using System.Net.Sockets;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Mounts.WebDav;

/// <summary>Answers the requests of one connection, one after the other.</summary>
/// <param name="answer">Answers one. What it throws becomes an answer as long as none was begun; after that the connection is cut, so that the client sees that something is missing.</param>
/// <param name="report">Is told of what of the vault cannot be read.</param>
/// <param name="times">How long a client may take.</param>
/// <param name="clock">What time it is.</param>
internal sealed class HttpConnection(Func<HttpExchange, CancellationToken, Task> answer, Action<Exception> report, HttpTimes times, TimeProvider clock)
{
    private const long MostDrained = 256 << 10;

    public async Task ServeAsync(Socket socket, CancellationToken cancellationToken)
    {
        socket.NoDelay = true;
        await using var stream = new NetworkStream(socket);
        var reader = new HttpReader(stream, times);
        bool goesOn = true;
        while (goesOn)
        {
            HttpHead? head = null;
            HttpRefusal? refusal = null;
            try
            {
                head = await reader.ReadHeadAsync(cancellationToken).ConfigureAwait(false);
                if (head is null)
                {
                    return;
                }
            }
            catch (HttpRefusal e)
            {
                refusal = e;
            }

            var exchange = new HttpExchange(head ?? new HttpHead("GET", "/", new Dictionary<string, string>()), reader, stream, times, clock.GetUtcNow());
            goesOn = refusal is null
                ? await AnswerAsync(exchange, cancellationToken).ConfigureAwait(false)
                : await RefuseAsync(exchange, refusal, cancellationToken).ConfigureAwait(false);
            if (goesOn is false && !exchange.IsCut)
            {
                socket.Shutdown(SocketShutdown.Send);
                await reader.DrainAsync(MostDrained, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private async Task<bool> AnswerAsync(HttpExchange exchange, CancellationToken cancellationToken)
    {
        try
        {
            await answer(exchange, cancellationToken).ConfigureAwait(false);
            return exchange.Answer.KeepsConnection;
        }
        catch (HttpRefusal e) when (!exchange.Answer.IsBegun)
        {
            return await RefuseAsync(exchange, e, cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException e)
        {
            report(e);
            if (!exchange.Answer.IsBegun)
            {
                return await RefuseAsync(exchange, RefusalOf(e), cancellationToken).ConfigureAwait(false);
            }

            exchange.IsCut = true;
            return false;
        }
    }

    private static HttpRefusal RefusalOf(BackupException error)
    {
        string text = $"{error.Message} {error.RecommendedAction}";
        if (error.Id is BackupErrorId.RestoreItemFailed)
        {
            return new HttpRefusal(403, text);
        }

        if (error.Id is BackupErrorId.RecoverableItemNotFound or BackupErrorId.RecoveryPointGone)
        {
            return new HttpRefusal(404, text);
        }

        if (error.IsOfOneObject)
        {
            return new HttpRefusal(500, text);
        }

        // A vault that is away comes back, perhaps.
        double seconds = Math.Ceiling(Math.Clamp((error.RetryAfter ?? TimeSpan.FromSeconds(10)).TotalSeconds, 1, 3600));
        return new HttpRefusal(503, text) { Headers = [("Retry-After", seconds.ToString(CultureInfo.InvariantCulture))] };
    }

    private static async Task<bool> RefuseAsync(HttpExchange exchange, HttpRefusal refusal, CancellationToken cancellationToken)
    {
        HttpAnswer answer = exchange.Answer;

        // A body that nobody has read would be taken for the next request.
        answer.KeepsConnection &= !refusal.EndsConnection && (exchange.IsBodyRead || !exchange.Request.HasBody);
        await answer.WriteTextAsync(
            refusal.Status,
            refusal.Xml is null ? "text/plain" : "application/xml",
            refusal.Xml ?? refusal.Message + "\n",
            refusal.Headers,
            cancellationToken).ConfigureAwait(false);
        return answer.KeepsConnection;
    }
}
