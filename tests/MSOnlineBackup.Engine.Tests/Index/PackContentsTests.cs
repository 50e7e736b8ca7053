using MSOnlineBackup.Vaults.Index;
using MSOnlineBackup.Vaults.Packs;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Index;

public sealed class PackContentsTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(1_000)]
    public void Each_pack_that_is_there_comes_once_with_its_chunks_by_offset(int mostAtOnce)
    {
        var index = new ChunkIndex(epoch => epoch == 0);
        var random = new Random(5);
        var expected = new Dictionary<uint, List<PackedChunk>>();
        for (uint number = 1; number <= 12; number++)
        {
            PackInfo pack = TestPacks.Pack(number);
            List<PackedChunk> chunks = TestPacks.Chunks(Enumerable.Range(random.Next(30), random.Next(1, 9)).Select(TestPacks.Id));
            expected.Add(number, chunks);
            if (number % 3 == 0)
            {
                index.AddPack(pack, chunks);
            }
            else
            {
                index.AddSegment("segment", IndexSegment.Encode([(pack, chunks)]), out _);
            }
        }

        Assert.True(index.TryGetPack(TestPacks.Pack(5).Session, 5, out PackInfo? lost));
        lost.IsAvailable = false;
        expected.Remove(5);

        List<PackContents> contents = [.. PackContents.Of(index, [.. index.Packs.Where(pack => pack.IsAvailable)], mostAtOnce)];

        Assert.Equal(expected.Keys.Order(), contents.Select(found => found.Pack.Number).Order());
        Assert.All(contents, found => Assert.Equal(expected[found.Pack.Number], found.Chunks));
    }
}
