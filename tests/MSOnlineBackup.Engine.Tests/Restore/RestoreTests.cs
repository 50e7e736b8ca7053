using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Storage;
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
            AssertRestored(vault, expected, target);
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
    public async Task Skip_leaves_what_is_there_and_reports_it()
    {
        await using RestoreFixture vault = await ConflictingAsync();
        MemoryTarget target = Occupied();

        (RestorePlan plan, RestoreResult result) = await vault.RestoreAsync(Request(await vault.PointAsync()), target);

        Assert.Equal("old"u8.ToArray(), target["src/a.txt"].Content);
        Assert.Equal("new b"u8.ToArray(), target["src/b"].Content);
        Assert.Equal([new("/src/a.txt", BackupErrorId.RestoreItemExists, vault.Skipped[0].Reason)], vault.Skipped);
        Assert.Equal((1, 1, 0), (plan.Conflicts, result.Skipped, result.AlreadyThere));
        Assert.False(target["src"].IsFinished);
    }

    [Fact]
    public async Task Overwrite_replaces_what_differs()
    {
        await using RestoreFixture vault = await ConflictingAsync();
        MemoryTarget target = Occupied();

        (RestorePlan plan, RestoreResult result) = await vault.RestoreAsync(Request(await vault.PointAsync(), RestoreConflict.Overwrite), target);

        Assert.Equal("new a"u8.ToArray(), target["src/a.txt"].Content);
        Assert.Equal((1, 2, 0), (plan.Conflicts, result.Files, result.Skipped));
        Assert.True(target["src"].IsFinished);
    }

    [Fact]
    public async Task Copy_restores_beside_what_is_there()
    {
        await using RestoreFixture vault = await ConflictingAsync();
        MemoryTarget target = Occupied();
        RestoreRequest request = Request(await vault.PointAsync(), RestoreConflict.Copy);

        await vault.RestoreAsync(request, target);
        target.Settle();
        await vault.RestoreAsync(request, target);

        Assert.Equal("old"u8.ToArray(), target["src/a.txt"].Content);
        Assert.Equal("new a"u8.ToArray(), target["src/a (restored).txt"].Content);
        Assert.Equal("new a"u8.ToArray(), target["src/a (restored 2).txt"].Content);
        Assert.Equal("new b"u8.ToArray(), target["src/b"].Content);
        Assert.False(target.Has("src/b (restored)"));
    }

    [Fact]
    public async Task Dated_copies_are_named_by_the_local_time_at_which_the_restore_began()
    {
        await using RestoreFixture vault = await ConflictingAsync();
        MemoryTarget target = Occupied();
        RestoreRequest request = Request(await vault.PointAsync(), RestoreConflict.Copy) with { CopyNames = CopyNames.Dated };
        vault.Clock.JumpTo(new DateTimeOffset(2026, 3, 4, 5, 6, 59, TimeSpan.Zero));

        await vault.RestoreAsync(request, target);
        target.Settle();
        await vault.RestoreAsync(request, target);

        Assert.Equal("old"u8.ToArray(), target["src/a.txt"].Content);
        Assert.Equal("new a"u8.ToArray(), target["src/2026-03-04 05-06 Copy of a.txt"].Content);
        Assert.Equal("new a"u8.ToArray(), target["src/2026-03-04 05-06 Copy (2) of a.txt"].Content);
    }

    [Fact]
    public async Task A_folder_whose_place_is_taken_fails_with_all_below_it_takes_it_or_gets_another_name()
    {
        await using RestoreFixture vault = await CreateAsync();
        vault.Folder("");
        vault.Folder("d");
        vault.Folder("d/e");
        await vault.FileAsync("d/e/a", "1");
        RecoveryPoint point = await vault.PointAsync();
        foreach (RestoreConflict conflict in (RestoreConflict[])[RestoreConflict.Skip, RestoreConflict.Overwrite, RestoreConflict.Copy])
        {
            vault.Skipped.Clear();
            var target = new MemoryTarget();
            target.Put("src/d", [1]);
            target.Settle();

            await vault.RestoreAsync(Request(point, conflict), target);

            Assert.Equal(conflict == RestoreConflict.Overwrite ? [] : [1], target["src/d"].Content);
            Assert.Equal(conflict == RestoreConflict.Overwrite, target.Has("src/d/e/a"));
            Assert.Equal(conflict == RestoreConflict.Copy, target.Has("src/d (restored)/e/a"));
            Assert.Equal(conflict == RestoreConflict.Skip ? ["/src/d", "/src/d/e", "/src/d/e/a"] : [], vault.Skipped.Select(item => item.Path));
        }
    }

    [Fact]
    public async Task A_rerun_that_overwrites_leaves_what_is_the_same()
    {
        await using RestoreFixture vault = await CreateAsync();
        await vault.RandomAsync(5, 200);
        RestoreRequest request = Request(await vault.PointAsync(), RestoreConflict.Overwrite);
        var target = new MemoryTarget();
        (_, RestoreResult first) = await vault.RestoreAsync(request, target);
        target.Settle();

        (RestorePlan plan, RestoreResult second) = await vault.RestoreAsync(request, target);

        Assert.Equal((first.Files, 0, 0), (second.AlreadyThere, second.Files, second.FetchedBytes));
        Assert.Equal((0, 0), (plan.Files, plan.PackBytes));
    }

    [Fact]
    public async Task Names_of_one_file_are_links_again()
    {
        await using RestoreFixture vault = await CreateAsync();
        vault.Folder("");
        vault.Folder("d");
        ManifestEntry first = await vault.FileAsync("a", "linked");
        foreach (string name in (string[])["a", "b", "d/c", "other"])
        {
            vault.AddFile(name, "linked"u8.ToArray(), first.Content, first.Metadata with { LinkCount = 3, DeviceId = name == "other" ? 2UL : 1, FileId = 7 });
        }

        var target = new MemoryTarget();
        (RestorePlan plan, RestoreResult result) = await vault.RestoreAsync(Request(await vault.PointAsync()), target);

        Assert.Same(target["src/a"], target["src/b"]);
        Assert.Same(target["src/a"], target["src/d/c"]);
        Assert.NotSame(target["src/a"], target["src/other"]);
        Assert.Equal((4, 12, 12), (result.Files, plan.Bytes, result.Bytes));
    }

    [Fact]
    public async Task More_names_than_a_file_can_have_are_those_of_further_files()
    {
        await using RestoreFixture vault = await CreateAsync();
        vault.Folder("");
        ManifestEntry first = await vault.FileAsync("a0", "linked");
        for (int i = 0; i < 8; i++)
        {
            vault.AddFile($"a{i}", "linked"u8.ToArray(), first.Content, first.Metadata with { LinkCount = 8, DeviceId = 1, FileId = 7 });
        }

        var target = new MemoryTarget { MostNames = 3 };
        (_, RestoreResult result) = await vault.RestoreAsync(Request(await vault.PointAsync()), target);

        Assert.Equal((8, 2), (result.Files, result.Skipped));
        Assert.All(vault.Skipped, item => Assert.Equal(BackupErrorId.RestoreMetadataFailed, item.Id));
        Assert.Equal(3, Enumerable.Range(0, 8).Select(i => target[$"src/a{i}"]).Distinct().Count());
        Assert.All(Enumerable.Range(0, 8), i => Assert.Equal("linked"u8.ToArray(), target[$"src/a{i}"].Content));
    }

    [Theory]
    [InlineData(EntryFlags.None, false, false)]
    [InlineData(EntryFlags.None, true, true)]
    [InlineData(EntryFlags.Racy, false, true)]
    public async Task The_very_file_that_was_backed_up_is_read_only_where_that_is_asked_for_or_its_times_prove_nothing(EntryFlags flags, bool verify, bool isRead)
    {
        await using RestoreFixture vault = await CreateAsync();
        ManifestEntry file = await vault.FileAsync("a", "content");
        vault.Add(file with { Flags = flags, Metadata = file.Metadata with { FileId = 7, Changed = new ItemTime(5) } });
        RestoreRequest request = Request(await vault.PointAsync(), RestoreConflict.Overwrite, verify);
        var target = new MemoryTarget();
        await vault.RestoreAsync(request, target);
        target.Settle();
        int reads = target.Reads;

        (_, RestoreResult result) = await vault.RestoreAsync(request, target);

        Assert.Equal((1, 0, verify ? 1 : 0), (result.AlreadyThere, result.Files, result.Verified));
        Assert.Equal(isRead, target.Reads > reads);
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
    public async Task A_file_that_took_over_a_number_is_no_link()
    {
        await using RestoreFixture vault = await CreateAsync();
        vault.Folder("");
        ManifestEntry a = await vault.FileAsync("a", "one");
        ManifestEntry b = await vault.FileAsync("b", "other");
        vault.Add(a with { Metadata = a.Metadata with { LinkCount = 2, DeviceId = 1, FileId = 7 } });
        vault.Add(b with { Metadata = b.Metadata with { LinkCount = 2, DeviceId = 1, FileId = 7 } });
        var target = new MemoryTarget();

        await vault.RestoreAsync(Request(await vault.PointAsync()), target);

        Assert.Equal("other"u8.ToArray(), target["src/b"].Content);
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
    public async Task What_could_not_be_read_is_reported_and_what_was_kept_is_restored()
    {
        await using RestoreFixture vault = await CreateAsync();
        vault.Folder("");
        vault.Add(new ManifestEntry { Path = EntryPath.Parse("unreadable"), Kind = EntryKind.File, Flags = EntryFlags.Unreadable, Size = 10, Metadata = new EntryMetadata() });
        vault.Add(new ManifestEntry { Path = EntryPath.Parse("locked"), Kind = EntryKind.Directory, Flags = EntryFlags.Unreadable, Metadata = new EntryMetadata() });
        vault.Add(await vault.FileAsync("kept", "1") with { Flags = EntryFlags.KeptFromEarlier });
        vault.Add(await vault.FileAsync("changed", "2") with { Flags = EntryFlags.ChangedWhileRead | EntryFlags.Racy });
        var target = new MemoryTarget();

        (RestorePlan plan, RestoreResult result) = await vault.RestoreAsync(Request(await vault.PointAsync()), target);

        Assert.Equal(1, result.KeptFromEarlier);
        Assert.Equal(["src", "src/changed", "src/kept", "src/locked"], target.Paths);
        Assert.Equal(["/src/locked", "/src/unreadable"], vault.Skipped.Select(item => item.Path));
        Assert.Equal(2, plan.Unrestorable);
    }

    [Fact]
    public async Task A_damaged_chunk_fails_its_files_names_the_pack_and_spares_the_others()
    {
        await using RestoreFixture vault = await CreateAsync();
        vault.Folder("");
        await vault.FileAsync("good", "good");
        byte[] shared = [.. Enumerable.Range(0, 2000).Select(i => (byte)i)];
        await vault.FileAsync("bad1", (shared, 0), ([1, 2, 3], 0));
        await vault.FileAsync("bad2", (shared, 0));
        RecoveryPoint point = await vault.PointAsync();
        string pack = await DamageAsync(vault, shared);
        var target = new MemoryTarget();

        await vault.RestoreAsync(Request(point), target);

        Assert.Equal(["src", "src/good"], target.Paths);
        Assert.Equal(["/src/bad1", "/src/bad2"], vault.Skipped.Select(item => item.Path).Order());
        Assert.All(vault.Skipped, item => Assert.Equal(BackupErrorId.VaultDataCorrupt, item.Id));
        Assert.All(vault.Skipped, item => Assert.Contains(pack, item.Reason, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Another_copy_of_a_damaged_or_missing_chunk_is_used(bool missing)
    {
        await using RestoreFixture vault = await CreateAsync();
        byte[] content = [.. Enumerable.Range(0, 2000).Select(i => (byte)i)];
        await using (WriteSession other = await vault.BeginOtherAsync())
        {
            vault.Folder("");
            await vault.FileAsync("a", (content, 0));
            await other.Chunks.WriteAsync(ChunkKind.Content, content, Cancel);
            await other.FlushAsync(Cancel);
        }

        RecoveryPoint point = await vault.PointAsync();
        ChunkStore store = await vault.OpenAsync();
        Assert.Equal(2, store.Index.FindAll(vault.Entries.Last().Content.Slices[0].Chunk!.Value).Count);
        if (missing)
        {
            vault.Objects.Remove(store.NameOf(store.Index.FindAll(vault.Entries.Last().Content.Slices[0].Chunk!.Value)[0].Pack));
        }
        else
        {
            await DamageAsync(vault, content);
        }

        var target = new MemoryTarget();
        (_, RestoreResult result) = await vault.RestoreAsync(Request(point, verify: true), target);

        Assert.Equal(content, target["src/a"].Content);
        Assert.Equal((0, 1), (result.Skipped, result.Verified));
    }

    [Fact]
    public async Task A_pack_that_cannot_be_read_fails_the_files_in_it_only_and_is_asked_a_few_times()
    {
        await using RestoreFixture vault = await CreateAsync();
        vault.Folder("");
        ManifestEntry lost = await vault.FileAsync("lost", "lost");
        for (int i = 0; i < 60; i++)
        {
            await vault.FileAsync($"lost{i}", ([(byte)i, 1, 2], 0));
        }

        await vault.FlushAsync();
        await vault.FileAsync("good", "good");
        RecoveryPoint point = await vault.PointAsync();
        ChunkStore store = await vault.OpenAsync();
        string pack = store.NameOf(store.Index.FindAll(lost.Content.Slices[0].Chunk!.Value)[0].Pack);
        HashSet<string> packs = [.. vault.Entries.Where(entry => entry.Path.ToString().StartsWith("lost", StringComparison.Ordinal))
            .Select(entry => store.NameOf(store.Index.FindAll(entry.Content.Slices[0].Chunk!.Value)[0].Pack))];
        var objects = new UnreadableObjects(vault.Objects, packs);
        var target = new MemoryTarget();

        (_, RestoreResult result) = await vault.RestoreAsync(Request(point), target, objects);

        Assert.Equal(["src", "src/good"], target.Paths);
        Assert.Equal((1, 61), (result.Files, result.Skipped));
        Assert.All(vault.Skipped, item => Assert.Equal(BackupErrorId.VaultDataUnreadable, item.Id));
        Assert.Contains(pack, vault.Skipped.First(item => item.Path == "/src/lost").Reason, StringComparison.Ordinal);
        Assert.InRange(objects.Refusals, 1, 12 * packs.Count);
    }

    [Fact]
    public async Task A_missing_pack_fails_the_files_in_it_only()
    {
        await using RestoreFixture vault = await CreateAsync();
        vault.Folder("");
        ManifestEntry lost = await vault.FileAsync("lost", "lost");
        await vault.FlushAsync();
        await vault.FileAsync("good", "good");
        RecoveryPoint point = await vault.PointAsync();
        ChunkStore store = await vault.OpenAsync();
        vault.Objects.Remove(store.NameOf(store.Index.FindAll(lost.Content.Slices[0].Chunk!.Value)[0].Pack));
        var target = new MemoryTarget();

        await vault.RestoreAsync(Request(point), target);

        Assert.Equal(["src", "src/good"], target.Paths);
        Assert.Equal(["/src/lost"], vault.Skipped.Select(item => item.Path));
    }

    [Fact]
    public async Task A_chunk_that_no_pack_has_fails_its_file_only()
    {
        await using RestoreFixture vault = await CreateAsync();
        vault.Folder("");
        await vault.FileAsync("good", "good");
        vault.AddFile("lost", [1], new EntryContent([new ContentSlice(new ChunkId(new byte[32]), 0, 1)], []));
        vault.AddFile("beyond", [1], new EntryContent([new ContentSlice(await vault.StoreAsync([1, 2, 3]), 2, 5)], []));
        vault.Add(vault.Entries.First(entry => entry.Path == EntryPath.Parse("beyond")) with { Size = 5 });
        var target = new MemoryTarget();

        await vault.RestoreAsync(Request(await vault.PointAsync()), target);

        Assert.Equal(["src", "src/good"], target.Paths);
        Assert.Equal([("/src/beyond", BackupErrorId.VaultDataCorrupt), ("/src/lost", BackupErrorId.VaultDataMissing)], vault.Skipped.Select(item => (item.Path, item.Id)).Order());
    }

    [Fact]
    public async Task A_damaged_part_of_the_manifest_is_reported_and_the_rest_restored()
    {
        await using RestoreFixture vault = await CreateAsync();
        vault.Folder("");
        ManifestEntry one = await vault.FileAsync("one", "1");
        for (int i = 0; i < 6000; i++)
        {
            vault.AddFile($"{i:d5}-{unchecked((uint)i * 2654435761):x8}{new string('n', 60)}", [.. "1"u8], one.Content);
        }

        RecoveryPoint point = await vault.PointAsync();
        ChunkStore store = await vault.OpenAsync();
        ManifestBlock[] leaves = NodeBlock.Read(
            await store.ReadAsync(ChunkKind.ManifestNode, point.Sources[0].Manifest.Id, Cancel),
            point.Sources[0].Manifest.Id,
            1,
            new ManifestTotals(point.Sources[0].Manifest.Entries, point.Sources[0].Manifest.Files, point.Sources[0].Manifest.Directories, point.Sources[0].Manifest.Bytes));
        Assert.True(leaves.Length > 2);
        Flip(vault, store, leaves[1].Id);
        var target = new MemoryTarget();

        (_, RestoreResult result) = await vault.RestoreAsync(Request(point), target);

        Assert.Equal(6001 - leaves[1].Totals.Files, result.Files);
        SkippedItem reported = Assert.Single(vault.Skipped);
        Assert.Equal(BackupErrorId.VaultDataCorrupt, reported.Id);
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
    public async Task One_file_that_cannot_be_written_does_not_stop_the_others()
    {
        await using RestoreFixture vault = await CreateAsync();
        await vault.RandomAsync(6, 200);
        int files = vault.Entries.Count(entry => entry.Kind == EntryKind.File);
        string victim = vault.Entries.First(entry => entry.Kind == EntryKind.File && entry.Size > 10).Path.ToString();
        var target = new MemoryTarget
        {
            BeforeWrite = path =>
            {
                if (path.ToString() == "src/" + victim)
                {
                    throw new BackupException(BackupErrorId.RestoreItemFailed, "Cannot.", "None.", victim);
                }
            },
        };

        (_, RestoreResult result) = await vault.RestoreAsync(Request(await vault.PointAsync()), target);

        Assert.Equal((files - 1, 1), (result.Files, result.Skipped));
        Assert.False(target.Has("src/" + victim));
    }

    [Fact]
    public async Task A_full_target_stops_the_restore_and_leaves_no_half_file()
    {
        await using RestoreFixture vault = await CreateAsync();
        await vault.RandomAsync(7, 300);
        RecoveryPoint point = await vault.PointAsync();
        int writes = 0;
        var target = new MemoryTarget
        {
            BeforeWrite = path =>
            {
                if (Interlocked.Increment(ref writes) > 50)
                {
                    throw new BackupException(BackupErrorId.RestoreTargetFull, "Full.", "None.");
                }
            },
        };

        BackupException fault = await Assert.ThrowsAsync<BackupException>(() => vault.RestoreAsync(Request(point), target));

        Assert.Equal(BackupErrorId.RestoreTargetFull, fault.Id);
        Assert.Equal(0, target.OpenFiles);
        AssertOnlyWholeFiles(vault, target);
    }

    [Fact]
    public async Task A_vault_that_is_gone_stops_the_restore()
    {
        await using RestoreFixture vault = await CreateAsync();
        await vault.RandomAsync(8, 300);
        RecoveryPoint point = await vault.PointAsync();
        for (int failAt = 1; failAt < 6; failAt++)
        {
            var target = new MemoryTarget();
            var faulty = new FaultyVaultStore(vault.Objects)
            {
                Kind = FaultKind.ForGood,
                FailAt = failAt,
                Counts = (call, name) => call == VaultCall.Read && name.Contains("/packs/", StringComparison.Ordinal),
            };

            BackupException fault = await Assert.ThrowsAsync<BackupException>(() => vault.RestoreAsync(Request(point), target, faulty));

            Assert.Equal(BackupErrorId.VaultUnreachable, fault.Id);
            Assert.Equal(0, target.OpenFiles);
            AssertOnlyWholeFiles(vault, target);
        }
    }

    [Fact]
    public async Task Stopping_leaves_no_half_file_and_a_rerun_continues()
    {
        await using RestoreFixture vault = await CreateAsync();
        await vault.RandomAsync(9, 300);
        RecoveryPoint point = await vault.PointAsync();
        using var stop = new CancellationTokenSource();
        int writes = 0;
        var target = new MemoryTarget
        {
            BeforeWrite = _ =>
            {
                if (Interlocked.Increment(ref writes) == 60)
                {
                    stop.Cancel();
                }
            },
        };

        RestoreRequest request = Request(point, RestoreConflict.Overwrite);
        vault.Stop = stop.Token;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => vault.RestoreAsync(request, target));
        vault.Stop = Cancel;
        Assert.Equal(0, target.OpenFiles);
        AssertOnlyWholeFiles(vault, target);
        target.Settle();

        (_, RestoreResult result) = await vault.RestoreAsync(request, target);

        Assert.True(result.AlreadyThere > 0);
        AssertRestored(vault, vault.Entries, target);
    }

    [Theory]
    [InlineData("a.txt", 1, "a (restored).txt")]
    [InlineData("a.txt", 2, "a (restored 2).txt")]
    [InlineData(".hidden", 1, ".hidden (restored)")]
    [InlineData("none", 3, "none (restored 3)")]
    public void The_name_beside_keeps_the_extension(string name, int number, string expected) =>
        Assert.Equal(expected, System.Text.Encoding.UTF8.GetString(new CopyNaming(CopyNames.Restored, default).NameBeside(System.Text.Encoding.UTF8.GetBytes(name), number)));

    private static async Task<RestoreFixture> ConflictingAsync()
    {
        RestoreFixture vault = await CreateAsync();
        vault.Folder("");
        await vault.FileAsync("a.txt", "new a");
        await vault.FileAsync("b", "new b");
        return vault;
    }

    private static MemoryTarget Occupied()
    {
        var target = new MemoryTarget();
        target.Put("src/a.txt", "old"u8.ToArray());
        target.Settle();
        return target;
    }

    private static async Task<string> DamageAsync(RestoreFixture vault, byte[] content)
    {
        ChunkStore store = await vault.OpenAsync();
        return Flip(vault, store, store.Identity.Compute(ChunkKind.Content, content));
    }

    private static string Flip(RestoreFixture vault, ChunkStore store, ChunkId id)
    {
        MSOnlineBackup.Vaults.Index.ChunkLocation location = store.Index.FindAll(id)[0];
        vault.Objects.FlipBit(store.NameOf(location.Pack), location.Chunk.Offset + 5);
        return store.NameOf(location.Pack);
    }

    private static void AssertRestored(RestoreFixture vault, IReadOnlyCollection<ManifestEntry> expected, MemoryTarget target)
    {
        foreach (ManifestEntry entry in expected)
        {
            MemoryTarget.Node item = target[("src/" + entry.Path).TrimEnd('/')];
            Assert.Equal(entry.Kind, item.Entry.Kind);
            Assert.Equal(entry.Metadata, item.Entry.Metadata);
            Assert.Equal(entry.LinkTarget.ToArray(), item.Entry.LinkTarget.ToArray());
            if (entry.Kind == EntryKind.File)
            {
                Assert.Equal(vault.Contents[entry.Path], item.Content);
            }
        }

        HashSet<string> allowed = [.. expected.SelectMany(entry => Ancestors(("src/" + entry.Path).TrimEnd('/')))];
        Assert.DoesNotContain(target.Paths, path => !allowed.Contains(path));
    }

    private static void AssertOnlyWholeFiles(RestoreFixture vault, MemoryTarget target)
    {
        foreach (ManifestEntry entry in vault.Entries.Where(entry => entry.Kind == EntryKind.File && target.Has("src/" + entry.Path)))
        {
            Assert.Equal(vault.Contents[entry.Path], target["src/" + entry.Path].Content);
        }
    }

    private static IEnumerable<string> Ancestors(string path)
    {
        for (; path.Length > 0; path = path.Contains('/', StringComparison.Ordinal) ? path[..path.LastIndexOf('/')] : "")
        {
            yield return path;
        }
    }

    /// <summary>A vault whose medium has lost some objects, while it answers for all others.</summary>
    private sealed class UnreadableObjects(IVaultStore inner, HashSet<string> names) : IVaultStore
    {
        private int _refusals;

        public int Refusals => _refusals;

        public string Location => inner.Location;

        public VaultStoreCapabilities Capabilities => inner.Capabilities;

        public ValueTask<bool> TryCreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken, VaultAccessTier tier = VaultAccessTier.Hot) =>
            inner.TryCreateAsync(name, content, cancellationToken, tier);

        public ValueTask<int> ReadAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken)
        {
            if (!names.Contains(name))
            {
                return inner.ReadAsync(name, offset, destination, cancellationToken);
            }

            Interlocked.Increment(ref _refusals);
            throw new BackupException(BackupErrorId.VaultDataUnreadable, $"'{name}' cannot be read: a test.", "None: a test.", name);
        }

        public ValueTask<StoredObject?> StatAsync(string name, CancellationToken cancellationToken) => inner.StatAsync(name, cancellationToken);

        public IAsyncEnumerable<StoredObject> ListAsync(string prefix, CancellationToken cancellationToken) => inner.ListAsync(prefix, cancellationToken);

        public ValueTask DeleteAsync(string name, CancellationToken cancellationToken) => inner.DeleteAsync(name, cancellationToken);
    }
}
