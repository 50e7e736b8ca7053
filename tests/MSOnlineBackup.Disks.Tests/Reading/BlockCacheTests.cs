using MSOnlineBackup.Disks.Reading;
using MSOnlineBackup.Disks.Tests.Images;
using Xunit;

namespace MSOnlineBackup.Disks.Tests.Reading;

public sealed class BlockCacheTests
{
    [Fact]
    public async Task Any_piece_is_what_the_disk_has()
    {
        var random = new Random(3);
        byte[] bytes = new byte[(7 * BlockCache.BlockSize) + 123];
        random.NextBytes(bytes);
        var cache = new BlockCache(new MemoryImage(bytes), blocks: 3);

        for (int i = 0; i < 500; i++)
        {
            int offset = random.Next(bytes.Length + 1);
            byte[] piece = new byte[random.Next(Math.Min(bytes.Length - offset, i % 2 == 0 ? 5000 : 60_000) + 1)];
            await cache.ReadAsync(offset, piece, TestContext.Current.CancellationToken);
            Assert.True(bytes.AsSpan(offset, piece.Length).SequenceEqual(piece));
        }

        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await cache.ReadAsync(bytes.Length, new byte[1], TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task What_was_read_last_is_not_read_again()
    {
        var reads = new List<(long Offset, int Count)>();
        var cache = new BlockCache(new MemoryImage(new byte[8 * BlockCache.BlockSize], reads), blocks: 2);
        foreach (int block in (int[])[0, 1, 0, 2, 0, 1])
        {
            await cache.ReadAsync((block * BlockCache.BlockSize) + 5, new byte[10], TestContext.Current.CancellationToken);
        }

        Assert.Equal([0, 1, 2, 1], reads.Select(read => read.Offset / BlockCache.BlockSize));
    }
}
