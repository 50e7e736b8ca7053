using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Campaigns.Disks;

/// <summary>Everything a file system can hold, on real ones, to a vault in a folder and back.</summary>
public sealed class FileSystemTests : IDisposable
{
    private const long MiB = 1L << 20;
    private const long GiB = 1L << 30;

    private readonly TempFolder _folder = new();
    private readonly Stack<MountedFileSystem> _mounts = [];

    // The ends of what file systems, and numbers of nanoseconds, can hold; and what lies between them.
    private static readonly Dictionary<string, ItemTime> _yearsOf = new()
    {
        ["-9999"] = new(-377_705_116_800),
        ["1677"] = new(-9_223_372_037, 145_224_191),
        ["1901"] = new(-2_147_483_648),
        ["1969"] = new(-1, 999_999_999),
        ["2262"] = new(9_223_372_036, 854_775_808),
        ["2300"] = new(10_413_792_000, 1),
        ["2446"] = new(15_032_385_535),
        ["2486"] = new(16_299_260_423),
        ["+29999"] = new(884_541_340_799, 999_999_999),
    };

    private static readonly ItemTime[] _times = [.. _yearsOf.Values.Append(new ItemTime(1_700_000_000, 123_456_789)).Order()];

    public static TheoryData<string> Kinds => ["ext4", "xfs", "btrfs"];

    private string Disk => _folder["disk"];

    private string Source => _folder["disk", "source"];

    private string Target => _folder["disk", "target"];

    public void Dispose()
    {
        while (_mounts.TryPop(out MountedFileSystem? mount))
        {
            mount.Dispose();
        }

        _folder.Dispose();
    }

    [Theory]
    [InlineData("ext4", "1901", "2446")]
    [InlineData("xfs", "1901", "2486")]
    [InlineData("btrfs", "-9999", "+29999")]
    public async Task Times_come_back_exactly_to_the_ends_of_what_each_file_system_holds(string kind, string first, string last)
    {
        MountDisk(kind);
        SourceTreeBuilder tree = new SourceTreeBuilder(Source).Directory("folder").Link("link", "nowhere");
        ItemTime[] times = [.. _times.Where(time => time >= _yearsOf[first] && time <= _yearsOf[last])];
        foreach (ItemTime time in times)
        {
            string name = time.ToString().Replace(':', '.');
            tree.File(name, 10).Modified(name, time.Seconds, time.Nanoseconds);
            Assert.Equal(time, UnixFile.Stat(tree.PathOf(name)).Modified);
        }

        tree.Modified("folder", times[0].Seconds).Modified("link", times[^1].Seconds);
        FolderVault vault = await FolderVault.CreateAsync(_folder["vault"]);

        BackupResult backup = await vault.BackUpAsync(Source);
        await vault.RestoreAsync(backup.Point, Target);

        Assert.Empty(vault.Skipped);
        Assert.Empty(TreeComparer.Compare(Source, Target + Source));
        Assert.Equal((0, 0), ((await vault.BackUpAsync(Source)).ChangedFiles, vault.Skipped.Count));
    }

    [Fact]
    public async Task A_time_that_the_target_cannot_hold_is_reported()
    {
        MountDisk("btrfs");
        new SourceTreeBuilder(Source).File("far", 10).File("near", 10).Directory("ancient")
            .Modified("far", _yearsOf["2486"].Seconds).Modified("near", _yearsOf["2446"].Seconds).Modified("ancient", _yearsOf["-9999"].Seconds);
        FolderVault vault = await FolderVault.CreateAsync(_folder["vault"]);
        BackupResult backup = await vault.BackUpAsync(Source);
        using MountedFileSystem target = MountedFileSystem.InImage(_folder["image2"], _folder["ext4"], "ext4");

        await vault.RestoreAsync(backup.Point, _folder["ext4"]);

        Assert.Equal(["ancient", "far"], vault.Skipped.Select(item => Path.GetFileName(item.Path)).Order());
        Assert.All(vault.Skipped, item => Assert.Equal(BackupErrorId.RestoreMetadataFailed, item.Id));
        Assert.Contains(
            "2486-07-02T20:20:23.000000000Z",
            vault.Skipped.Single(item => item.Path.EndsWith("far", StringComparison.Ordinal)).Reason,
            StringComparison.Ordinal);
    }

