using System.Diagnostics;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Pipes;

namespace MSOnlineBackup.Benchmarks;

/// <summary>The store over the pipe and nothing else: objects as large as packs, as many at once as a backup sends.</summary>
internal static class PipedTransfer
{
    private const int ObjectSize = 16 << 20;

    /// <summary>How long it takes to create objects of random bytes, from the first frame to the last answer; the server is started before.</summary>
    /// <param name="objects">How many, of 16 MiB each.</param>
    /// <param name="server">The command that serves an empty folder, for example by way of ssh.</param>
    public static async Task<TimeSpan> PushAsync(int objects, string[] server)
    {
        using PipedVaultStore store = Open(server);
        byte[] content = new byte[ObjectSize];
        new Random(1).NextBytes(content);
        await store.StatAsync("start", CancellationToken.None);
        var watch = Stopwatch.StartNew();
        await ForEachAsync(objects, store, async (name, stop) => await store.TryCreateAsync(name, content, stop));
        return watch.Elapsed;
    }

    /// <summary>How long it takes to read them again.</summary>
    /// <inheritdoc cref="PushAsync"/>
    public static async Task<TimeSpan> PullAsync(int objects, string[] server)
    {
        using PipedVaultStore store = Open(server);
        await store.StatAsync("start", CancellationToken.None);
        var watch = Stopwatch.StartNew();
        await ForEachAsync(objects, store, async (name, stop) =>
        {
            if (await store.ReadAsync(name, 0, new byte[ObjectSize], stop) != ObjectSize)
            {
                throw new InvalidOperationException($"{name} is not whole.");
            }
        });
        return watch.Elapsed;
    }

    private static PipedVaultStore Open(string[] server) => new("the server", _ => Task.FromResult<VaultPipe>(new ProcessPipe(server)));

    private static Task ForEachAsync(int objects, PipedVaultStore store, Func<string, CancellationToken, ValueTask> act) => Parallel.ForEachAsync(
        Enumerable.Range(0, objects),
        new ParallelOptions { MaxDegreeOfParallelism = store.Capabilities.MaxConcurrency },
        async (number, stop) => await act($"objects/{number}", stop));
}
