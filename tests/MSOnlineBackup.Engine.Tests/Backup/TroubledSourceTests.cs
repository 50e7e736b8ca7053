using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Engine.Tests.Cryptography;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Backup.BackupFixture;

namespace MSOnlineBackup.Engine.Tests.Backup;

/// <summary>Sources that change, fail or are missing while they are backed up.</summary>
public sealed class TroubledSourceTests : IDisposable
{
    private const int Small = 5_000;
    private const int Large = 3_000_000;

    private readonly BackupFixture _backups = new();

    public void Dispose() => _backups.Dispose();

    [Theory]
    [InlineData(Small)]
    [InlineData(Large)]
    public async Task A_file_that_cannot_be_read_keeps_its_earlier_version_and_is_told(int size)
    {
        byte[] old = TestKeys.Bytes(1, size);
        Source().File("file", old);
        await _backups.BackUpAsync(Request("/data"));
        Source().File("file", TestKeys.Bytes(2, size), state: 2)["file"].RefusesOpen = FakeSourceTree.Unreadable("/data/file");

        var told = new List<SkippedItem>();
        BackupResult result = await _backups.BackUpAsync(Request("/data"), new JobMonitor { ItemSkipped = told.Add });

        ManifestEntry kept = (await _backups.EntriesAsync(result.Point))["/data/file"];
        Assert.Equal((EntryFlags.KeptFromEarlier, new ItemTime(0, 1)), (kept.Flags, kept.Metadata.Changed));
        Assert.Equal(old, await _backups.ReadAsync(result.Point, "/data/file"));
        Assert.Equal(RecoveryPointStatus.CompletedWithWarnings, result.Point.Status);
        Assert.Equal(
            ("/data/file", BackupErrorId.SourceItemUnreadable),
            Assert.Single(await _backups.SkippedAsync(result.Point)) is var item ? (item.Path, item.Id) : default);
        Assert.Single(told);

        Source().File("file", TestKeys.Bytes(2, size), state: 2);
        Assert.Equal(size, (await _backups.BackUpAsync(Request("/data"))).ReadBytes);
    }

    [Theory]
    [InlineData(Small)]
    [InlineData(Large)]
    public async Task What_a_program_goes_on_writing_to_is_taken_as_it_is_and_read_again_by_the_next_backup(int size)
    {
        byte[] found = TestKeys.Bytes(2, size);
        FakeSourceTree source = Source().File("file", TestKeys.Bytes(1, size)).File("gone", TestKeys.Bytes(3, Small));
        source["file"].ContentWhenOpened = found;
        source["file"].KeepsChanging = true;
        source["gone"].RefusesOpen = FakeSourceTree.Vanished("/data/gone");

        BackupResult result = await _backups.BackUpAsync(Request("/data") with { IsLive = true, Conclude = _ => Task.FromResult<IReadOnlyList<string>>(["told at the end"]) });

        Dictionary<string, ManifestEntry> entries = await _backups.EntriesAsync(result.Point);
        Assert.Equal(EntryFlags.Racy, entries["/data/file"].Flags);
        Assert.DoesNotContain("/data/gone", entries.Keys);
        Assert.Equal((RecoveryPointStatus.Completed, 0L), (result.Point.Status, result.Point.SkippedCount));
        Assert.Contains("told at the end", result.Point.Tags);

        Source().File("file", found);
        Assert.Equal(size, (await _backups.BackUpAsync(Request("/data"))).ReadBytes);
    }