    // Synchronous files and folders (S, D), not dumped (d), whose times of access are not kept (A), and a top folder (T).
    [Fact]
    public async Task Every_flag_that_a_file_can_be_given_comes_back_or_is_told()
    {
        MountDisk("ext4");
        SourceTreeBuilder tree =
            new SourceTreeBuilder(Source).File("plain", 10).File("flagged", 10).Directory("sync").Directory("dirsync").File("sync/before", 10);
        Shell.RunChecked("chattr", "+SdA", Source + "/flagged");
        Shell.RunChecked("chattr", "+S", Source + "/sync");
        Shell.RunChecked("chattr", "+DT", Source + "/dirsync");
        // What is made in a folder has some of its flags; what was there before has none.
        tree.File("sync/after", 10).File("dirsync/after", 10);
        FolderVault vault = await FolderVault.CreateAsync(_folder["vault"]);
        BackupResult backup = await vault.BackUpAsync(Source);

        await vault.RestoreAsync(backup.Point, Target);

        Assert.Empty(vault.Skipped);
        string[] flags = FlagsIn(Source);
        Assert.Equal(
            ["dirsync: DT", "flagged: ASd", "plain: ", "sync/before: ", "sync: S"],
            flags.Where(line => !line.EndsWith("after: S", StringComparison.Ordinal) && !line.Contains("dirsync/", StringComparison.Ordinal)));
        Assert.Equal(flags, FlagsIn(Target + Source));

        // What a file system in memory does not know of them is told, once for all, and costs the other flags nothing.
        using MountedFileSystem memory = MountedFileSystem.InMemory(_folder["memory"], "8m");
        await vault.RestoreAsync(backup.Point, _folder["memory"]);
        string[] there = FlagsIn(_folder["memory"] + Source);
        Assert.Contains("flagged: Ad", there);
        SkippedItem told = Assert.Single(vault.Skipped);
        Assert.Contains(Path.GetRelativePath(Source, told.Path), flags.Except(there).Select(line => line.Split(": ")[0]));
        Assert.Equal(BackupErrorId.RestoreMetadataFailed, told.Id);
    }

