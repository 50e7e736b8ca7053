using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Benchmarks;

/// <summary>A server that is far away: each request to it is sent on later.</summary>
internal static class DistantServer
{
    /// <summary>Prints where the server is to be asked instead, and stands before it until the standard input ends.</summary>
    /// <param name="server">The server.</param>
    /// <param name="delay">How much later.</param>
    /// <param name="log">A file to which each request adds a line: method and target; null for none.</param>
    public static async Task RunAsync(Uri server, TimeSpan delay, string? log)
    {
        var writing = new Lock();
        await using var proxy = new FaultProxy(server)
        {
            Delay = delay,
            Decide = request =>
            {
                if (log is not null)
                {
                    lock (writing)
                    {
                        File.AppendAllText(log, $"{request.Method} {request.Target}\n");
                    }
                }

                return null;
            },
        };
        Console.WriteLine(proxy.Url.GetLeftPart(UriPartial.Authority));
        while (await Console.In.ReadLineAsync() is not null)
        {
        }
    }
}
