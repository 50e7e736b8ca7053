using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Stores;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Restore.RestoreFixture;

namespace MSOnlineBackup.Engine.Tests.Restore;

public class RestoreTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task Random_selections_of_random_trees_come_back_as_they_were(int seed)
    {
        await using RestoreFixture vault = await CreateAsync();
        await vault.RandomAsync(seed, 600);
        RecoveryPoint point = await vault.PointAsync();
        var random = new Random(seed);
        List<ManifestEntry> entries = [.. vault.Entries];
        for (int round = 0; round < 6; round++)
        {
            EntryPath[] wanted = round == 0 ? [EntryPath.Root] : [.. Enumerable.Range(0, round).Select(_ => entries[random.Next(entries.Count)].Path)];
            var target = new MemoryTarget();

            (RestorePlan plan, RestoreResult result) = await vault.RestoreAsync(
                Request(point, verify: round % 2 == 0, paths: [.. wanted.Select(path => SourcePath.Join(PathForm.Posix, "/src", path))]), target);

            List<ManifestEntry> expected = entries.FindAll(entry => wanted.Any(path => entry.Path.IsAtOrBelow(path) || path.IsAtOrBelow(entry.Path)));
            RestoredTree.AssertSame(vault, expected, target);
            int files = expected.Count(entry => entry.Kind == EntryKind.File);
            Assert.Equal((files, expected.Count(e => e.Kind == EntryKind.Directory)), (result.Files, result.Directories));
            Assert.Equal((plan.Files, plan.Directories, plan.Others, plan.Bytes), (result.Files, result.Directories, result.Others, result.Bytes));
            Assert.Equal(plan.PackBytes, result.FetchedBytes);
            Assert.Equal((0, 0, round % 2 == 0 ? files : 0), (plan.Conflicts, result.Skipped, result.Verified));
        }
    }

    [Fact]
    public async Task A_chunk_that_many_files_share_is_fetched_once()
    {
        await using RestoreFixture vault = await CreateAsync();
        byte[] content = new byte[100_000];
        new Random(1).NextBytes(content);
        vault.Folder("");
        for (int i = 0; i < 50; i++)
        {
            await vault.FileAsync($"f{i}", (content, 0));
        }

        (RestorePlan plan, RestoreResult result) = await vault.RestoreAsync(Request(await vault.PointAsync()), new MemoryTarget());

        Assert.Equal(50 * 100_000, result.Bytes);
        Assert.InRange(result.FetchedBytes, 1, 101_000);
        Assert.Equal(1, plan.Packs);
    }

    [Fact]
    public async Task What_ends_the_walk_is_told_even_where_it_looks_like_a_stop_that_nobody_asked_for()
    {
        await using RestoreFixture vault = await CreateAsync();
        await vault.FileAsync("a", "content");
        RecoveryPoint point = await vault.PointAsync();
        var faulty = new FaultyVaultStore(vault.Objects) { FailEvery = 1, Kind = FaultKind.Cancellation, Counts = (_, name) => name.Contains("/packs/", StringComparison.Ordinal) };

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => vault.RestoreAsync(Request(point), new MemoryTarget(), faulty));
    }

    [Fact]
    public async Task A_path_that_the_point_lacks_is_named()
    {
        await using RestoreFixture vault = await CreateAsync();
        vault.Folder("");
        RecoveryPoint point = await vault.PointAsync();

        BackupException fault = await Assert.ThrowsAsync<BackupException>(() => vault.RestoreAsync(Request(point, paths: ["/src/none"]), new MemoryTarget()));

        Assert.Equal(BackupErrorId.RecoverableItemNotFound, fault.Id);
        Assert.Equal("/src/none", fault.Target);
    }

    [Fact]
    public async Task A_path_above_a_source_takes_the_source_as_a_whole()
    {
        await using RestoreFixture vault = await CreateAsync();
        vault.Folder("");
        await vault.FileAsync("a", "1");
        var target = new MemoryTarget();

        await vault.RestoreAsync(Request(await vault.PointAsync("/home/me"), paths: ["/home"]), target);

        Assert.Equal(["home", "home/me", "home/me/a"], target.Paths);
        Assert.Equal(0x1edU, target["home"].Entry.Metadata.Mode);
    }

    [Fact]
    public async Task Overlapping_paths_restore_an_item_once()
    {
        await using RestoreFixture vault = await CreateAsync();
        vault.Folder("");
        vault.Folder("d");
        await vault.FileAsync("d/a", "1");

        (_, RestoreResult result) = await vault.RestoreAsync(Request(await vault.PointAsync(), paths: ["/src/d/a", "/src/d", "/src/d/"]), new MemoryTarget());

        Assert.Equal((1, 2), (result.Files, result.Directories));
    }

    [Fact]
    public async Task A_single_file_as_a_source_is_restored()
    {
        await using RestoreFixture vault = await CreateAsync();
        await vault.FileAsync("", "dump");
        var target = new MemoryTarget();

        await vault.RestoreAsync(Request(await vault.PointAsync("dump.sql")), target);

        Assert.Equal("dump"u8.ToArray(), target["dump.sql"].Content);
    }

    [Fact]
    public async Task The_root_as_a_source_leaves_the_target_folder_its_own_metadata()
    {
        await using RestoreFixture vault = await CreateAsync();
        vault.Folder("");
        vault.Folder("etc");
        await vault.FileAsync("etc/a", "1");
        var target = new MemoryTarget();

        await vault.RestoreAsync(Request(await vault.PointAsync("/"), RestoreConflict.Overwrite), target);

        Assert.False(target[""].IsFinished);
        Assert.True(target["etc"].IsFinished);
        Assert.True(target.Has("etc/a"));
    }

    [Fact]
    public async Task What_was_written_is_on_the_medium_when_the_restore_ends()
    {
        await using RestoreFixture vault = await CreateAsync();
        await vault.FileAsync("a", "content");
        RecoveryPoint point = await vault.PointAsync();
        var target = new MemoryTarget();
        var other = new MemoryTarget();

        await vault.RestoreAsync(Request(point), target);
        await vault.RestoreAsync(Request(point) with { Synchronize = false }, other);

        Assert.True(target.IsSynchronized);
        Assert.False(other.IsSynchronized);
    }

    [Fact]
    public async Task What_only_a_later_version_knows_is_reported_and_the_rest_is_restored()
    {
        await using RestoreFixture vault = await CreateAsync();
        vault.Folder("");
        vault.Add(await vault.FileAsync("kind", "1") with { Kind = (EntryKind)9 });
        vault.Add(await vault.FileAsync("critical", "2") with { UnknownFields = [new UnknownField(32, "x"u8.ToArray())] });
        vault.Add(await vault.FileAsync("optional", "3") with { UnknownFields = [new UnknownField(31, "x"u8.ToArray())] });
        vault.Add(await vault.FileAsync("flag", "4") with { Flags = (EntryFlags)(1 << 20) });
        vault.Add(await vault.FileAsync("attribute", "5") with { Attributes = [new EntryAttribute((AttributeTag)99, default, "x"u8.ToArray())] });
        var target = new MemoryTarget();

        (RestorePlan plan, _) = await vault.RestoreAsync(Request(await vault.PointAsync()), target);

        Assert.Equal(["src", "src/attribute", "src/flag", "src/optional"], target.Paths);
        Assert.Equal(["/src/critical", "/src/kind"], vault.Skipped.Select(item => item.Path));
        Assert.All(vault.Skipped, item => Assert.Contains("later version", item.Reason, StringComparison.Ordinal));
        Assert.Equal(2, plan.Unrestorable);
    }

    [Fact]
    public async Task A_stream_s_name_comes_back_as_it_was()
    {
        await using RestoreFixture vault = await CreateAsync();
        vault.Add(await vault.FileAsync("", "dump"));
        var target = new MemoryTarget();

        await vault.RestoreAsync(Request(await vault.PointAsync("a:b.sql")), target);

        Assert.Equal(["a:b.sql"], target.Paths);
    }

    [Fact]
    public async Task A_file_of_more_slices_than_a_batch_holds_is_restored()
    {
        await using RestoreFixture vault = await CreateAsync();
        vault.Folder("");
        byte[][] pieces = [.. Enumerable.Range(0, 7).Select(i => Enumerable.Repeat((byte)i, 10 + i).ToArray())];
        ChunkId[] ids = [.. await Task.WhenAll(pieces.Select(vault.StoreAsync))];
        var lists = new List<SliceListReference>();
        var whole = new List<byte>();
        for (int list = 0; list < 30; list++)
        {
            var slices = new List<ContentSlice>();
            for (int i = 0; i < 1500; i++)
            {
                int piece = (list + i) % 8;
                slices.Add(piece == 7 ? new ContentSlice(null, 0, 3) : new ContentSlice(ids[piece], 0, pieces[piece].Length));
                whole.AddRange(piece == 7 ? new byte[3] : pieces[piece]);
            }

            await using WriteSession other = await vault.BeginOtherAsync();
            ChunkId id = await other.Chunks.WriteAsync(ChunkKind.SliceList, SliceListCodec.Encode(slices), Cancel);
            await other.FlushAsync(Cancel);
            lists.Add(new SliceListReference(id, slices.Sum(slice => slice.Length)));
        }

        vault.AddFile("huge", [.. whole], new EntryContent([], lists));
        await vault.FileAsync("next", "1");
        var target = new MemoryTarget();

        (RestorePlan plan, RestoreResult result) = await vault.RestoreAsync(Request(await vault.PointAsync(), verify: true), target);

        Assert.Equal([.. whole], target["src/huge"].Content);
        Assert.Equal((2, 2), (result.Files, result.Verified));
        Assert.Equal(plan.PackBytes, result.FetchedBytes);
    }
}
