using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Pipes;
using MSOnlineBackup.Vaults.Storage;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Pipes;

/// <summary>A pipe that breaks after any byte, in either direction: every call ends, objects are absent or whole, and a store that retries notices nothing.</summary>
public sealed class PipeBreakTests
{
    private static readonly byte[] _small = [.. Enumerable.Range(0, 100).Select(i => (byte)i)];
    private static readonly byte[] _large = [.. Enumerable.Range(0, 70_000).Select(i => (byte)(i * 7))];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Calls_fail_as_unreachable_and_nothing_is_half_there(bool isOfRequests)
    {
        foreach (int cut in Cuts(await CountAsync(isOfRequests)))
        {
            var store = new MemoryVaultStore();
            LoopbackPipe? pipe = null;
            using var client = new PipedVaultStore("vault", async stop => pipe is null
                ? pipe = await OpenAsync(store, isOfRequests, cut, stop)
                : throw new BackupException(BackupErrorId.VaultUnreachable, "It is away.", "Wait."));

            BackupException error = await Assert.ThrowsAsync<BackupException>(async () => await TalkAsync(client));

            Assert.True(error.Id == BackupErrorId.VaultUnreachable, $"After {cut} bytes: {error}");
            await pipe!.Serving;
            Assert.All(store.Names, name => Assert.Equal(name == "a/large" ? _large : _small, store.GetContent(name)));
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_store_that_retries_notices_nothing(bool isOfRequests)
    {
        foreach (int cut in Cuts(await CountAsync(isOfRequests)))
        {
            var store = new MemoryVaultStore();
            int connections = 0;
            using var client = new PipedVaultStore(
                "vault", async stop => await OpenAsync(store, isOfRequests, connections++ == 0 ? cut : long.MaxValue, stop));

            await TalkAsync(new ResilientVaultStore(client, timeProvider: new FakeClock { SkipsWaits = true }));

            Assert.Equal(["a/large"], store.Names);
            Assert.True(connections == 2, $"After {cut} bytes there were {connections} connections.");
        }
    }

    private static async Task<LoopbackPipe> OpenAsync(IVaultStore store, bool isOfRequests, long cut, CancellationToken stop) => isOfRequests
        ? await LoopbackPipe.OpenAsync(store, incoming: stream => new CutStream(stream, cut), stop: stop)
        : await LoopbackPipe.OpenAsync(store, outgoing: stream => new CutStream(stream, cut), stop: stop);

    // All beginnings and ends of frames are near these; between them is content.
    private static IEnumerable<int> Cuts(int total) => Enumerable.Range(0, Math.Min(total, 260))
        .Concat(Campaign.Spread(260, total - 260, brief: 10))
        .Concat(Enumerable.Range(total - 260, 260))
        .Distinct();

    private static async Task<int> CountAsync(bool isOfRequests)
    {
        CutStream? counted = null;
        var store = new MemoryVaultStore();
        Stream Count(Stream stream) => counted = new CutStream(stream, long.MaxValue);
        using var client = new PipedVaultStore("vault", async stop => isOfRequests
            ? await LoopbackPipe.OpenAsync(store, incoming: Count, stop: stop)
            : await LoopbackPipe.OpenAsync(store, outgoing: Count, stop: stop));
        await TalkAsync(client);
        return (int)counted!.Passed;
    }

    private static async Task TalkAsync(IVaultStore client)
    {
        Assert.True(await client.TryCreateAsync("a/small", _small, Stop));
        Assert.True(await client.TryCreateAsync("a/large", _large, Stop));
        Assert.Equal(2, await client.ListAsync("a/", Stop).CountAsync(Stop));
        byte[] read = new byte[_large.Length + 1];
        Assert.Equal(_large.Length, await client.ReadAsync("a/large", 0, read, Stop));
        Assert.Equal(_large, read[..^1]);
        await client.DeleteAsync("a/small", Stop);
        Assert.Null(await client.StatAsync("a/small", Stop));
    }
}
