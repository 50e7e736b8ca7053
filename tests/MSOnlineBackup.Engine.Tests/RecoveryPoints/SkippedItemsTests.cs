using System.Text;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Xunit;
using static MSOnlineBackup.Engine.Tests.RecoveryPoints.Manifests;

namespace MSOnlineBackup.Engine.Tests.RecoveryPoints;

public class SkippedItemsTests
{
    [Fact]
    public async Task Items_round_trip_over_several_chunks()
    {
        var chunks = new MemoryChunks();
        List<SkippedItem> items = [.. Enumerable.Range(0, 9000).Select(i =>
            new SkippedItem($"/home/ü \"{i}\"\n", BackupErrorId.SourceItemUnreadable, new string('x', i % 300)))];
        var writer = new SkippedItemsWriter(chunks);
        foreach (SkippedItem item in items)
        {
            await writer.AddAsync(item, Cancel);
        }

        IReadOnlyList<ChunkId> ids = await writer.ToChunksAsync(Cancel);

        Assert.True(ids.Count > 1);
        Assert.Equal(items, await SkippedItemsCodec.ReadAsync(chunks, ids, Cancel).ToListAsync(Cancel));
    }

    [Theory]
    [InlineData("nonsense\n")]
    [InlineData(null)]
    public async Task A_list_goes_on_behind_a_chunk_that_cannot_be_read(string? content)
    {
        var chunks = new MemoryChunks();
        SkippedItem[] items = [new("/a", BackupErrorId.SourceItemUnreadable, "r"), new("/b", BackupErrorId.SourceItemVanished, "r")];
        var ids = new List<ChunkId>();
        foreach (SkippedItem item in items)
        {
            var writer = new SkippedItemsWriter(chunks);
            await writer.AddAsync(item, Cancel);
            ids.AddRange(await writer.ToChunksAsync(Cancel));
        }

        ChunkId damaged = content is null ? Chunk(99) : await chunks.WriteAsync(ChunkKind.SkippedItems, Encoding.UTF8.GetBytes(content), Cancel);
        ids.Insert(1, damaged);
        var told = new List<BackupException>();

        Assert.Equal(items, await SkippedItemsCodec.ReadAsync(chunks, ids, Cancel, told.Add).ToListAsync(Cancel));

        Assert.Contains(damaged.ToString(), Assert.Single(told).Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<BackupException>(async () => await SkippedItemsCodec.ReadAsync(chunks, ids, Cancel).ToListAsync(Cancel));
    }

    [Fact]
    public void An_id_of_a_newer_version_keeps_its_reason()
    {
        SkippedItem item = Assert.Single(SkippedItemsCodec.Read(Chunk(1), """{"path":"/a","id":"Newer","reason":"r"}"""u8.ToArray().Append((byte)'\n').ToArray()));

        Assert.Equal(new SkippedItem("/a", BackupErrorId.UnexpectedError, "r"), item);
    }

    [Theory]
    [InlineData("{}\n")]
    [InlineData("null\n")]
    [InlineData("{\"path\":\"/a\",\"id\":\"x\",\"reason\":\"r\"}")]
    [InlineData("nonsense\n")]
    public void Damaged_lines_are_refused(string text)
    {
        BackupException fault = Assert.Throws<BackupException>(() => SkippedItemsCodec.Read(Chunk(1), Encoding.UTF8.GetBytes(text)));

        Assert.Equal(BackupErrorId.VaultDataCorrupt, fault.Id);
    }
}
