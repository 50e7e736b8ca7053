using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Stores;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Restore.RestoreFixture;

namespace MSOnlineBackup.Engine.Tests.Restore;

public class RestoreVerificationTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Verification_reads_back_and_finds_every_difference()
    {
        await using RestoreFixture vault = await CreateAsync();
        vault.Folder("");
        await vault.FileAsync("good", "good");
        await vault.FileAsync("hole", ([1, 2], 0), (null, 5000), ([3], 0));
        await vault.FileAsync("longer", "long");
        await vault.FileAsync("shorter", "short");
        ChunkId bundle = await vault.StoreAsync([.. "bundle"u8]);
        vault.AddFile("part", [.. "undle"u8], new EntryContent([new ContentSlice(bundle, 1, 5)], []));
        vault.AddFile("part-good", [.. "bun"u8], new EntryContent([new ContentSlice(bundle, 0, 3)], []));
        var target = new MemoryTarget
        {
            OnOpenRead = (path, content) =>
            {
                switch (path.ToString())
                {
                    case "src/hole":
                        content[4000] ^= 1;
                        return content;
                    case "src/part":
                        content[4] ^= 1;
                        return content;
                    case "src/longer":
                        return [.. content, 0];
                    case "src/shorter":
                        return content[..^1];
                    default:
                        return content;
                }
            },
        };

        (_, RestoreResult result) = await vault.RestoreAsync(Request(await vault.PointAsync(), verify: true), target);

        Assert.Equal(2, result.Verified);
        Assert.Equal(["/src/hole", "/src/longer", "/src/part", "/src/shorter"], vault.Skipped.Select(item => item.Path).Order());
        Assert.All(vault.Skipped, item => Assert.Equal(BackupErrorId.RestoreVerifyFailed, item.Id));
    }

    [Fact]
    public async Task A_wrong_codec_is_seen_for_a_chunks_name_is_computed_from_what_is_written()
    {
        await using RestoreFixture vault = await CreateAsync();
        vault.Folder("");
        await vault.FileAsync("good", "good");
        ChunkId whole = await vault.StoreWronglyAsync([.. "whole"u8], [.. "whale"u8]);
        vault.AddFile("whole", [.. "whole"u8], new EntryContent([new ContentSlice(whole, 0, 5)], []));
        ChunkId bundle = await vault.StoreWronglyAsync([.. "bundle"u8], [.. "bungle"u8]);
        vault.AddFile("begin", [.. "bun"u8], new EntryContent([new ContentSlice(bundle, 0, 3)], []));
        vault.AddFile("end", [.. "dle"u8], new EntryContent([new ContentSlice(bundle, 3, 3)], []));
        var target = new MemoryTarget();

        (_, RestoreResult result) = await vault.RestoreAsync(Request(await vault.PointAsync(), verify: true), target);

        // Of a bundle that gives other bytes nobody can tell which are right.
        Assert.Equal(["src", "src/good"], target.Paths);
        Assert.Equal(["/src/begin", "/src/end", "/src/whole"], vault.Skipped.Select(item => item.Path).Order());
        Assert.All(vault.Skipped, item => Assert.Equal(BackupErrorId.VaultDataCorrupt, item.Id));
        Assert.Equal(1, result.Verified);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Where_one_copy_gives_other_bytes_another_one_is_restored(bool wrongIsFirst)
    {
        await using RestoreFixture vault = await CreateAsync();
        vault.Folder("");
        await using WriteSession other = await vault.BeginOtherAsync();
        byte[] content = [.. "the right bytes"u8];
        byte[] wrong = [.. "the wrong bytes"u8];
        ChunkId id = wrongIsFirst ? await vault.StoreWronglyAsync(content, wrong) : await other.Chunks.WriteAsync(ChunkKind.Content, content, Cancel);
        await (wrongIsFirst ? vault.FlushAsync() : other.FlushAsync(Cancel));
        await (wrongIsFirst ? other.Chunks.WriteAsync(ChunkKind.Content, content, Cancel).AsTask() : vault.StoreWronglyAsync(content, wrong));
        await (wrongIsFirst ? other.FlushAsync(Cancel) : vault.FlushAsync());
        vault.AddFile("file", content, new EntryContent([new ContentSlice(id, 0, content.Length)], []));
        var target = new MemoryTarget();

        (_, RestoreResult result) = await vault.RestoreAsync(Request(await vault.PointAsync(), verify: true), target);

        Assert.Equal(content, target["src/file"].Content);
        Assert.Equal((1, 1), (result.Files, result.Verified));
    }

    [Fact]
    public async Task What_is_there_is_not_taken_for_verified_because_a_wrong_codec_gives_it_too()
    {
        await using RestoreFixture vault = await CreateAsync();
        vault.Folder("");
        ChunkId good = await vault.StoreAsync([.. "good"u8]);
        ChunkId whole = await vault.StoreWronglyAsync([.. "whole"u8], [.. "whale"u8]);
        ContentSlice[] slices = [new(good, 0, 4), new(null, 0, 2), new(whole, 0, 5)];
        vault.AddFile("file", [.. "good\0\0whole"u8], new EntryContent(slices, []));
        ChunkId bundle = await vault.StoreWronglyAsync([.. "bundle"u8], [.. "bungle"u8]);
        var linked = new EntryMetadata { LinkCount = 2, FileId = 7, DeviceId = 1 };
        vault.AddFile("part", [.. "ndl"u8], new EntryContent([new ContentSlice(bundle, 2, 3)], []), linked);
        var target = new MemoryTarget();
        target.Put("src/file", [.. "good\0\0whale"u8]);
        target.Put("src/part", [.. "ngl"u8]);
        target.Settle();

        (_, RestoreResult result) = await vault.RestoreAsync(Request(await vault.PointAsync(), RestoreConflict.Overwrite, verify: true), target);

        Assert.Equal(0, result.Verified);
        Assert.Equal(["/src/file", "/src/part"], vault.Skipped.Select(item => item.Path).Order());
        Assert.All(vault.Skipped, item => Assert.Equal(BackupErrorId.VaultDataCorrupt, item.Id));
        Assert.Equal([.. "good\0\0whale"u8], target["src/file"].Content);
    }

    // A part of a bundle and a whole chunk that are kept, a hole, and a chunk that is written: each byte of the file is read again.
    [Theory]
    [InlineData(null)]
    [InlineData(0)]
    [InlineData(5)]
    [InlineData(9)]
    [InlineData(12)]
    public async Task Every_byte_of_a_file_that_was_kept_in_part_is_read_again(int? wrongAt)
    {
        await using RestoreFixture vault = await CreateAsync();
        vault.Folder("");
        ChunkId bundle = await vault.StoreAsync([.. "a bundle"u8]);
        ChunkId kept = await vault.StoreAsync([.. "kept"u8]);
        ChunkId written = await vault.StoreAsync([.. "new"u8]);
        ContentSlice[] slices = [new(bundle, 2, 4), new(kept, 0, 4), new(null, 0, 3), new(written, 0, 3)];
        vault.AddFile("file", [.. "bundkept\0\0\0new"u8], new EntryContent(slices, []));
        var target = new MemoryTarget
        {
            OnComplete = (_, content) =>
            {
                if (wrongAt is { } at)
                {
                    content[at] ^= 0x10;
                }

                return content;
            },
        };
        target.Put("src/file", [.. "bundkept\0\0\0old"u8]);
        target.Settle();

        (_, RestoreResult result) = await vault.RestoreAsync(Request(await vault.PointAsync(), RestoreConflict.Overwrite, verify: true), target);

        Assert.Equal(wrongAt is null ? 1 : 0, result.Verified);
        Assert.Equal(wrongAt is null ? [] : [BackupErrorId.RestoreVerifyFailed], vault.Skipped.Select(item => item.Id));
    }
}
