using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Xunit;
using static MSOnlineBackup.Engine.Tests.Restore.RestoreFixture;

namespace MSOnlineBackup.Engine.Tests.Restore;

public class RestoreConflictTests
{
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

    [Theory]
    [InlineData(EntryFlags.None, false, false)]
    [InlineData(EntryFlags.None, true, true)]
    [InlineData(EntryFlags.Racy, false, true)]
    public async Task The_very_file_that_was_backed_up_is_read_only_where_that_is_asked_for_or_its_times_prove_nothing(
        EntryFlags flags, bool verify, bool isRead)
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

    [Theory]
    [InlineData("a.txt", 1, "a (restored).txt")]
    [InlineData("a.txt", 2, "a (restored 2).txt")]
    [InlineData(".hidden", 1, ".hidden (restored)")]
    [InlineData("none", 3, "none (restored 3)")]
    public void The_name_beside_keeps_the_extension(string name, int number, string expected) =>
        Assert.Equal(
            expected,
            System.Text.Encoding.UTF8.GetString(new CopyNaming(CopyNames.Restored, default).NameBeside(System.Text.Encoding.UTF8.GetBytes(name), number)));

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
}
