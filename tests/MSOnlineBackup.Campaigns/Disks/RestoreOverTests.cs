using MSOnlineBackup.Engine;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Progress;

namespace MSOnlineBackup.Campaigns.Disks;

/// <summary>
/// Restores over what is there already, on real file systems: it becomes what the point says, and what is the same is neither fetched nor written.
/// </summary>
public sealed class RestoreOverTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private MountedFileSystem? _disk;

    public static TheoryData<string> Kinds => ["ext4", "xfs", "btrfs"];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Disk => _folder["disk"];

    private string Source => _folder["disk", "source"];

    private string Target => _folder["disk", "target"];

    private string Restored => Target + Source;

    public void Dispose()
    {
        if (_disk is not null)
        {
            Shell.Run("chattr", "-R", "-i", "-a", Disk);
            _disk.Dispose();
        }

        _folder.Dispose();
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task After_an_overwrite_the_tree_is_what_the_point_says(string kind)
    {
        (FolderVault vault, BackupResult backup) = await BackUpAsync(kind);
        await vault.RestoreAsync(backup.Point, Target);
        Assert.Empty(TreeComparer.Compare(Source, Restored));
        Change(Restored);
        Assert.NotEmpty(TreeComparer.Compare(Source, Restored));

        RestoreResult result = await vault.RestoreAsync(backup.Point, Target, RestoreConflict.Overwrite);

        Assert.Empty(vault.Skipped);
        Assert.Empty(TreeComparer.Compare(Source, Restored));
        Assert.Equal(Attributes(Source), Attributes(Restored));
        Assert.Equal(Files(backup), result.Files + result.AlreadyThere);
        Assert.True(result.Verified > 0 && result.AlreadyThere > 0 && result.Files > 0);

        // One piece of the large file and what shares a bundle with what was changed; not all there is.
        Assert.True(result.FetchedBytes < backup.Point.Sources[0].Manifest.Bytes / 2, $"{result.FetchedBytes} bytes were fetched.");
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task What_is_the_same_is_neither_fetched_nor_written_and_counts_as_verified(string kind)
    {
        (FolderVault vault, BackupResult backup) = await BackUpAsync(kind);
        RestoreResult first = await vault.RestoreAsync(backup.Point, Target);
        foreach (RestoreConflict conflict in (RestoreConflict[])[RestoreConflict.Skip, RestoreConflict.Overwrite])
        {
            RestoreResult again = await vault.RestoreAsync(backup.Point, Target, conflict);

            Assert.Empty(vault.Skipped);
            Assert.Equal((0, 0, 0), (again.Files, again.Bytes, again.FetchedBytes));
            Assert.Equal(first.Files, again.AlreadyThere);
            Assert.Equal(first.Verified, again.Verified);
            Assert.Empty(TreeComparer.Compare(Source, Restored));
        }
    }

    [Fact]
    public async Task A_restore_that_leaves_what_is_there_names_what_is_not_the_same_and_changes_none_of_it()
    {
        (FolderVault vault, BackupResult backup) = await BackUpAsync("ext4");
        await vault.RestoreAsync(backup.Point, Target);
        Change(Restored);
        Shell.RunChecked("cp", "-a", Restored, _folder["disk", "changed"]);
        Shell.Run("chattr", "-R", "-i", "-a", Restored, _folder["disk", "changed"]);

        RestoreResult result = await vault.RestoreAsync(backup.Point, Target);

        Assert.All(vault.Skipped, item => Assert.Equal(BackupErrorId.RestoreItemExists, item.Id));
        string[] named = [.. vault.Skipped.Select(item => item.Path[(Source.Length + 1)..])];
        Assert.All(
            ["mode", "owner", "attribute", "content", "link", "large", "flagged", "became-fifo", "apart-1", "linked/b"], name => Assert.Contains(name, named));
        Assert.DoesNotContain("same", named);
        Assert.DoesNotContain(
            TreeComparer.Compare(_folder["disk", "changed"], Restored, TreeAspects.Mode | TreeAspects.Owner | TreeAspects.Attributes),
            line => !line.StartsWith("/gone", StringComparison.Ordinal));
        Assert.Equal(1, result.Files);
    }

    [Fact]
    public async Task At_its_own_place_what_was_not_touched_stays_and_what_was_comes_back_whatever_its_time_says()
    {
        (FolderVault vault, BackupResult backup) = await BackUpAsync("ext4");
        string copy = _folder["disk", "copy"];
        Shell.RunChecked("cp", "-a", Source, copy);
        await vault.RestoreAsync(backup.Point, "/", RestoreConflict.Overwrite, verify: false);
        Assert.Empty(vault.Skipped);
        Assert.Empty(TreeComparer.Compare(copy, Source));
        Change(Source);

        RestoreResult result = await vault.RestoreAsync(backup.Point, "/", RestoreConflict.Overwrite, verify: false);

        Assert.Empty(vault.Skipped);
        Assert.Empty(TreeComparer.Compare(copy, Source));
        Assert.True(result.AlreadyThere > 50 && result.Files > 0);
    }

    [Theory]
    [InlineData("a", RestoreConflict.Overwrite)]
    [InlineData("a", RestoreConflict.Skip)]
    [InlineData("a", RestoreConflict.Copy)]
    [InlineData("b", RestoreConflict.Skip)]
    [InlineData("a b", RestoreConflict.Skip)]
    [InlineData("a b", RestoreConflict.Copy)]
    [InlineData("b c", RestoreConflict.Copy)]
    public async Task Names_of_one_file_are_one_again_though_some_were_removed(string removed, RestoreConflict conflict)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The trees are made by Linux calls.");
        new SourceTreeBuilder(Source).Describe(
            """
            f a 300K
            h b = a
            h c = a
            """);
        FolderVault vault = await FolderVault.CreateAsync(_folder["vault"]);
        BackupResult backup = await vault.BackUpAsync(Source);
        await vault.RestoreAsync(backup.Point, Target);
        string[] gone = removed.Split(' ');
        Array.ForEach(gone, name => File.Delete($"{Restored}/{name}"));

        RestoreResult result = await vault.RestoreAsync(backup.Point, Target, conflict);

        Assert.Empty(vault.Skipped);
        // A folder that was there keeps its own time, unless all is to be as it was.
        Assert.DoesNotContain(
            TreeComparer.Compare(Source, Restored),
            line => conflict == RestoreConflict.Overwrite || !line.StartsWith("/: modification", StringComparison.Ordinal));
        Assert.Equal(conflict == RestoreConflict.Overwrite ? (3, 0) : (gone.Length, 3 - gone.Length), (result.Files, result.AlreadyThere));
        Assert.Equal(3u, UnixFile.Stat(UnixFile.Raw(Restored + "/b")).LinkCount);
    }

    [Fact]
    public async Task What_has_further_names_outside_is_not_changed_under_them()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The trees are made by Linux calls.");
        new SourceTreeBuilder(Source).Describe(
            """
            f file 300K 640
            f other 20 600
            """);
        FolderVault vault = await FolderVault.CreateAsync(_folder["vault"]);
        BackupResult backup = await vault.BackUpAsync(Source);
        await vault.RestoreAsync(backup.Point, Target);
        Shell.RunChecked("cp", "-al", Restored, _folder["snapshot"]);
        Shell.RunChecked("chmod", "604", Restored + "/file");

        await vault.RestoreAsync(backup.Point, Target, RestoreConflict.Overwrite);

        Assert.Empty(TreeComparer.Compare(Source, Restored));
        Assert.Equal("604", Shell.RunChecked("stat", "-c", "%a", _folder["snapshot"] + "/file").Trim());
    }

    [Theory]
    [InlineData(RestoreConflict.Skip)]
    [InlineData(RestoreConflict.Overwrite)]
    public async Task A_restore_that_ran_out_of_room_and_is_run_again_gives_the_same_tree_as_in_one_go(RestoreConflict conflict)
    {
        Assert.SkipUnless(Shell.IsLinuxRoot, "Mounting needs root on Linux.");
        var tree = new SourceTreeBuilder(Source);
        for (int i = 0; i < 160; i++)
        {
            tree.File($"folder-{i % 7}/deep/file-{i}", 200 << 10, i);
        }

        for (int i = 0; i < 7; i++)
        {
            tree.Mode($"folder-{i}/deep", 0x1E8).Owner($"folder-{i}/deep", 12, 34).Mode($"folder-{i}", 0x16D);
            tree.Modified($"folder-{i}/deep", 1_000_000_000_000_000_000 + i).Modified($"folder-{i}", 1_100_000_000_000_000_000 + i);
        }

        FolderVault vault = await FolderVault.CreateAsync(_folder["vault"]);
        BackupResult backup = await vault.BackUpAsync(Source);
        Directory.CreateDirectory(Target);
        using MountedFileSystem small = MountedFileSystem.InMemory(Target, "12m");
        BackupException failure = await Assert.ThrowsAsync<BackupException>(() => vault.RestoreAsync(backup.Point, Target, conflict));
        Assert.Equal(BackupErrorId.RestoreTargetFull, failure.Id);
        small.Remount("size=64m");

        RestoreResult rerun = await vault.RestoreAsync(backup.Point, Target, conflict);

        Assert.Empty(vault.Skipped);
        Assert.True(rerun.AlreadyThere > 0 && rerun.Files > 0);
        Assert.Empty(TreeComparer.Compare(Source, Restored));
        Assert.Equal("755", Shell.RunChecked("stat", "-c", "%a", Target + Path.GetDirectoryName(Source)).Trim());
    }

    [Fact]
    public async Task A_dry_run_says_what_the_restore_then_does()
    {
        (FolderVault vault, BackupResult backup) = await BackUpAsync("ext4");
        await vault.RestoreAsync(backup.Point, Target);
        Change(Restored);
        string before = Attributes(Restored);
        UnlockedVault engine = await vault.OpenAsync();
        var request = new RestoreRequest { Point = backup.Point, TargetFolder = Target, Conflict = RestoreConflict.Overwrite };

        RestorePlan plan = await engine.PlanRestoreAsync(request, new JobMonitor(), Cancel);

        Assert.Equal(before, Attributes(Restored));
        RestoreResult result = await engine.RestoreAsync(request, new JobMonitor(), Cancel);
        Assert.Equal((result.Files, result.Directories, result.Others, result.FetchedBytes), (plan.Files, plan.Directories, plan.Others, plan.PackBytes));
        Assert.True(plan.Conflicts > 0);
    }

    private static long Files(BackupResult backup) => backup.Point.Sources[0].Manifest.Files;

    // Flags are no part of the comparison of trees.
    private static string Attributes(string root) =>
        string.Join('\n', Shell.RunChecked("lsattr", "-R", root).Replace(root, "", StringComparison.Ordinal).Split('\n')
            .Select(line => line.Replace("e", "", StringComparison.Ordinal)).Order(StringComparer.Ordinal));

    private static void Change(string root)
    {
        string At(string name) => root + "/" + name;
        Shell.RunChecked("chmod", "777", At("mode"));
        Shell.RunChecked("chmod", "700", At("folder"));
        Shell.RunChecked("chown", "77:88", At("owner"));
        Shell.RunChecked("chown", "-h", "77:88", At("link-owner"));
        Shell.RunChecked("setfattr", "-n", "user.more", "-v", "1", At("attribute"));
        Shell.RunChecked("setfattr", "-n", "user.note", "-v", "other", At("attribute"));
        Shell.RunChecked("setfattr", "-n", "user.more", "-v", "1", At("folder"));
        Shell.RunChecked("setfattr", "-x", "user.note", At("folder"));
        Shell.RunChecked("setfacl", "-m", "u:99:rw", At("list"));
        Shell.RunChecked("setfacl", "-d", "-m", "u:99:rw", At("folder"));
        Shell.RunChecked("ln", "-sfn", "elsewhere", At("link"));
        Rewrite(At("content"), 100, 5);
        Rewrite(At("large"), 5 << 20, 7);
        Shell.RunChecked("chattr", "+i", At("content"));
        Shell.RunChecked("chattr", "+a", At("mode"));
        Shell.RunChecked("chattr", "-A", At("flagged"));
        Shell.RunChecked("truncate", "-s", "+1", At("longer"));
        File.Delete(At("gone"));
        File.Delete(At("linked/b"));
        File.WriteAllText(At("linked/b"), "apart");
        File.Delete(At("became-fifo"));
        Shell.RunChecked("mkfifo", At("became-fifo"));
        File.Delete(At("apart-1"));
        Shell.RunChecked("ln", At("apart-2"), At("apart-1"));
        Shell.RunChecked("touch", "-d", "2001-01-01", At("folder"), At("linked"));
        File.Delete(At("filled-hole"));
        File.WriteAllBytes(At("filled-hole"), [.. Enumerable.Repeat((byte)9, 1 << 20)]);
    }

    // Same length, same time.
    private static void Rewrite(string path, long offset, byte value)
    {
        DateTime time = File.GetLastWriteTimeUtc(path);
        string exact = Shell.RunChecked("stat", "-c", "%y", path).Trim();
        using (FileStream file = File.OpenWrite(path))
        {
            file.Position = offset;
            file.WriteByte(value);
        }

        Shell.RunChecked("touch", "-d", exact, path);
        Assert.Equal(time, File.GetLastWriteTimeUtc(path));
    }

    private async Task<(FolderVault Vault, BackupResult Backup)> BackUpAsync(string kind)
    {
        Assert.SkipUnless(Shell.IsLinuxRoot, "Mounting needs root on Linux.");
        Assert.SkipUnless(MountedFileSystem.CanMake(kind), $"mkfs.{kind} is not there.");
        _disk = MountedFileSystem.InImage(_folder[kind], Disk, kind);
        SourceTreeBuilder tree = new SourceTreeBuilder(Source).Describe(
            """
            d folder 755
            f folder/inside 10
            f mode 100 640
            f owner 100
            f attribute 100
            f list 100
            f content 3000
            f same 3000
            f large 40M
            f flagged 10
            f longer 100
            f gone 100
            f became-fifo 100
            f apart-1 100
            f apart-2 100
            s filled-hole 1M
            s holes 8M 4K@2M
            d linked
            f linked/a 200K
            h linked/b = linked/a
            h linked/c = linked/a
            l link -> target
            l link-owner -> target
            p pipe
            """);
        tree.Attribute("attribute", "user.note", "a note"u8.ToArray()).Attribute("folder", "user.note", "a note"u8.ToArray());
        for (int i = 0; i < 50; i++)
        {
            tree.File($"many/{i}", 1000 + i, i);
        }

        Shell.RunChecked("chattr", "+A", Source + "/flagged");
        FolderVault vault = await FolderVault.CreateAsync(_folder["vault"]);
        return (vault, await vault.BackUpAsync(Source));
    }
}
