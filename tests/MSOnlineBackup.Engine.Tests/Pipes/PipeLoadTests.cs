using System.Runtime.CompilerServices;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Pipes;
using MSOnlineBackup.Vaults.Storage;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Pipes;

/// <summary>Whatever is asked at once, and however slowly answers are read: what both sides keep is bounded, and nobody waits for ever.</summary>
public sealed class PipeLoadTests
{
    private const int Large = 16 << 20;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Thousands_of_calls_at_once_reach_the_store_a_few_at_a_time()
    {
        var store = new CountingStore();
        using PipedVaultStore client = LoopbackPipe.StoreOver(store);
        byte[] content = new byte[1000];
        await Task.WhenAll(Enumerable.Range(0, 3000).Select(async i => Assert.True(await client.TryCreateAsync($"a/{i}", content, Stop))));

        await Task.WhenAll(Enumerable.Range(0, 3000).Select(async i => Assert.Equal(1000, await client.ReadAsync($"a/{i}", 0, new byte[2000], Stop))));

        Assert.InRange(store.Most, 1, 64);
        Assert.Equal(3000, await client.ListAsync("", Stop).CountAsync(Stop));
    }

    [Fact]
    public async Task Contents_on_their_way_have_64_MiB_together()
    {
        var store = new CountingStore { Holds = new TaskCompletionSource() };
        using PipedVaultStore client = LoopbackPipe.StoreOver(store);
        byte[] content = new byte[Large];

        Task<bool>[] creates = [.. Enumerable.Range(0, 12).Select(i => client.TryCreateAsync($"a/{i}", content, Stop).AsTask())];
        await store.UntilAsync(4);
        Assert.True(await client.TryCreateAsync("small", new byte[10], Stop));
        store.Holds.SetResult();

        Assert.All(await Task.WhenAll(creates), Assert.True);
        Assert.Equal(4, store.MostHeld);
    }

    [Fact]
    public async Task A_listing_waits_for_who_reads_it_and_others_do_not()
    {
        const int Objects = 3000;
        var store = new CountingStore();
        for (int i = 0; i < Objects; i++)
        {
            await store.TryCreateAsync($"a/{i}-{new string('x', 200)}", new byte[1], Stop);
        }

        using PipedVaultStore client = LoopbackPipe.StoreOver(store);
        int seen = 0;
        await foreach (StoredObject found in client.ListAsync("a/", Stop))
        {
            if (++seen == 1)
            {
                // A page has some 300 of them: three may be on their way, and one in the making.
                Assert.InRange(store.Listed, 1, Objects / 2);
            }

            if (seen % 1000 == 1)
            {
                Assert.Equal(found, await client.StatAsync(found.Name, Stop));
                Assert.NotEmpty((await client.ListAsync("a/", Stop).FirstAsync(Stop)).Name);
            }
        }

        Assert.Equal(Objects, seen);
    }

    [Fact]
    public async Task Who_reads_no_answers_gets_no_more_work_done()
    {
        var store = new CountingStore();
        await store.TryCreateAsync("a", new byte[Large], Stop);
        var gate = new GatedStream();
        using LoopbackPipe pipe = await LoopbackPipe.OpenAsync(store, outgoing: stream => gate.Around(stream), stop: Stop);
        using var client = new PipedVaultStore("vault", _ => Task.FromResult<VaultPipe>(pipe));
        await client.StatAsync("a", Stop);
        gate.Close();

        byte[][] read = [.. Enumerable.Range(0, 64).Select(_ => new byte[1 << 20])];
        Task<int>[] reads = [.. read.Select(into => client.ReadAsync("a", 0, into, Stop).AsTask())];
        await store.UntilReadsAsync(64);
        Assert.Equal(64, store.Reads);
        gate.Open();

        Assert.All(await Task.WhenAll(reads), count => Assert.Equal(1 << 20, count));
    }

    [Fact]
    public async Task A_cancelled_read_leaves_the_buffer_alone_and_its_place_is_free_again()
    {
        var store = new MemoryVaultStore();
        await store.TryCreateAsync("a", new byte[Large], Stop);
        using PipedVaultStore client = LoopbackPipe.StoreOver(store);
        for (int i = 0; i < 200; i++)
        {
            using var cancelled = new CancellationTokenSource();
            byte[] into = new byte[Large];
            Task<int> reading = client.ReadAsync("a", 0, into, cancelled.Token).AsTask();
            await cancelled.CancelAsync();
            try
            {
                Assert.Equal(Large, await reading);
            }
            catch (OperationCanceledException)
            {
                Array.Fill(into, (byte)0xEE);
                Assert.NotNull(await client.StatAsync("a", Stop));
                Assert.All(into, value => Assert.Equal(0xEE, value));
                return;
            }
        }

        Assert.Fail("No read was ever cancelled.");
    }

