using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Pipes;
using MSOnlineBackup.Vaults.Storage;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Pipes;

/// <summary>However a pipe ends, and whatever becomes of its explanation: each caller gets an error, and what cannot be explained is told as itself.</summary>
public sealed class PipeEndTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static TheoryData<string, Func<BackupException, Task<BackupException>>> Failures => new()
    {
        { "throws at once", _ => throw new InvalidOperationException("no reason") },
        { "throws later", async _ =>
            {
                await Task.Yield();
                throw new ObjectDisposedException("no reason");
            }
        },
        { "is cancelled", _ => Task.FromCanceled<BackupException>(new CancellationToken(canceled: true)) },
        { "never ends", _ => new TaskCompletionSource<BackupException>().Task },
    };

    [Theory]
    [MemberData(nameof(Failures), DisableDiscoveryEnumeration = true)]
    public async Task Callers_are_told_the_end_where_its_explanation_fails(string how, Func<BackupException, Task<BackupException>> explain)
    {
        var store = new HoldingStore();
        var clock = new FakeClock();
        using LoopbackPipe way = await LoopbackPipe.OpenAsync(store, stop: Stop);
        var pipe = new ExplainedPipe(way, explain);
        using var client = new PipedVaultStore("the vault", _ => Task.FromResult<VaultPipe>(pipe), timeProvider: clock);
        Task[] calls =
        [
            .. Enumerable.Range(0, 40).Select(i => client.StatAsync($"a/{i}", Stop).AsTask()),
            client.ReadAsync("a/1", 0, new byte[10], Stop).AsTask(),
            client.TryCreateAsync("a/2", new byte[100_000], Stop).AsTask(),
            client.ListAsync("a/", Stop).CountAsync(Stop).AsTask(),
            client.DeleteAsync("a/3", Stop).AsTask(),
            client.MeasureUnfinishedAsync(Stop).AsTask(),
        ];
        await store.UntilAsync(40);
        way.Dispose();
        await AdvanceUntilAsync(clock, Task.WhenAll(calls));

        foreach (Task call in calls)
        {
            BackupException told = await Assert.ThrowsAsync<BackupException>(() => call);
            Assert.True(told is { Id: BackupErrorId.VaultUnreachable, IsTransient: true }, $"{how}: {told}");
            Assert.Contains("'the vault' was cut", told.Message, StringComparison.Ordinal);
            Assert.NotNull(told.InnerException);
        }

        Assert.Equal(1, pipe.Asked);
    }

    [Fact]
    public async Task Callers_are_told_what_the_way_knows()
    {
        using LoopbackPipe way = await LoopbackPipe.OpenAsync(new MemoryVaultStore(), stop: Stop);
        using var client = new PipedVaultStore("the vault", _ => Task.FromResult<VaultPipe>(
            new ExplainedPipe(way, _ => Task.FromResult(new BackupException(BackupErrorId.VaultHostUntrusted, "Another key.", "Compare.")))));
        way.Dispose();

        BackupException told = await Assert.ThrowsAsync<BackupException>(async () => await client.StatAsync("a", Stop));

        Assert.Equal((BackupErrorId.VaultHostUntrusted, "Another key."), (told.Id, told.Message));
    }

    [Fact]
    public async Task What_the_server_says_is_not_explained_away()
    {
        using LoopbackPipe way = await LoopbackPipe.OpenAsync(
            new MemoryVaultStore(), (_, _) => throw new BackupException(BackupErrorId.VaultUnreachable, "The share is away.", "Mount it.", transient: true), stop: Stop);
        var pipe = new ExplainedPipe(way, _ => Task.FromResult(new BackupException(BackupErrorId.VaultProgramUnusable, "It ended.", "Look.")));
        using var client = new PipedVaultStore("the vault", _ => Task.FromResult<VaultPipe>(pipe));

        BackupException told = await Assert.ThrowsAsync<BackupException>(async () => await client.StatAsync("a", Stop));

        Assert.Equal((BackupErrorId.VaultUnreachable, "From 'the vault': The share is away."), (told.Id, told.Message));
        Assert.Equal(0, pipe.Asked);
    }

    [Fact]
    public async Task Who_sends_no_greeting_is_given_up()
    {
        (Stream near, Stream far) = await LoopbackPipe.ConnectAsync(Stop);
        await using Stream silent = far;
        var clock = new FakeClock();
        var pipe = new SilentPipe(near);
        using var client = new PipedVaultStore("the vault", _ => Task.FromResult<VaultPipe>(pipe), timeProvider: clock);
        Task call = client.StatAsync("a", Stop).AsTask();
        await AdvanceUntilAsync(clock, call);

        BackupException told = await Assert.ThrowsAsync<BackupException>(() => call);

        Assert.Equal((BackupErrorId.VaultUnreachable, true), (told.Id, told.IsTransient));
        Assert.Contains("did not answer within 60 seconds", told.Message, StringComparison.Ordinal);
        Assert.True(pipe.IsDisposed);
    }

    // Until whoever waits by the clock has set its timer, there is nothing to advance to.
    private static async Task AdvanceUntilAsync(FakeClock clock, Task done)
    {
        while (!done.IsCompleted)
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(1, Stop);
        }
    }

    private sealed class ExplainedPipe(VaultPipe inner, Func<BackupException, Task<BackupException>> explain) : VaultPipe
    {
        private int _asked;

        public int Asked => Volatile.Read(ref _asked);

        public override Stream Incoming => inner.Incoming;

        public override Stream Outgoing => inner.Outgoing;

        public override Task<BackupException> ExplainAsync(BackupException known, bool wasOpen)
        {
            Interlocked.Increment(ref _asked);
            return explain(known);
        }

        protected override void Dispose(bool disposing) => inner.Dispose();
    }

    private sealed class SilentPipe(Stream stream) : VaultPipe
    {
        public bool IsDisposed { get; private set; }

        public override Stream Incoming => stream;

        public override Stream Outgoing => stream;

        protected override void Dispose(bool disposing)
        {
            IsDisposed = true;
            stream.Dispose();
        }
    }

    /// <summary>Answers nobody.</summary>
    private sealed class HoldingStore : IVaultStore
    {
        private int _held;

        public string Location => "held";

        public VaultStoreCapabilities Capabilities { get; } = new(PackSize: 1 << 20, MaxConcurrency: 64);

        public async Task UntilAsync(int held)
        {
            while (Volatile.Read(ref _held) < held)
            {
                await Task.Delay(1, Stop);
            }
        }

        public async ValueTask<bool> TryCreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken, VaultAccessTier tier = VaultAccessTier.Hot) =>
            await HoldAsync<bool>(cancellationToken);

        public async ValueTask<int> ReadAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken) => await HoldAsync<int>(cancellationToken);

        public async ValueTask<StoredObject?> StatAsync(string name, CancellationToken cancellationToken) => await HoldAsync<StoredObject?>(cancellationToken);

        public async IAsyncEnumerable<StoredObject> ListAsync(string prefix, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
        {
            yield return await HoldAsync<StoredObject>(cancellationToken);
        }

        public async ValueTask DeleteAsync(string name, CancellationToken cancellationToken) => await HoldAsync<bool>(cancellationToken);

        public async ValueTask<UnfinishedWrites> MeasureUnfinishedAsync(CancellationToken cancellationToken) => await HoldAsync<UnfinishedWrites>(cancellationToken);

        private async Task<T> HoldAsync<T>(CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _held);
            await Task.Delay(Timeout.Infinite, cancellationToken);
            throw new InvalidOperationException("Never.");
        }
    }
}
