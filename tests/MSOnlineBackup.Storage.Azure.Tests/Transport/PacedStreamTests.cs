using MSOnlineBackup.Storage.Azure.Transport;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Storage;
using Xunit;

namespace MSOnlineBackup.Storage.Azure.Tests.Transport;

public sealed class PacedStreamTests : IDisposable
{
    private readonly FakeClock _clock = new() { SkipsWaits = true };
    private readonly MemoryStream _wire = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _wire.Dispose();

    [Fact]
    public async Task A_large_write_at_the_lowest_limit_goes_out_evenly_and_whole()
    {
        byte[] content = [.. Enumerable.Range(0, 65_536).Select(i => (byte)(i % 251))];
        var bandwidth = new Bandwidth(() => 512_000, _clock);
        var watched = new WatchedStream(_wire, () => _clock.Elapsed);
        await using var paced = new PacedStream(watched, bandwidth);

        await paced.WriteAsync(content, Cancel);

        Assert.Equal(content, _wire.ToArray());
        Assert.InRange(_clock.Elapsed.TotalSeconds, 1.0, 1.03);
        Assert.Equal(content.Length, watched.Writes.Sum(write => write.Count));
        Assert.All(watched.Writes, write => Assert.InRange(write.Count, 1, 1280));
        Assert.All(watched.Writes.Zip(watched.Writes.Skip(1)), pair => Assert.InRange((pair.Second.At - pair.First.At).TotalMilliseconds, 0, 25));
    }

    [Fact]
    public async Task What_is_fetched_takes_its_time_and_comes_whole()
    {
        byte[] content = [.. Enumerable.Range(0, 200_000).Select(i => (byte)(i % 251))];
        await _wire.WriteAsync(content, Cancel);
        _wire.Position = 0;
        await using var paced = new PacedStream(_wire, new Bandwidth(() => 512_000, _clock));
        using var fetched = new MemoryStream();
        var buffer = new byte[1 << 20];

        while (await paced.ReadAsync(buffer, Cancel) is int read and > 0)
        {
            Assert.InRange(read, 1, 65_536);
            await fetched.WriteAsync(buffer.AsMemory(0, read), Cancel);
        }

        Assert.Equal(content, fetched.ToArray());
        Assert.InRange(_clock.Elapsed.TotalSeconds, 3.09, 3.13);
    }

    /// <summary>Notes how much is written when.</summary>
    private sealed class WatchedStream(Stream inner, Func<TimeSpan> elapsed) : WireStream(inner)
    {
        public List<(TimeSpan At, int Count)> Writes { get; } = [];

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            Inner.ReadAsync(buffer, cancellationToken);

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Writes.Add((elapsed(), buffer.Length));
            return Inner.WriteAsync(buffer, cancellationToken);
        }
    }
}
