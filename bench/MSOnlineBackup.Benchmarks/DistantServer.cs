using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Benchmarks;

/// <summary>A server that is far away: each request to it is sent on later.</summary>
internal static class DistantServer
{
    /// <summary>Prints where the server is to be asked instead, and stands before it until the standard input ends.</summary>
    public static async Task RunAsync(Uri server, TimeSpan delay)
    {
        await using var proxy = new FaultProxy(server) { Delay = delay };
        Console.WriteLine(proxy.Url.GetLeftPart(UriPartial.Authority));
        while (await Console.In.ReadLineAsync() is not null)
        {
        }
    }
}
