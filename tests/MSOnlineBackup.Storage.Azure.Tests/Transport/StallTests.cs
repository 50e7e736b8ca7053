using MSOnlineBackup.Storage.Azure.Transport;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;
using Xunit;
using static MSOnlineBackup.Storage.Azure.Tests.Transport.TransportFixture;

namespace MSOnlineBackup.Storage.Azure.Tests.Transport;

public sealed class StallTests
{
    private readonly FakeClock _clock = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private VaultConnection Connection => new() { TimeProvider = _clock };

    [Fact]
    public async Task A_server_that_does_not_answer_is_given_up_and_may_be_tried_again()
    {
        var asked = new TaskCompletionSource();
        await using var server = new LoopbackServer(async (stream, stop) =>
        {
            await LoopbackServer.ReadHeadAsync(stream, stop);
            asked.SetResult();
            await Task.Delay(Timeout.Infinite, stop);
        });

        Task<BackupException> failing = FailAsync(Connection, Isolated, server.Url);
        await asked.Task.WaitAsync(Cancel);
        _clock.Advance(TimeSpan.FromSeconds(99));
        Assert.False(failing.IsCompleted);
        BackupException error = await GivenUpAsync(failing);

        Assert.Equal((BackupErrorId.VaultUnreachable, true), (error.Id, error.IsTransient));
        Assert.Contains("127.0.0.1", error.Message, StringComparison.Ordinal);
        Assert.Contains("100 seconds", error.Message, StringComparison.Ordinal);
        Assert.Equal(1, server.Connections);
    }

    [Fact]
    public async Task A_server_that_takes_no_more_is_given_up()
    {
        await using var server = new LoopbackServer((_, stop) => Task.Delay(Timeout.Infinite, stop));
        using var client = new HttpClient(AzureTransport.CreateHandler(Connection, Isolated));
        using var content = new ByteArrayContent(new byte[64 << 20]);

        Task<Exception> failing = Assert.ThrowsAnyAsync<Exception>(() => client.PutAsync(server.Url, content, Cancel));

        BackupException error = Assert.IsType<BackupException>(TransportErrors.Find(await GivenUpAsync(failing)));
        Assert.Equal((BackupErrorId.VaultUnreachable, true), (error.Id, error.IsTransient));
    }

    [Fact]
    public async Task A_body_that_stops_in_the_middle_is_given_up()
    {
        await using var server = new LoopbackServer(async (stream, stop) =>
        {
            await LoopbackServer.ReadHeadAsync(stream, stop);
            await LoopbackServer.WriteAsync(stream, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", stop);
            await Task.Delay(Timeout.Infinite, stop);
        });

        BackupException error = await GivenUpAsync(FailAsync(Connection, Isolated, server.Url));

        Assert.Equal((BackupErrorId.VaultUnreachable, true), (error.Id, error.IsTransient));
    }

    [Fact]
    public async Task A_slow_answer_is_not_given_up_while_it_moves()
    {
        using var next = new SemaphoreSlim(0);
        await using var server = new LoopbackServer(async (stream, stop) =>
        {
            await LoopbackServer.ReadHeadAsync(stream, stop);
            await LoopbackServer.WriteAsync(stream, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", stop);
            for (int i = 0; i < 10; i++)
            {
                await next.WaitAsync(stop);
                await LoopbackServer.WriteAsync(stream, "x", stop);
            }
        });
        using var client = new HttpClient(AzureTransport.CreateHandler(Connection, Isolated));
        using HttpResponseMessage response = await client.GetAsync(server.Url, HttpCompletionOption.ResponseHeadersRead, Cancel);
        await using Stream body = await response.Content.ReadAsStreamAsync(Cancel);

        for (int i = 0; i < 10; i++)
        {
            ValueTask<int> reading = body.ReadAsync(new byte[10], Cancel);
            _clock.Advance(TimeSpan.FromSeconds(74));
            next.Release();
            Assert.Equal(1, await reading);
        }
    }

    [Fact]
    public async Task A_connection_that_was_idle_for_long_hinders_nothing()
    {
        await using var server = new LoopbackServer(LoopbackServer.Answering(Ok));
        using var client = new HttpClient(AzureTransport.CreateHandler(Connection, Isolated));

        for (int i = 0; i < 3; i++)
        {
            Assert.Equal("ok", await client.GetStringAsync(server.Url, Cancel));
            _clock.Advance(TimeSpan.FromHours(1));
        }
    }

    [Fact]
    public async Task To_wait_for_bandwidth_is_no_stall()
    {
        var clock = new FakeClock { SkipsWaits = true };
        await using var guarded = new StallGuardedStream(new MemoryStream(new byte[128]), "vault.invalid", TimeSpan.FromSeconds(100), clock);
        await using var paced = new PacedStream(guarded, new Bandwidth(() => 1, clock));

        Assert.Equal(64, await paced.ReadAsync(new byte[64], Cancel));
        Assert.True(clock.Elapsed > TimeSpan.FromSeconds(500));
        Assert.Equal(64, await paced.ReadAsync(new byte[64], Cancel));
    }

    // Whether the request waits already is not to be seen from outside: time passes until it has.
    private async Task<T> GivenUpAsync<T>(Task<T> failing)
    {
        while (!failing.IsCompleted)
        {
            _clock.Advance(TimeSpan.FromSeconds(25));
            await Task.Delay(1, Cancel);
        }

        return await failing;
    }
}