    [Fact]
    public async Task What_cannot_be_read_of_what_a_program_goes_on_writing_to_fails_the_backup()
    {
        Source().File("file", TestKeys.Bytes(1, Small));
        await _backups.BackUpAsync(Request("/data"));
        Source().File("file", TestKeys.Bytes(2, Small), state: 2)["file"].RefusesOpen = FakeSourceTree.Unreadable("/data/file");

        BackupException failed = await _backups.FailAsync(Request("/data") with { IsLive = true });
        BackupException lost = await _backups.FailAsync(Request("/data", "/nowhere") with { IsLive = true });

        Assert.Equal((BackupErrorId.WorkloadFileUnreadable, "/data/file"), (failed.Id, failed.Target));
        Assert.Equal(BackupErrorId.WorkloadFileUnreadable, lost.Id);
        Assert.Single(await (await _backups.OpenAsync()).ListPointsAsync(BackupFixture.Machine, Cancel));
    }

    [Theory]
    [InlineData(Small)]
    [InlineData(Large)]
    public async Task A_file_that_breaks_off_while_it_is_read_leaves_no_half_version(int size)
    {
        byte[] old = TestKeys.Bytes(1, size);
        byte[] next = TestKeys.Bytes(3, size);
        Source().File("file", old).File("next", next);
        await _backups.BackUpAsync(Request("/data"));
        FakeSourceTree source = Source().File("file", TestKeys.Bytes(2, size), state: 2).File("next", next, state: 2);
        source["file"].Reading = offset => Fail(offset >= size / 2 || size == Small, FakeSourceTree.Unreadable("/data/file"));

        BackupResult result = await _backups.BackUpAsync(Request("/data"));

        Assert.Equal(EntryFlags.KeptFromEarlier, (await _backups.EntriesAsync(result.Point))["/data/file"].Flags);
        Assert.Equal(old, await _backups.ReadAsync(result.Point, "/data/file"));
        Assert.Equal(next, await _backups.ReadAsync(result.Point, "/data/next"));
    }

    [Fact]
    public async Task What_was_never_readable_has_its_place_but_no_content()
    {
        Source().File("file", TestKeys.Bytes(1, Small))["file"].RefusesOpen = FakeSourceTree.Unreadable("/data/file");

        BackupResult result = await _backups.BackUpAsync(Request("/data"));

        ManifestEntry entry = (await _backups.EntriesAsync(result.Point))["/data/file"];
        Assert.Equal(EntryFlags.Unreadable, entry.Flags);
        Assert.Empty(entry.Content.Slices);
        Assert.Empty((await _backups.VerifyAsync()).Findings);
    }