    // "path: letters", without e, which ext4 gives all by itself.
    private static string[] FlagsIn(string folder) =>
    [
        .. Shell.RunChecked("lsattr", "-R", folder).Split('\n')
            .Select(line => line.Split(' ', 2))
            .Where(words => words.Length == 2 && words[1].StartsWith(folder + "/", StringComparison.Ordinal))
            .Select(words => $"{words[1][(folder.Length + 1)..].TrimEnd(':')}: {new string([.. words[0].Where(char.IsLetter).Except("e").Order()])}")
            .Order(StringComparer.Ordinal),
    ];

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Everything_that_a_file_system_holds_comes_back(string kind)
    {
        MountDisk(kind);
        SourceTreeBuilder tree = BuildEverything();
        FolderVault vault = await FolderVault.CreateAsync(_folder["vault"]);

        BackupResult backup = await vault.BackUpAsync(Source);
        Assert.Empty(vault.Skipped);
        Assert.Equal(kind, Assert.Single(backup.Point.Sources).FileSystem);
        RestoreResult restored = await vault.RestoreAsync(backup.Point, Target);

        Assert.Empty(vault.Skipped);
        Assert.Equal(backup.Point.Sources[0].Manifest.Files, restored.Files);
        Assert.Empty(TreeComparer.Compare(Source, Target + Source));
        Assert.Equal(3u, UnixFile.Stat(UnixFile.Raw(Target + Source + "/links/first")).LinkCount);
        Assert.Contains("system.posix_acl_access", UnixFile.ListAttributes(tree.PathOf("attributes/list")).Keys);
        Assert.Empty(await vault.VerifyAsync());

        BackupResult again = await vault.BackUpAsync(Source);
        Assert.Equal((0, 0, 0), (again.NewFiles, again.ChangedFiles, again.ReadBytes));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_sparse_file_costs_what_its_data_cost(string kind)
    {
        MountDisk(kind);
        new SourceTreeBuilder(Source).Sparse("sparse", 10 * GiB, (7 * GiB, MiB));
        Sync();
        FolderVault vault = await FolderVault.CreateAsync(_folder["vault"]);
        long before = vault.Size();

        BackupResult backup = await vault.BackUpAsync(Source);

        Assert.True(vault.Size() - before < 2 * MiB, $"The vault grew by {vault.Size() - before} bytes.");
        Assert.InRange(vault.Monitor.Snapshot().ReadBytes, MiB, MiB + (256 << 10));
        Assert.Equal(10 * GiB, backup.Point.Sources[0].Manifest.Bytes);

        // Not verified: that would read all the zeros.
        await vault.RestoreAsync(backup.Point, Target, verify: false);

        Sync();
        UnixFileState restored = UnixFile.Stat(UnixFile.Raw(Target + Source + "/sparse"));
        Assert.Equal(10 * GiB, restored.Size);
        Assert.InRange(restored.AllocatedBytes, MiB, MiB + (256 << 10));
        Assert.Empty(TreeComparer.Compare(Source, Target + Source));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_file_beyond_four_GiB_comes_back(string kind)
    {
        Assert.SkipUnless(Testing.Campaign.IsFull, "Takes minutes and 15 GiB: runs with OB_CAMPAIGN=full.");
        MountDisk(kind);
        new SourceTreeBuilder(Source).File("large", (4 * GiB) + (GiB / 2) + 12_345);
        FolderVault vault = await FolderVault.CreateAsync(_folder["vault"]);

        BackupResult backup = await vault.BackUpAsync(Source);
        await vault.RestoreAsync(backup.Point, Target);

        Assert.Empty(TreeComparer.Compare(Source, Target + Source));
    }

    // FAT has no owners, modes, links or holes, keeps every other second, and gives a file another number each time it is mounted.
    [Fact]
    public async Task A_volume_of_FAT_comes_back_on_any_other()
    {
        MountDisk("vfat");
        new SourceTreeBuilder(Source).Describe(
            """
            d empty-folder
            f empty-file 0
            f folder/one-byte 1
            f folder/Mixed.Case 100K
            f folder/large 5M
            """).File("folder/ünï ☃", 300_000);
        FolderVault vault = await FolderVault.CreateAsync(_folder["vault"]);

        BackupResult backup = await vault.BackUpAsync(Source);

        Assert.Empty(vault.Skipped);
        Assert.Equal("vfat", Assert.Single(backup.Point.Sources).FileSystem);
        await vault.RestoreAsync(backup.Point, _folder["first"]);
        Assert.Empty(TreeComparer.Compare(Source, _folder["first"] + Source, TreeAspects.Times));

        _mounts.Pop().Dispose();
        Mount(MountedFileSystem.Again(_folder["vfat"], Disk, "loop,utf8"));
        new SourceTreeBuilder(Source).File("folder/new", 1000).Delete("folder/one-byte");
        BackupResult again = await vault.BackUpAsync(Source);

        Assert.Empty(vault.Skipped);
        // What was read again, for its number, was known.
        Assert.True(again.Point.NewBytes < MiB, $"{again.Point.NewBytes} bytes were new.");
        await vault.RestoreAsync(again.Point, _folder["second"]);
        Assert.Empty(TreeComparer.Compare(Source, _folder["second"] + Source, TreeAspects.Times));
    }

    [Fact]
    public async Task A_mount_point_below_the_source_is_crossed_only_when_asked()
    {
        Assert.SkipUnless(Shell.IsLinuxRoot, "Mounting needs root on Linux.");
        new SourceTreeBuilder(Source).File("own", 1000);
        Mount(MountedFileSystem.InMemory(Source + "/mounted", "4m"));
        new SourceTreeBuilder(Source + "/mounted").File("other", 1000);
        FolderVault vault = await FolderVault.CreateAsync(_folder["vault"]);

        BackupResult within = await vault.BackUpAsync(Source);
        BackupResult across = await vault.BackUpAsync(Source, crossMountPoints: true);
        await vault.RestoreAsync(within.Point, _folder["within"]);
        await vault.RestoreAsync(across.Point, _folder["across"]);

        Assert.Equal((1, 2), (within.Point.Sources[0].Manifest.Files, within.Point.Sources[0].Manifest.Directories));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder["within"] + Source + "/mounted"));
        Assert.Empty(TreeComparer.Compare(Source, _folder["across"] + Source));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_the_kernel_makes_up_is_never_entered(bool crossMountPoints)
    {
        Assert.SkipUnless(Shell.IsLinuxRoot, "Mounting needs root on Linux.");
        new SourceTreeBuilder(Source).File("own", 1000);
        Mount(MountedFileSystem.Processes(Source + "/proc"));
        FolderVault vault = await FolderVault.CreateAsync(_folder["vault"]);

        BackupResult backup = await vault.BackUpAsync(Source, crossMountPoints);

        Assert.Empty(vault.Skipped);
        Assert.Equal((1, 2), (backup.Point.Sources[0].Manifest.Files, backup.Point.Sources[0].Manifest.Directories));
        BackupException refused = await Assert.ThrowsAsync<BackupException>(() => vault.BackUpAsync(Source + "/proc"));
        Assert.Equal(BackupErrorId.SourceUnreadable, refused.Id);
    }

    [Fact]
    public async Task A_source_that_is_not_mounted_any_more_fails_and_the_earlier_point_stays()
    {
        Assert.SkipUnless(Shell.IsLinuxRoot, "Mounting needs root on Linux.");
        MountedFileSystem volume = MountedFileSystem.InMemory(Source, "16m");
        Mount(volume);
        new SourceTreeBuilder(Source).File("file", MiB);
        FolderVault vault = await FolderVault.CreateAsync(_folder["vault"]);
        BackupResult backup = await vault.BackUpAsync(Source);
        Assert.True(backup.Point.Sources[0].IsMountPoint);

        _mounts.Pop().Dispose();
        BackupException failure = await Assert.ThrowsAsync<BackupException>(() => vault.BackUpAsync(Source));

        Assert.Equal(BackupErrorId.SourceNotMounted, failure.Id);
        RecoveryPoint point = Assert.Single(await vault.PointsAsync());
        Assert.Equal(backup.Point.SessionId, point.SessionId);
        await vault.RestoreAsync(point, _folder["target"]);
        Assert.Equal(MiB, new FileInfo(_folder["target"] + Source + "/file").Length);
    }

    private void MountDisk(string kind)
    {
        Assert.SkipUnless(Shell.IsLinuxRoot, "Mounting needs root on Linux.");
        Assert.SkipUnless(MountedFileSystem.CanMake(kind), $"There is no mkfs.{kind}, or this kernel cannot mount {kind}.");
        Mount(MountedFileSystem.InImage(_folder[kind], Disk, kind, Testing.Campaign.IsFull ? 12 * GiB : GiB));
    }

    private void Mount(MountedFileSystem mount) => _mounts.Push(mount);

    // Room that is set aside ahead of writing is given back, or taken, with this.
    private void Sync() => Shell.RunChecked("sync", "-f", Disk);

    private SourceTreeBuilder BuildEverything()
    {
        string longName = new('n', 255);
        var tree = new SourceTreeBuilder(Source);
        tree.Describe(
            """
            d empty-folder
            f empty-file 0
            f one-byte 1
            f bundled 100K
            f chunked 9M
            s sparse/behind-4-GiB 5G 200K@4500M
            s sparse/hole-first 3M 10K@2M
            s sparse/hole-last 3M 10K@0
            s sparse/hole-only 2M
            s sparse/many 64M 4K@1M 4K@3M 300K@7M 4K@40M
            d modes/sticky 1777
            d modes/set-group-id 2775
            d modes/closed 000
            f modes/closed/file 10 000
            f modes/set-user-id 10 4755
            f modes/set-group-id-file 10 2755
            f modes/all 10 7777
            l links/dangling -> nowhere/at/all
            l links/loop -> loop
            l links/to-folder -> ../modes
            l links/absolute -> /etc/hostname
            f links/first 2M
            h links/second = links/first
            h elsewhere/third = links/first
            p nodes/pipe
            h nodes/pipe-again = nodes/pipe
            f \xff\xfe\x80 10
            d \xc3\x28
            f \xc3\x28/\xe2\x82 10
            f line\x0abreak 10
            f back\x5cslash 10
            f \x20 10
            """);
        tree.File(longName, 10).File($"{longName[1..]}d/{longName}", 10).Link("links/long", new string('t', 1000));
        tree.File(string.Join('/', Enumerable.Repeat(new string('d', 250), 20)) + "/deepest", 70_000);
        tree.Device("nodes/null", UnixFileKind.CharacterDevice, 1, 3).Device("nodes/loop", UnixFileKind.BlockDevice, 7, 200);
        UnixFile.MakeNode(tree.PathOf("nodes/socket"), UnixFileKind.Socket);
        tree.Owner("modes/all", 12345, 54321).Mode("modes/all", 0xFFF);
        tree.Owner("links/dangling", 1, 2).Owner("nodes/pipe", 3, 4).Owner("empty-folder", 5, 6);
        AddAttributes(tree);
        tree.Modified("one-byte", 1_234_567_890, 123_456_789).Modified("bundled", 1).Modified("links/loop", 999_999_999, 1);
        tree.Modified("chunked", -2, 999_999_999).Modified("empty-folder", 1_700_000_000, 1);
        return tree;
    }

    private static void AddAttributes(SourceTreeBuilder tree)
    {
        tree.File("attributes/list", 10).Directory("attributes/default").File("attributes/capable", 10);
        tree.Attribute("attributes", "user.note", "a folder's"u8.ToArray());
        tree.Attribute("attributes/list", "user.empty", []);
        tree.Attribute("attributes/list", "user.bytes", [0, 255, 10, 0]);
        tree.Attribute("attributes/list", "user.long", [.. Enumerable.Repeat((byte)'v', 3000)]);
        tree.Attribute("attributes/list", "trusted.note", "root's"u8.ToArray());
        tree.Attribute("links/loop", "trusted.of-link", "a link's"u8.ToArray());

        // cap_net_raw, permitted and effective, version 2.
        tree.Attribute("attributes/capable", "security.capability", [1, 0, 0, 2, 0, 0x20, .. new byte[14]]);

        // user::rw- user:4321:r-- group::r-- mask::rw- other::---
        byte[] list =
        [
            2, 0, 0, 0,
            1, 0, 6, 0, 255, 255, 255, 255,
            2, 0, 4, 0, 0xE1, 0x10, 0, 0,
            4, 0, 4, 0, 255, 255, 255, 255,
            16, 0, 6, 0, 255, 255, 255, 255,
            32, 0, 0, 0, 255, 255, 255, 255,
        ];
        tree.Attribute("attributes/list", "system.posix_acl_access", list);
        tree.Attribute("attributes/default", "system.posix_acl_default", list);
    }
}
