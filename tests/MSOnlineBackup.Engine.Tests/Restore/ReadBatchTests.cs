using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Stores;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Restore;

public class ReadBatchTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_first_batch_is_small_and_each_is_twice_the_one_before_up_to_the_largest()
    {
        await using RestoreFixture vault = await RestoreFixture.CreateAsync();
        ChunkId id = await vault.StoreAsync([1]);
        await vault.FlushAsync();
        ChunkStore store = await vault.OpenAsync();
        var slice = new EntryContent([new ContentSlice(id, 0, 1)], []);
        var slices = new EntryContent([new ContentSlice(id, 0, 1), new ContentSlice(id, 0, 1)], []);

        Assert.Equal([1_250, 2_500, 5_000, 10_000, 20_000, 20_000], await FilesOfAsync(slice, length: 1));
        Assert.Equal([15, 31, 62, 125, 250, 250], await FilesOfAsync(slices, length: 1));
        Assert.Equal([32, 64, 128, 256, 512, 512], await FilesOfAsync(slice, length: 1 << 20));

        async Task<List<int>> FilesOfAsync(EntryContent content, int length)
        {
            var batch = new ReadBatch();
            var files = new List<int>();
            for (int i = 0; i < 6; i++)
            {
                int count = 0;
                for (; !batch.IsFull; count++)
                {
                    batch.BeginFile(content);
                    batch.Add(id, new ChunkUse(null, 0, 0, length));
                }

                files.Add(count);
                Assert.Equal(count, Assert.Single(Assert.Single(await ReadBatch.GroupAsync(batch.Take(isLast: true), store, Cancel)).Chunks).Uses.Count);
            }

            return files;
        }
    }
}