    [Fact]
    public async Task A_folder_that_cannot_be_listed_keeps_all_that_it_held()
    {
        byte[] content = TestKeys.Bytes(1, Small);
        Source().Folder("folder").Folder("folder/sub").File("folder/sub/file", content).File("folder/x", content).File("folderx", content);
        await _backups.BackUpAsync(Request("/data"));
        FakeSourceTree source = Source().Folder("folder").File("folderx", content);
        source["folder"].Refuses = FakeSourceTree.Unreadable("/data/folder");

        BackupResult result = await _backups.BackUpAsync(Request("/data"));

        Dictionary<string, ManifestEntry> entries = await _backups.EntriesAsync(result.Point);
        Assert.Equal(
            ["/data", "/data/folder", "/data/folder/sub", "/data/folder/sub/file", "/data/folder/x", "/data/folderx"],
            entries.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(EntryFlags.KeptFromEarlier, entries["/data/folder/sub/file"].Flags);
        Assert.Equal(EntryFlags.None, entries["/data/folderx"].Flags);
        Assert.Equal(content, await _backups.ReadAsync(result.Point, "/data/folder/sub/file"));
    }

    [Theory]
    [InlineData(Small - 1000)]
    [InlineData(Small)]
    [InlineData(Small + 1000)]
    public async Task A_small_file_that_changes_once_while_it_is_read_is_read_again_and_whole(int sizeWhenRead)
    {
        byte[] found = TestKeys.Bytes(2, sizeWhenRead);
        FakeSourceTree source = Source().File("file", TestKeys.Bytes(1, Small)).File("z", TestKeys.Bytes(6, Small));
        source["file"].ContentWhenOpened = found;

        BackupResult result = await _backups.BackUpAsync(Request("/data"));

        Assert.Equal(RecoveryPointStatus.Completed, result.Point.Status);
        ManifestEntry entry = (await _backups.EntriesAsync(result.Point))["/data/file"];
        Assert.Equal((EntryFlags.None, (long)sizeWhenRead), (entry.Flags, entry.Size));
        Assert.Equal(found, await _backups.ReadAsync(result.Point, "/data/file"));
        Assert.Equal(1, source["z"].Stats);
    }

    [Theory]
    [InlineData(Small, Small - 1000)]
    [InlineData(Small, 0)]
    [InlineData(Small, Small + 1000)]
    [InlineData(Small, Small)]
    [InlineData(Large, Large - 1_000_000)]
    [InlineData(Large, 0)]
    [InlineData(Large, Large + 1_000_000)]
    [InlineData(Large, Large)]
    public async Task A_file_that_changes_while_it_is_read_is_taken_as_far_as_it_was_long_and_told(int size, int sizeWhenRead)
    {
        byte[] found = TestKeys.Bytes(2, sizeWhenRead);
        FakeSourceTree source = Source().File("a", TestKeys.Bytes(5, Small)).File("file", TestKeys.Bytes(1, size)).File("z", TestKeys.Bytes(6, Small));
        source["file"].ContentWhenOpened = found;
        source["file"].KeepsChanging = true;

        BackupResult result = await _backups.BackUpAsync(Request("/data"));

        // A small one was read again, by the length that it had then.
        ManifestEntry entry = (await _backups.EntriesAsync(result.Point))["/data/file"];
        Assert.Equal((EntryFlags.ChangedWhileRead, size == Small ? sizeWhenRead : (long)Math.Min(size, sizeWhenRead)), (entry.Flags, entry.Size));
        Assert.Equal(found[..(int)entry.Size], await _backups.ReadAsync(result.Point, "/data/file"));
        Assert.Equal(TestKeys.Bytes(6, Small), await _backups.ReadAsync(result.Point, "/data/z"));
        Assert.Equal(BackupErrorId.SourceItemChanged, Assert.Single(await _backups.SkippedAsync(result.Point)).Id);

        // The times it was found with prove nothing.
        Source().File("a", TestKeys.Bytes(5, Small)).File("file", TestKeys.Bytes(1, size)).File("z", TestKeys.Bytes(6, Small));
        BackupResult next = await _backups.BackUpAsync(Request("/data"));
        Assert.Equal((size, RecoveryPointStatus.Completed), (next.ReadBytes, next.Point.Status));
        Assert.Equal(TestKeys.Bytes(1, size), await _backups.ReadAsync(next.Point, "/data/file"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_file_that_vanishes_is_not_in_the_point_and_told(bool known)
    {
        byte[] content = TestKeys.Bytes(1, Small);
        if (known)
        {
            Source().File("file", content);
            await _backups.BackUpAsync(Request("/data"));
        }

        FakeSourceTree source = Source().File("file", content, state: 2).File("other", content);
        source["file"].RefusesOpen = FakeSourceTree.Vanished("/data/file");

        BackupResult result = await _backups.BackUpAsync(Request("/data"));

        Assert.Equal(["/data", "/data/other"], (await _backups.EntriesAsync(result.Point)).Keys.Order(StringComparer.Ordinal));
        Assert.Equal(BackupErrorId.SourceItemVanished, Assert.Single(await _backups.SkippedAsync(result.Point)).Id);
    }

    [Fact]
    public async Task A_missing_source_makes_no_point_and_leaves_the_earlier_one()
    {
        byte[] content = TestKeys.Bytes(1, Small);
        Source().File("file", content);
        BackupResult first = await _backups.BackUpAsync(Request("/data"));

        Assert.Equal(BackupErrorId.SourceNotFound, (await _backups.FailAsync(Request("/gone"))).Id);

        Assert.Single(_backups.Points);
        Assert.Equal(content, await _backups.ReadAsync(first.Point, "/data/file"));
    }

    [Fact]
    public async Task A_real_folder_that_is_missing_is_told_by_its_name()
    {
        string missing = Path.Combine(_backups.Root, "missing");

        BackupException fault = await _backups.FailAsync(Request(missing));

        Assert.Equal(BackupErrorId.SourceNotFound, fault.Id);
        Assert.Contains(missing, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_to_back_up_is_an_error() => Assert.Equal(BackupErrorId.SourceMissing, (await _backups.FailAsync(Request())).Id);

    [Fact]
    public async Task Of_two_sources_the_one_that_is_there_is_backed_up_and_the_other_is_not_forgotten()
    {
        byte[] content = TestKeys.Bytes(1, Large);
        Source("/a").File("file", content);
        Source("/b").File("file", content);
        await _backups.BackUpAsync(Request("/a", "/b"));
        _backups.Fakes.Remove("/a");

        BackupResult without = await _backups.BackUpAsync(Request("/a", "/b"));

        Assert.Equal(["/b"], without.Point.Sources.Select(source => source.Path));
        Assert.Equal(RecoveryPointStatus.CompletedWithWarnings, without.Point.Status);
        Assert.Equal(BackupErrorId.SourceNotFound, Assert.Single(await _backups.SkippedAsync(without.Point)).Id);
        Assert.Equal(("/a", BackupErrorId.SourceNotFound), Assert.Single(without.LostSources) is var lost ? (lost.Name, lost.Failure.Id) : default);

        // When it is back, it is compared with the last point that had it.
        Source("/a").File("file", content);
        BackupResult back = await _backups.BackUpAsync(Request("/a", "/b"));
        Assert.Equal((2, 0L), (back.Point.Sources.Count, back.ReadBytes));
    }

    [Fact]
    public async Task A_volume_that_is_not_mounted_is_not_taken_for_an_empty_one()
    {
        _backups.Fakes["/volume"] = new FakeSourceTree("/volume") { IsMountPoint = true }.Folder("").File("file", TestKeys.Bytes(1, Small));
        await _backups.BackUpAsync(Request("/volume"));
        _backups.Fakes["/volume"] = new FakeSourceTree("/volume").Folder("");

        Assert.Equal(BackupErrorId.SourceNotMounted, (await _backups.FailAsync(Request("/volume"))).Id);

        Assert.Single(_backups.Points);
        await _backups.BackUpAsync(Request("/volume") with { ReadEverything = true });
        Assert.Equal(2, _backups.Points.Count);
        await _backups.BackUpAsync(Request("/volume"));
    }

    [Fact]
    public async Task What_a_listing_missed_is_looked_at_before_it_counts_as_deleted()
    {
        byte[] content = TestKeys.Bytes(1, Small);
        FakeSourceTree source =
            Source().File("a", content).Folder("b").File("b/1", content).Folder("b/2").File("b/2/x", content).File("c", content).File("z", content);
        await _backups.BackUpAsync(Request("/data"));
        source.Missed.UnionWith(["a", "b", "z"]);

        BackupResult result = await _backups.BackUpAsync(Request("/data"));

        Assert.Equal(
            ["/data", "/data/a", "/data/b", "/data/b/1", "/data/b/2", "/data/b/2/x", "/data/c", "/data/z"],
            (await _backups.EntriesAsync(result.Point)).Keys.Order(StringComparer.Ordinal));
        Assert.Equal((0L, RecoveryPointStatus.Completed), (result.ReadBytes, result.Point.Status));
    }

    [Theory]
    [InlineData(0, Small)]
    [InlineData(0, Large)]
    [InlineData(Small - 1000, Small)]
    [InlineData(200_000, Large)]
    [InlineData(4096, Large)]
    public async Task A_file_whose_size_is_told_too_small_is_read_to_its_end(int told, int size)
    {
        byte[] content = TestKeys.Bytes(1, size);
        Source().File("a", TestKeys.Bytes(2, Small)).File("file", content).File("z", TestKeys.Bytes(3, Small))["file"].FalseSize = told;

        BackupResult result = await _backups.BackUpAsync(Request("/data"));

        Assert.Equal(content, await _backups.ReadAsync(result.Point, "/data/file"));
        Assert.Equal(TestKeys.Bytes(2, Small), await _backups.ReadAsync(result.Point, "/data/a"));
        Assert.Equal(TestKeys.Bytes(3, Small), await _backups.ReadAsync(result.Point, "/data/z"));
        Assert.Equal(RecoveryPointStatus.Completed, result.Point.Status);
    }

    [Fact]
    public async Task An_attribute_that_cannot_be_read_costs_nothing_else_is_told_and_tried_again()
    {
        byte[] content = TestKeys.Bytes(1, Small);
        FakeItem file = Source().File("file", content)["file"];
        file.Attributes = [new EntryAttribute(AttributeTag.Unread, "user.a"u8.ToArray(), default)];
        file.Faults.Add(new BackupException(BackupErrorId.SourceAttributeUnreadable, "It cannot be read.", "None: a test."));

        for (int round = 0; round < 2; round++)
        {
            BackupResult result = await _backups.BackUpAsync(Request("/data"));
            Assert.Equal(BackupErrorId.SourceAttributeUnreadable, Assert.Single(await _backups.SkippedAsync(result.Point)).Id);
            Assert.Equal(content, await _backups.ReadAsync(result.Point, "/data/file"));
            Assert.Equal(round == 0 ? Small : 0, result.ReadBytes);
        }

        file.Attributes = [new EntryAttribute(AttributeTag.ExtendedAttribute, "user.a"u8.ToArray(), "b"u8.ToArray())];
        file.Faults.Clear();
        BackupResult mended = await _backups.BackUpAsync(Request("/data"));
        Assert.Equal((0L, RecoveryPointStatus.Completed), (mended.ReadBytes, mended.Point.Status));
        Assert.Equal(AttributeTag.ExtendedAttribute, Assert.Single((await _backups.EntriesAsync(mended.Point))["/data/file"].Attributes).Tag);
    }

    [Fact]
    public async Task A_disk_below_a_source_that_is_not_mounted_is_not_taken_for_an_empty_folder()
    {
        byte[] content = TestKeys.Bytes(1, Small);
        BackupRequest request = Request("/data") with { Sources = [new BackupSource.Tree("/data", new SourceSelection { CrossMountPoints = true })] };
        Source().Folder("disk").File("disk/file", content).File("other", content)["disk"].IsMount = true;
        await _backups.BackUpAsync(request);
        Source().Folder("disk", state: 2).File("disk/beneath", content).File("other", content);

        BackupResult result = await _backups.BackUpAsync(request);

        Dictionary<string, ManifestEntry> entries = await _backups.EntriesAsync(result.Point);
        Assert.Equal(["/data", "/data/disk", "/data/disk/file", "/data/other"], entries.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(EntryFlags.KeptFromEarlier, entries["/data/disk/file"].Flags);
        Assert.Equal(BackupErrorId.SourceNotMounted, Assert.Single(await _backups.SkippedAsync(result.Point)).Id);

        // Still kept the next time, and given up on request.
        Assert.Contains("/data/disk/file", (await _backups.EntriesAsync((await _backups.BackUpAsync(request)).Point)).Keys);
        Assert.DoesNotContain(
            "/data/disk/file", (await _backups.EntriesAsync((await _backups.BackUpAsync(request with { ReadEverything = true })).Point)).Keys);
    }

    private static void Fail(bool when, BackupException failure)
    {
        if (when)
        {
            throw failure;
        }
    }

    private FakeSourceTree Source(string root = "/data") => _backups.Fakes[root] = new FakeSourceTree(root).Folder("");
}