    [Fact]
    public async Task Who_asks_for_more_than_may_be_under_way_is_cut_off()
    {
        var store = new CountingStore { Holds = new TaskCompletionSource() };
        (Stream near, Stream far) = await LoopbackPipe.ConnectAsync(Stop);
        await using Stream first = near;
        await using Stream second = far;
        Task serving = PipedVaultServer.ServeAsync(_ => store, (_, _) => Task.FromResult(PipeAccess.Unlimited), far, far, Stop);
        using var writer = new PipeWriter(near);
        await writer.WriteGreetingAsync(Stop);
        await writer.WriteAsync(PipeFrameKind.Open, 0, new byte[1], Stop);
        for (uint call = 1; call <= 129; call++)
        {
            var request = new PipeRequest(PipeFrameKind.Create, $"a/{call}", Length: 1, Content: [1]);
            await writer.WriteAsync(request.Kind, call, request.Encode(), Stop);
        }

        BackupException error = await Assert.ThrowsAsync<BackupException>(() => serving);

        Assert.Equal(BackupErrorId.VaultProgramUnusable, error.Id);
    }

    [Theory]
    [InlineData("Last login: Mon Nov 30\n", "Last login: ")]
    [InlineData("OBSTORE\n\x02\0\x09\0", "version 2 to 9")]
    public async Task What_is_no_server_of_this_version_is_named(string said, string expected)
    {
        (Stream near, Stream far) = await LoopbackPipe.ConnectAsync(Stop);
        await using Stream other = far;
        await far.WriteAsync(System.Text.Encoding.Latin1.GetBytes(said), Stop);
        using var client = new PipedVaultStore("vault", _ => Task.FromResult<VaultPipe>(new StreamPipe(near)));

        BackupException error = await Assert.ThrowsAsync<BackupException>(async () => await client.StatAsync("a", Stop));

        Assert.Equal(BackupErrorId.VaultProgramUnusable, error.Id);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    private sealed class StreamPipe(Stream stream) : VaultPipe
    {
        public override Stream Incoming => stream;

        public override Stream Outgoing => stream;

        protected override void Dispose(bool disposing) => stream.Dispose();
    }

    private sealed class GatedStream
    {
        private volatile TaskCompletionSource _open = Opened();

        public void Close() => _open = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Open() => _open.TrySetResult();

        public Stream Around(Stream stream) => new Gated(stream, this);

        private static TaskCompletionSource Opened()
        {
            var open = new TaskCompletionSource();
            open.SetResult();
            return open;
        }

        private sealed class Gated(Stream inner, GatedStream gate) : BufferedTestStream(inner)
        {
            public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
            {
                await gate._open.Task.WaitAsync(cancellationToken);
                await Inner.WriteAsync(buffer, cancellationToken);
            }
        }
    }

    private abstract class BufferedTestStream(Stream inner) : Stream
    {
        protected Stream Inner => inner;

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

        public override void Flush() => inner.Flush();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }

    /// <summary>Counts calls that are under way, and holds large objects until it is told.</summary>
    private sealed class CountingStore : IVaultStore
    {
        private readonly MemoryVaultStore _inner = new();
        private readonly Lock _gate = new();
        private int _now;
        private int _held;
        private int _reads;
        private int _listed;

        public TaskCompletionSource? Holds { get; init; }

        public int Most { get; private set; }

        public int MostHeld { get; private set; }

        public int Reads => Volatile.Read(ref _reads);

        public int Listed => Volatile.Read(ref _listed);

        public string Location => _inner.Location;

        public VaultStoreCapabilities Capabilities => _inner.Capabilities;

        public async Task UntilAsync(int held)
        {
            while (Volatile.Read(ref _held) < held)
            {
                await Task.Delay(1, Stop);
            }
        }

        public async Task UntilReadsAsync(int reads)
        {
            while (Reads < reads)
            {
                await Task.Delay(1, Stop);
            }
        }

        public async ValueTask<bool> TryCreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken, VaultAccessTier tier = VaultAccessTier.Hot)
        {
            Count(1);
            if (Holds is { } holds && (content.Length == Large || content.Length == 1))
            {
                lock (_gate)
                {
                    MostHeld = Math.Max(MostHeld, ++_held);
                }

                await holds.Task.WaitAsync(cancellationToken);
                Interlocked.Decrement(ref _held);
            }

            bool created = await _inner.TryCreateAsync(name, content.Length == Large && Holds is not null ? content[..1] : content, cancellationToken, tier);
            Count(-1);
            return created;
        }

        public async ValueTask<int> ReadAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken)
        {
            Count(1);
            Interlocked.Increment(ref _reads);
            int read = await _inner.ReadAsync(name, offset, destination, cancellationToken);
            Count(-1);
            return read;
        }

        public ValueTask<StoredObject?> StatAsync(string name, CancellationToken cancellationToken) => _inner.StatAsync(name, cancellationToken);

        public async IAsyncEnumerable<StoredObject> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            await foreach (StoredObject found in _inner.ListAsync(prefix, cancellationToken))
            {
                Interlocked.Increment(ref _listed);
                yield return found;
            }
        }

        public ValueTask DeleteAsync(string name, CancellationToken cancellationToken) => _inner.DeleteAsync(name, cancellationToken);

        private void Count(int change)
        {
            lock (_gate)
            {
                Most = Math.Max(Most, _now += change);
            }
        }
    }
}
