using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Engine.Restore.Targets;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Restore;

/// <summary>Targets that hold what a restore does not expect, on real file systems: one item's trouble stays its own.</summary>
public sealed class AwkwardTargetTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly Stack<MountedFileSystem> _mounts = [];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Source => _folder["source"];

    private string Target => _folder["target"];

    private string Restored => Target + Source;

    public void Dispose()
    {
        Shell.Run("chattr", "-R", "-i", "-a", _folder.Path);
        while (_mounts.TryPop(out MountedFileSystem? mount))
        {
            mount.Dispose();
        }

        _folder.Dispose();
    }

    [Theory]
    [InlineData(RestoreConflict.Skip)]
    [InlineData(RestoreConflict.Overwrite)]
    [InlineData(RestoreConflict.Copy)]
    public async Task A_link_where_a_folder_should_be_costs_what_is_below_it_and_nothing_else(RestoreConflict conflict)
    {
        (FolderVault vault, BackupResult backup) = await BackUpAsync("f a/inside 10", "f b/inside 10", "f c 10");
        Directory.CreateDirectory(Restored);
        Directory.CreateDirectory(_folder["outside"]);
        Shell.RunChecked("ln", "-s", _folder["outside"], Restored + "/b");

        await vault.RestoreAsync(backup.Point, Target, conflict, verify: false);

        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder["outside"]));
        Assert.True(File.Exists(Restored + "/a/inside") && File.Exists(Restored + "/c"));
        Assert.Equal(
            conflict == RestoreConflict.Copy ? [] : [Source + "/b", Source + "/b/inside"], vault.Skipped.Select(item => item.Path).Order(StringComparer.Ordinal));
        Assert.Equal(conflict == RestoreConflict.Copy, File.Exists(Restored + "/b (restored)/inside"));
    }

    [Fact]
    public async Task A_folder_that_may_not_be_entered_costs_what_is_below_it_and_nothing_else()
    {
        Assert.SkipUnless(Shell.IsLinuxRoot, "Mounting needs root on Linux.");
        (FolderVault vault, BackupResult backup) = await BackUpAsync("f a/inside 10", "f b/inside 10", "f c 10");
        Directory.CreateDirectory(Restored + "/b");
        Mount(MountedFileSystem.InMemory(Restored + "/b", "1m"));
        _mounts.Peek().Remount("ro");

        await vault.RestoreAsync(backup.Point, Target, RestoreConflict.Overwrite, verify: false);

        Assert.True(File.Exists(Restored + "/a/inside") && File.Exists(Restored + "/c"));
        Assert.Equal([Source + "/b", Source + "/b/inside"], vault.Skipped.Select(item => item.Path).Distinct().Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Nothing_takes_the_place_of_another_kind_unless_that_is_asked_for()
    {
        (FolderVault vault, BackupResult backup) = await BackUpAsync("f file 10", "d folder 755", "f folder/inside 10", "f other 10");
        Directory.CreateDirectory(Restored + "/file");
        await File.WriteAllTextAsync(Restored + "/folder", "mine", Cancel);

        RestoreResult result = await vault.RestoreAsync(backup.Point, Target, RestoreConflict.Skip, verify: false);

        Assert.Empty(Directory.GetFiles(Restored + "/file"));
        Assert.Equal("mine", await File.ReadAllTextAsync(Restored + "/folder", Cancel));
        Assert.Equal([Source + "/file", Source + "/folder", Source + "/folder/inside"], vault.Skipped.Select(item => item.Path).Order(StringComparer.Ordinal));
        Assert.Contains(vault.Skipped, item => item.Reason.Contains("as a folder, but is a file in the recovery point", StringComparison.Ordinal));
        Assert.Equal(1, result.Files);
    }

    [Fact]
    public async Task Overwriting_gives_files_for_empty_folders_and_folders_for_files()
    {
        (FolderVault vault, BackupResult backup) =
            await BackUpAsync("f file 10", "l link -> file", "p pipe", "d folder 755", "f folder/inside 10", "d second 700", "f second/inside 10");
        Array.ForEach(["file", "link", "pipe"], name => Directory.CreateDirectory($"{Restored}/{name}"));
        await File.WriteAllTextAsync(Restored + "/folder", "mine", Cancel);
        Shell.RunChecked("mkfifo", Restored + "/second");

        var request = new RestoreRequest { Point = backup.Point, TargetFolder = Target, Conflict = RestoreConflict.Overwrite };
        RestorePlan plan = await (await vault.OpenAsync()).PlanRestoreAsync(request, new JobMonitor(), Cancel);
        RestoreResult result = await vault.RestoreAsync(backup.Point, Target, RestoreConflict.Overwrite);

        Assert.Empty(vault.Skipped);
        Assert.Empty(TreeComparer.Compare(Source, Restored));
        Assert.Equal((3, 5), (plan.Files, plan.Conflicts));
        Assert.Equal(3, result.Files);
    }

    [Fact]
    public async Task Overwriting_takes_no_folder_away_that_holds_anything_and_no_link_in_place_of_a_folder()
    {
        (FolderVault vault, BackupResult backup) = await BackUpAsync("f file 10", "d folder 755", "f folder/inside 10", "f other 10");
        Directory.CreateDirectory(Restored + "/file");
        await File.WriteAllTextAsync(Restored + "/file/mine", "mine", Cancel);
        Directory.CreateDirectory(_folder["elsewhere"]);
        Directory.CreateSymbolicLink(Restored + "/folder", _folder["elsewhere"]);

        RestoreResult result = await vault.RestoreAsync(backup.Point, Target, RestoreConflict.Overwrite, verify: false);

        Assert.Equal("mine", await File.ReadAllTextAsync(Restored + "/file/mine", Cancel));
        Assert.Empty(Directory.GetFileSystemEntries(_folder["elsewhere"]));
        Assert.Equal([Source + "/file", Source + "/folder", Source + "/folder/inside"], vault.Skipped.Select(item => item.Path).Order(StringComparer.Ordinal));
        Assert.Equal(1, result.Files);
    }

    [Fact]
    public async Task Names_of_an_immutable_file_are_all_made_before_it_cannot_be_changed()
    {
        Assert.SkipUnless(Shell.IsLinuxRoot, "Mounting needs root on Linux.");
        Mount(MountedFileSystem.InImage(_folder["image"], _folder["disk"], "ext4"));
        string source = _folder["disk", "source"];
        new SourceTreeBuilder(source).Describe(
            """
            f a 300K
            h b = a
            h later/c = a
            f alone 10
            """);
        Shell.RunChecked("chattr", "+i", source + "/a", source + "/alone");
        FolderVault vault = await FolderVault.CreateAsync(_folder["vault"]);
        BackupResult backup = await vault.BackUpAsync(source);
        string target = _folder["disk", "target"];

        for (int round = 0; round < 3; round++)
        {
            await vault.RestoreAsync(backup.Point, target, round == 1 ? RestoreConflict.Skip : RestoreConflict.Overwrite);

            Assert.Empty(vault.Skipped);
            Assert.Empty(TreeComparer.Compare(source, target + source));
            Assert.All(["/a", "/alone"], name => Assert.Contains("i", Shell.RunChecked("lsattr", target + source + name).Split(' ')[0]));
        }
    }

    [Fact]
    public async Task Names_on_another_file_system_are_copies_and_told()
    {
        Assert.SkipUnless(Shell.IsLinuxRoot, "Mounting needs root on Linux.");
        (FolderVault vault, BackupResult backup) = await BackUpAsync("f a 300K", "h b = a", "h there/c = a", "h there/d = a");
        Directory.CreateDirectory(Restored + "/there");
        Mount(MountedFileSystem.InMemory(Restored + "/there", "4m"));

        RestoreResult result = await vault.RestoreAsync(backup.Point, Target, RestoreConflict.Overwrite, verify: false);

        Assert.Equal(4, result.Files);
        Assert.Equal([Source + "/there/c"], vault.Skipped.Select(item => item.Path));
        Assert.All(vault.Skipped, item => Assert.Equal(BackupErrorId.RestoreMetadataFailed, item.Id));
        Assert.Empty(TreeComparer.Compare(Source, Restored, TreeAspects.Mode | TreeAspects.Owner | TreeAspects.Attributes));
        Assert.Equal(2u, UnixFile.Stat(UnixFile.Raw(Restored + "/there/d")).LinkCount);
    }

    [Fact]
    public async Task Files_that_are_called_as_temporary_ones_are_left_alone()
    {
        (FolderVault vault, BackupResult backup) = await BackUpAsync("f file 10", "l link -> file");
        Directory.CreateDirectory(Restored);
        string[] names = ["file", "link"];
        string[] mine = [.. names.Select(name =>
            $"{Restored}/.obr-{Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(name)).AsSpan(0, 16))}")];
        foreach (string path in mine)
        {
            await File.WriteAllTextAsync(path, "mine", Cancel);
        }

        await vault.RestoreAsync(backup.Point, Target);

        Assert.Empty(vault.Skipped);
        Assert.All(mine, path => Assert.Equal("mine", File.ReadAllText(path)));
        Assert.Equal(4, Directory.EnumerateFileSystemEntries(Restored).Count());
    }

    [Theory]
    [InlineData(RestoreConflict.Skip)]
    [InlineData(RestoreConflict.Overwrite)]
    public async Task Folders_on_the_way_keep_their_modes(RestoreConflict conflict)
    {
        Assert.SkipUnless(Shell.IsLinuxRoot, "Changing accounts needs root on Linux.");
        (FolderVault vault, BackupResult backup) = await BackUpAsync("d way 700", "f way/file 10");
        Directory.CreateDirectory(Restored + "/way");
        foreach (string mode in (string[])["555", "0555"])
        {
            Shell.RunChecked("chmod", mode, Target, Restored + "/way");
            Shell.RunChecked("chown", "-R", "65534:65534", Target);
            Shell.Run("rm", "-f", Restored + "/way/file");
            UnlockedVault engine = await vault.OpenAsync();
            var request = new RestoreRequest { Point = backup.Point, Paths = [Source + "/way/file"], TargetFolder = Target, Conflict = conflict };
            await engine.RestoreAsync(request, new JobMonitor(), Cancel);

            Assert.True(File.Exists(Restored + "/way/file"));
            Assert.All([Target, Restored + "/way"], path => Assert.Equal("555", Shell.RunChecked("stat", "-c", "%a", path).Trim()));
        }
    }

    [Fact]
    public void An_owner_who_is_not_root_gets_a_closed_folder_opened_and_given_back()
    {
        Assert.SkipUnless(Shell.IsLinuxRoot, "Changing accounts needs root on Linux.");
        Directory.CreateDirectory(Target + "/closed");
        Shell.RunChecked("chown", "-R", "65534:65534", _folder.Path);
        Shell.RunChecked("chmod", "555", Target + "/closed");
        string during = Tests.Sources.ScratchFolder.As(65534, () =>
        {
            using IRestoreTarget target = RestoreTargets.Open(Target);
            Action? giveBack = target.OpenDirectory(EntryPath.Parse("closed"), unlock: false);
            string mode = Shell.RunChecked("stat", "-c", "%a", Target + "/closed").Trim();
            giveBack!();
            return mode;
        });

        Assert.Equal("755", during);
        Assert.Equal("555", Shell.RunChecked("stat", "-c", "%a", Target + "/closed").Trim());
    }

    [Fact]
    public async Task Nothing_is_restored_into_the_vault_whatever_path_leads_there()
    {
        Assert.SkipUnless(Shell.IsLinuxRoot, "Mounting needs root on Linux.");
        (FolderVault vault, BackupResult backup) = await BackUpAsync("f file 10");
        string inside = Directory.EnumerateDirectories(vault.Folder).First();
        Shell.RunChecked("ln", "-s", vault.Folder, _folder["link"]);
        foreach ((string from, string to) in new[] { (vault.Folder, _folder["bound"]), (inside, _folder["part"]) })
        {
            Directory.CreateDirectory(to);
            Shell.RunChecked("mount", "--bind", from, to);
        }

        try
        {
            string before = Shell.RunChecked("find", vault.Folder);
            foreach (string target in new[] { vault.Folder, vault.Folder + "/new", inside, _folder["link"], _folder["link"] + "/new/deep", _folder["bound"], _folder["bound"] + "/x", _folder["part"] })
            {
                BackupException refused = await Assert.ThrowsAsync<BackupException>(() => vault.RestoreAsync(backup.Point, target));
                Assert.Equal(BackupErrorId.RestoreTargetInvalid, refused.Id);
            }

            Assert.Equal(before, Shell.RunChecked("find", vault.Folder));

            // A way that leads into it from a target that holds it.
            Directory.CreateDirectory(Restored);
            Shell.RunChecked("mount", "--bind", vault.Folder, Restored);
            await vault.RestoreAsync(backup.Point, Target, verify: false);
            Assert.All(vault.Skipped, item => Assert.Equal(BackupErrorId.RestoreTargetInvalid, item.Id));
            Assert.Equal(2, vault.Skipped.Count);
            Assert.Equal(before, Shell.RunChecked("find", vault.Folder));
        }
        finally
        {
            foreach (string mount in new[] { _folder["bound"], _folder["part"], Restored })
            {
                Shell.Run("umount", "-l", mount);
            }
        }
    }

    [Theory]
    [InlineData(CopyNames.Restored)]
    [InlineData(CopyNames.Dated)]
    public async Task A_copy_of_the_longest_name_is_made_under_a_shorter_one(CopyNames names)
    {
        string name = new string('n', 200) + "ü" + new string('x', 49) + ".txt";
        (FolderVault vault, BackupResult backup) = await BackUpAsync($"f {name.Replace("ü", @"\xc3\xbc", StringComparison.Ordinal)} 10");
        Directory.CreateDirectory(Restored);
        await File.WriteAllTextAsync($"{Restored}/{name}", "mine", Cancel);
        UnlockedVault engine = await vault.OpenAsync();
        var skipped = new List<SkippedItem>();

        RestoreResult result = await engine.RestoreAsync(
            new RestoreRequest { Point = backup.Point, TargetFolder = Target, Conflict = RestoreConflict.Copy, CopyNames = names },
            new JobMonitor { ItemSkipped = skipped.Add },
            Cancel);

        Assert.Empty(skipped);
        Assert.Equal(1, result.Files);
        Assert.Equal("mine", await File.ReadAllTextAsync($"{Restored}/{name}", Cancel));
        Assert.Equal(2, Directory.GetFiles(Restored, "*.txt").Length);
    }

    [Fact]
    public void A_folder_is_removed_whatever_came_back_in_it()
    {
        Assert.SkipUnless(Shell.IsLinuxRoot, "Mounting needs root on Linux.");
        Mount(MountedFileSystem.InImage(_folder["image"], _folder["disk"], "ext4"));
        string folder = _folder["disk", "restored"];
        new SourceTreeBuilder(folder).Describe(
            """
            f immutable 10
            f append/only 10
            d closed 000
            f \xff\xfe 10
            l link -> ../kept
            """).File(string.Join('/', Enumerable.Repeat(new string('d', 200), 150)) + "/deepest", 10);
        File.WriteAllText(_folder["disk", "kept"], "kept");
        Shell.RunChecked("chattr", "+i", folder + "/immutable");
        Shell.RunChecked("chattr", "+a", folder + "/append", folder + "/append/only");

        Shell.RunChecked("ln", "-s", folder, _folder["disk", "link"]);
        Shell.RunChecked("mkdir", "-p", _folder["disk", "other"] + "/x");
        Shell.RunChecked("chown", "12", _folder["disk", "other"]);
        Assert.Throws<BackupException>(() => RestoredFolder.Remove(_folder["disk", "link"], onlyOwn: true));
        Assert.Throws<BackupException>(() => RestoredFolder.Remove(_folder["disk", "other"], onlyOwn: true));
        Assert.True(Directory.Exists(_folder["disk", "other"] + "/x") && File.Exists(folder + "/append/only"));

        RestoredFolder.Remove(folder, onlyOwn: true);
        RestoredFolder.Remove(folder);

        Assert.False(Directory.Exists(folder));
        Assert.True(File.Exists(_folder["disk", "kept"]));
    }

    private void Mount(MountedFileSystem mount) => _mounts.Push(mount);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task On_a_disk_of_FAT_names_that_it_lacks_are_told_or_mapped_and_none_takes_anothers_place(bool mapNames)
    {
        Assert.SkipUnless(Shell.IsLinuxRoot && MountedFileSystem.CanMake("vfat"), "Mounting needs root on Linux, and a kernel that has FAT.");
        (FolderVault vault, BackupResult backup) = await BackUpAsync("f Foo.txt 10", "f foo.txt 20", "d D 755", "d d 755", "f D/x 1", "f d/y 2", "f a:b 30");
        Directory.CreateDirectory(Target);
        Mount(MountedFileSystem.InImage(_folder["image"], Target, "vfat", size: 64L << 20));

        for (int round = 0; round < 2; round++)
        {
            RestoreResult result = await vault.RestoreAsync(backup.Point, Target, RestoreConflict.Overwrite, verify: true, mapNames);

            Assert.Equal(10, new FileInfo(Restored + "/Foo.txt").Length);
            Assert.Equal(20, new FileInfo(Restored + "/foo (case 2).txt").Length);
            Assert.Equal(["D", "d (case 2)"], Directory.EnumerateDirectories(Restored).Select(Path.GetFileName).Order(StringComparer.Ordinal));
            Assert.True(File.Exists(Restored + "/d (case 2)/y") && !File.Exists(Restored + "/D/y"));
            Assert.Empty(Directory.EnumerateFiles(Target, ".obr-*", SearchOption.AllDirectories));
            Assert.Equal(
                mapNames ? [] : [Source + "/a:b"], vault.Skipped.Where(item => item.Id == BackupErrorId.RestoreNameImpossible).Select(item => item.Path));
            Assert.Equal(mapNames ? 0 : 2, vault.Skipped.Count(item => item.Id == BackupErrorId.RestoreItemRenamed));
            Assert.Equal(mapNames ? 3 : 2, result.Renamed);
            Assert.Equal(mapNames, File.Exists(Restored + "/a\uff1ab"));
        }
    }

    private async Task<(FolderVault Vault, BackupResult Backup)> BackUpAsync(params string[] lines)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The trees are made by Linux calls.");
        new SourceTreeBuilder(Source).Describe(string.Join('\n', lines));
        FolderVault vault = await FolderVault.CreateAsync(_folder["vault"]);
        return (vault, await vault.BackUpAsync(Source));
    }
}
