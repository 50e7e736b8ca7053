using MSOnlineBackup.Platform.Folders;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;
using Microsoft.Win32.SafeHandles;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Storage;

/// <summary>What is particular to a vault in a folder: what lies on the disk, and what the disk does to it.</summary>
public sealed class FolderVaultStoreTests : IDisposable
{
    private const string NeedsRoot = "Mounting and changing the account need root on Linux.";

    private readonly TempFolder _temp = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _temp.Dispose();

    [Fact]
    public async Task An_object_is_a_file_of_its_name_and_nothing_else_is_left()
    {
        var store = new FolderVaultStore(_temp.Path);

        await store.TryCreateAsync("packs/ab/1", new byte[] { 1, 2, 3 }, Stop);
        Assert.False(await store.TryCreateAsync("packs/ab/1", new byte[] { 1, 2, 3 }, Stop));

        Assert.Equal([1, 2, 3], await File.ReadAllBytesAsync(_temp["packs", "ab", "1"], Stop));
        Assert.Equal([_temp["packs", "ab", "1"]], Directory.GetFiles(_temp.Path, "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task Files_and_folders_are_their_owners_only()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The test reads modes as Linux tells them.");
        FolderVaultStore store = FolderVaultStore.Create(_temp["new", "vault"]);

        await store.TryCreateAsync("packs/1", new byte[1], Stop);

        Assert.Equal(0b111_000_000u, Stat("new", "vault").Mode);
        Assert.Equal(0b111_000_000u, Stat("new", "vault", "packs").Mode);
        Assert.Equal(0b110_000_000u, Stat("new", "vault", "packs", "1").Mode);
        Assert.Equal(1u, Stat("new", "vault", "packs", "1").LinkCount);

        UnixFileState Stat(params string[] path) => UnixFile.Stat(UnixFile.Raw(_temp[path]));
    }

    [Fact]
    public async Task What_another_process_wrote_is_seen_and_not_replaced()
    {
        var one = new FolderVaultStore(_temp.Path);
        var other = new FolderVaultStore(_temp.Path);
        await one.TryCreateAsync("points/m/1", new byte[] { 1 }, Stop);

        Assert.False(await other.TryCreateAsync("points/m/1", new byte[] { 2 }, Stop));
        Assert.Equal(1, (await other.StatAsync("points/m/1", Stop))?.Length);
    }

    [Fact]
    public async Task Foreign_files_are_no_objects()
    {
        var store = new FolderVaultStore(_temp.Path);
        await store.TryCreateAsync("packs/1", new byte[1], Stop);
        await File.WriteAllTextAsync(_temp["README.TXT"], "x", Stop);
        await File.WriteAllTextAsync(_temp["packs", ".hidden"], "x", Stop);
        await File.WriteAllTextAsync(_temp["packs", "a b"], "x", Stop);
        Directory.CreateDirectory(_temp["packs", "empty"]);
        Directory.CreateDirectory(_temp[".tmp"]);
        await File.WriteAllTextAsync(_temp[".tmp", "0123"], "x", Stop);

        Assert.Equal(["packs/1"], await ListAsync(store));
    }

    [Fact]
    public async Task A_link_to_a_folder_is_not_followed_by_a_listing()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Links need a privilege on Windows.");
        var store = new FolderVaultStore(_temp.Path);
        await store.TryCreateAsync("packs/1", new byte[1], Stop);
        Directory.CreateSymbolicLink(_temp["packs", "loop"], _temp["packs"]);

        Assert.Equal(["packs/1", "packs/loop"], (await ListAsync(store)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_folder_that_does_not_exist_is_not_found_and_not_made()
    {
        BackupException error = Assert.Throws<BackupException>(() => new FolderVaultStore(_temp["nowhere"]));

        Assert.Equal(BackupErrorId.VaultNotFound, error.Id);
        Assert.Contains(_temp["nowhere"], error.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_temp["nowhere"]));
    }

    [Fact]
    public async Task A_file_in_place_of_the_folder_is_not_found()
    {
        await File.WriteAllTextAsync(_temp["file"], "x", Stop);

        Assert.Equal(BackupErrorId.VaultNotFound, Assert.Throws<BackupException>(() => new FolderVaultStore(_temp["file"])).Id);
        Assert.Equal(BackupErrorId.VaultNotFound, Assert.Throws<BackupException>(() => new FolderVaultStore(_temp["file", "below"])).Id);
    }

    [Fact]
    public async Task A_folder_that_holds_something_is_not_taken_for_a_new_vault()
    {
        await File.WriteAllTextAsync(_temp["letter.txt"], "x", Stop);

        Assert.Equal(BackupErrorId.VaultExists, Assert.Throws<BackupException>(() => FolderVaultStore.Create(_temp.Path)).Id);
        Assert.Equal(BackupErrorId.VaultExists, Assert.Throws<BackupException>(() => FolderVaultStore.Create(_temp["letter.txt"])).Id);
    }

    [Fact]
    public async Task An_empty_disk_is_taken_for_a_new_vault()
    {
        Directory.CreateDirectory(_temp["lost+found"]);

        Assert.True(await FolderVaultStore.Create(_temp.Path).TryCreateAsync("vault.json", new byte[1], Stop));
    }

    [Fact]
    public async Task Nothing_is_written_where_the_folder_vanished()
    {
        string vault = _temp["vault"];
        FolderVaultStore store = FolderVaultStore.Create(vault);
        await store.TryCreateAsync("packs/1", new byte[1], Stop);
        Directory.Move(vault, _temp["elsewhere"]);

        await AssertUnreachableAsync(store);

        Assert.False(Directory.Exists(vault));
    }

    [Fact]
    public async Task Nothing_is_written_to_another_folder_in_its_place()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "On Windows an unmounted volume leaves no folder behind.");
        string vault = _temp["vault"];
        FolderVaultStore store = FolderVaultStore.Create(vault);
        await store.TryCreateAsync("packs/1", new byte[1], Stop);
        Directory.Move(vault, _temp["elsewhere"]);
        Directory.CreateDirectory(vault);

        await AssertUnreachableAsync(store);

        Assert.Empty(Directory.GetFileSystemEntries(vault));
    }

    [Fact]
    public async Task Nothing_is_written_to_the_mount_point_beneath_an_unmounted_disk()
    {
        Assert.SkipUnless(Shell.IsLinuxRoot, NeedsRoot);
        string point = _temp["disk"];
        FolderVaultStore store;
        using (MountedFileSystem.InMemory(point, "1m"))
        {
            store = FolderVaultStore.Create(point);
            await store.TryCreateAsync("packs/1", new byte[1], Stop);
        }

        await AssertUnreachableAsync(store);

        Assert.Empty(Directory.GetFileSystemEntries(point));
    }

    [Fact]
    public async Task A_full_disk_is_reported_and_keeps_no_temporary_file()
    {
        Assert.SkipUnless(Shell.IsLinuxRoot, NeedsRoot);
        string point = _temp["disk"];
        using var disk = MountedFileSystem.InMemory(point, "1m");
        FolderVaultStore store = FolderVaultStore.Create(point);
        Assert.True(await store.TryCreateAsync("packs/1", new byte[600_000], Stop));

        BackupException error = await Assert.ThrowsAsync<BackupException>(async () => await store.TryCreateAsync("packs/2", new byte[600_000], Stop));

        Assert.Equal(BackupErrorId.VaultFull, error.Id);
        Assert.Equal("packs/2", error.Target);
        Assert.Contains(point, error.Message, StringComparison.Ordinal);
        Assert.Null(await store.StatAsync("packs/2", Stop));
        Assert.Empty(Directory.GetFiles(Path.Combine(point, ".tmp")));

        await store.DeleteAsync("packs/1", Stop);
        Assert.True(await store.TryCreateAsync("packs/2", new byte[600_000], Stop));
    }

    [Fact]
    public async Task A_disk_that_became_read_only_is_readable_and_not_writable()
    {
        Assert.SkipUnless(Shell.IsLinuxRoot, NeedsRoot);
        string point = _temp["disk"];
        using var disk = MountedFileSystem.InMemory(point, "1m");
        FolderVaultStore store = FolderVaultStore.Create(point);
        await store.TryCreateAsync("packs/1", new byte[] { 7 }, Stop);
        disk.Remount("ro");

        BackupException creating = await Assert.ThrowsAsync<BackupException>(async () => await store.TryCreateAsync("packs/2", new byte[1], Stop));
        BackupException deleting = await Assert.ThrowsAsync<BackupException>(async () => await store.DeleteAsync("packs/1", Stop));

        Assert.Equal(BackupErrorId.VaultAccessDenied, creating.Id);
        Assert.Equal(BackupErrorId.VaultAccessDenied, deleting.Id);
        Assert.Contains("writing", creating.RecommendedAction, StringComparison.Ordinal);
        byte[] content = new byte[1];
        await new FolderVaultStore(point).ReadAsync("packs/1", 0, content, Stop);
        Assert.Equal([7], content);
    }

    [Fact]
    public async Task A_disk_that_answers_with_errors_is_unreachable_for_now()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux has a file that answers with EIO.");
        Assert.SkipUnless(Shell.IsLinuxRoot, NeedsRoot);
        using MountedFileSystem broken = await BrokenFileAsync("broken");
        var store = new FolderVaultStore(_temp.Path);

        BackupException error = await Assert.ThrowsAsync<BackupException>(async () => await store.ReadAsync("broken", 0, new byte[1], Stop));

        Assert.Equal(BackupErrorId.VaultUnreachable, error.Id);
        Assert.True(error.IsTransient);
        Assert.Equal("broken", error.Target);
    }

    [Fact]
    public async Task An_object_that_cannot_be_read_while_others_can_is_its_own_fault_and_not_waited_for()
    {
        Assert.SkipUnless(Shell.IsLinuxRoot, NeedsRoot);
        using MountedFileSystem broken = await BrokenFileAsync("broken");
        var store = new ResilientVaultStore(new FolderVaultStore(_temp.Path), new VaultRetryOptions { Waiting = _ => Assert.Fail("It waited.") });
        await store.TryCreateAsync("whole", new byte[] { 1 }, Stop);
        await store.ReadAsync("whole", 0, new byte[1], Stop);

        BackupException error = await Assert.ThrowsAsync<BackupException>(async () => await store.ReadAsync("broken", 0, new byte[1], Stop));

        Assert.Equal(BackupErrorId.VaultDataUnreadable, error.Id);
        Assert.True(error.IsDamage);
        Assert.Equal("broken", error.Target);
    }

    [Fact]
    public async Task What_is_no_regular_file_is_a_damaged_object_and_nobody_waits_for_it()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no pipes in folders.");
        Directory.CreateDirectory(_temp["packs"]);
        Shell.RunChecked("mkfifo", _temp["packs", "pipe"]);
        await File.WriteAllTextAsync(_temp["packs", "whole"], "x", Stop);
        File.CreateSymbolicLink(_temp["packs", "link"], _temp["packs", "whole"]);
        Directory.CreateSymbolicLink(_temp["linked"], _temp["packs"]);
        var store = new FolderVaultStore(_temp.Path);

        foreach (string name in new[] { "packs/pipe", "packs/link", "linked/whole" })
        {
            BackupException error = await Assert.ThrowsAsync<BackupException>(async () => await store.ReadAsync(name, 0, new byte[1], Stop));

            Assert.Equal(BackupErrorId.VaultDataCorrupt, error.Id);
            Assert.Equal(name, error.Target);
        }

        Assert.False(await store.TryCreateAsync("packs/pipe", new byte[1], Stop));
        await Assert.ThrowsAsync<BackupException>(async () => await store.TryCreateAsync("linked/new", new byte[1], Stop));
        await Assert.ThrowsAsync<BackupException>(async () => await store.DeleteAsync("linked/whole", Stop));
        // A listing does not pass over it in silence, or an older point would be taken for it.
        Assert.Equal(["linked", "packs/link", "packs/pipe", "packs/whole"], (await ListAsync(store)).Order(StringComparer.Ordinal));
        Assert.Equal(0, (await store.StatAsync("packs/link", Stop))!.Value.Length);
        Assert.Equal(["link", "pipe", "whole"], Directory.GetFiles(_temp["packs"]).Select(Path.GetFileName).Order());
    }

    [Fact]
    public async Task The_folder_of_temporary_files_is_never_a_way_out_of_the_vault()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The test makes links as Unix does.");
        string vault = Directory.CreateDirectory(_temp["vault"]).FullName;
        string foreign = Directory.CreateDirectory(_temp["foreign"]).FullName;
        string theirs = Path.Combine(foreign, new string('a', 32));
        await File.WriteAllTextAsync(theirs, "x", Stop);
        File.SetLastWriteTimeUtc(theirs, File.GetLastWriteTimeUtc(theirs).AddDays(-2));
        Directory.CreateSymbolicLink(Path.Combine(vault, ".tmp"), foreign);

        BackupException error = await Assert.ThrowsAsync<BackupException>(async () => await new FolderVaultStore(vault).TryCreateAsync("a", new byte[1], Stop));

        Assert.Equal(BackupErrorId.VaultDataCorrupt, error.Id);
        Assert.Contains(".tmp", error.Message, StringComparison.Ordinal);
        Assert.Equal([theirs], Directory.GetFiles(foreign));
        Assert.False(File.Exists(Path.Combine(vault, "a")));
    }

    [Fact]
    public async Task What_root_writes_into_a_users_vault_is_the_users()
    {
        Assert.SkipUnless(Shell.IsLinuxRoot, NeedsRoot);
        string vault = Directory.CreateDirectory(_temp["vault"]).FullName;
        Shell.RunChecked("chown", "12345:23456", vault);

        await new FolderVaultStore(vault).TryCreateAsync("stores/a/b", new byte[1], Stop);

        foreach (string made in new[] { ".tmp", "stores", "stores/a", "stores/a/b" })
        {
            Assert.Equal("12345:23456", Shell.RunChecked("stat", "-c", "%u:%g", Path.Combine(vault, made)).Trim());
        }
    }

    [Fact]
    public async Task Where_the_vaults_group_may_write_its_members_share_what_is_in_it()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The test sets modes as Linux does.");
        string vault = Directory.CreateDirectory(_temp["vault"]).FullName;
        UnixFile.SetMode(UnixFile.Raw(vault), 0b111_111_000);

        await new FolderVaultStore(vault).TryCreateAsync("packs/1", new byte[1], Stop);

        Assert.Equal(0b111_111_000u, UnixFile.Stat(UnixFile.Raw(Path.Combine(vault, "packs"))).Mode);
        Assert.Equal(0b110_110_000u, UnixFile.Stat(UnixFile.Raw(Path.Combine(vault, "packs", "1"))).Mode);
    }

    [Fact]
    public async Task What_an_interrupted_creation_left_does_not_stand_in_the_way_of_a_new_one()
    {
        await FolderVaultStore.Create(_temp["vault"]).TryCreateAsync("keys/a/b", new byte[1], Stop);
        await FolderVaultStore.Create(_temp["vault"]).TryCreateAsync("stores/a/points/b/c", new byte[1], Stop);

        BackupException error = Assert.Throws<BackupException>(() => FolderVaultStore.Create(_temp["vault"]));

        Assert.Equal(BackupErrorId.VaultExists, error.Id);
    }

    [Fact]
    public async Task What_was_created_on_a_disk_that_promised_more_than_it_has_is_there()
    {
        Assert.SkipUnless(Shell.IsLinuxRoot, NeedsRoot);
        Assert.SkipUnless(MountedFileSystem.CanMake("ext4"), "There is no mkfs.ext4, or this kernel cannot mount ext4.");
        using var scarce = MountedFileSystem.InMemory(_temp["scarce"], "24m");
        var created = new List<string>();
        using (MountedFileSystem disk = MountedFileSystem.InImage(Path.Combine(_temp["scarce"], "image"), _temp["disk"], "ext4"))
        {
            FolderVaultStore store = FolderVaultStore.Create(_temp["disk"]);
            BackupException error = await Assert.ThrowsAsync<BackupException>(async () =>
            {
                for (int i = 0; i < 100; i++)
                {
                    Assert.True(await store.TryCreateAsync($"packs/{i}", Content(i), Stop));
                    created.Add($"packs/{i}");
                }
            });

            Assert.Contains(error.Id, new[] { BackupErrorId.VaultFull, BackupErrorId.VaultUnreachable, BackupErrorId.VaultAccessDenied });
        }

        Assert.NotEmpty(created);
        scarce.Remount("size=600m");
        using MountedFileSystem again = MountedFileSystem.Again(Path.Combine(_temp["scarce"], "image"), _temp["disk"]);
        foreach (string name in created)
        {
            byte[] content = new byte[1 << 20];
            Assert.Equal(content.Length, await new FolderVaultStore(_temp["disk"]).ReadAsync(name, 0, content, Stop));
            Assert.Equal(Content(int.Parse(name[6..], System.Globalization.CultureInfo.InvariantCulture)), content);
        }

        static byte[] Content(int seed)
        {
            byte[] content = new byte[1 << 20];
            new Random(seed).NextBytes(content);
            return content;
        }
    }

    [Fact]
    public async Task An_account_without_rights_is_denied()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The test sets modes as Linux does.");
        Assert.SkipWhen(Environment.IsPrivilegedProcess, "Modes do not stop root.");
        FolderVaultStore store = FolderVaultStore.Create(_temp["vault"]);
        await store.TryCreateAsync("packs/1", new byte[1], Stop);
        UnixFile.SetMode(UnixFile.Raw(_temp["vault", "packs", "1"]), 0);
        UnixFile.SetMode(UnixFile.Raw(_temp["vault", "packs"]), 0b101_000_000);

        await AssertDeniedAsync(async () => await store.TryCreateAsync("packs/2", new byte[1], Stop));
        await AssertDeniedAsync(async () => await store.ReadAsync("packs/1", 0, new byte[1], Stop));
        await AssertDeniedAsync(async () => await store.DeleteAsync("packs/1", Stop));

        UnixFile.SetMode(UnixFile.Raw(_temp["vault", "packs"]), 0);
        await AssertDeniedAsync(async () => await ListAsync(store));
        await AssertDeniedAsync(async () => await store.StatAsync("packs/1", Stop));
        await AssertDeniedAsync(() => Task.FromResult(FolderVaultStore.Create(_temp["vault", "packs", "new"])));
    }

    [Fact]
    public async Task A_protected_folder_is_denied_even_to_root()
    {
        Assert.SkipUnless(Shell.IsLinuxRoot, NeedsRoot);
        using MountedFileSystem disk = MountedFileSystem.InImage(_temp["image"], _temp["disk"], "ext4");
        FolderVaultStore store = FolderVaultStore.Create(_temp["disk"]);
        await store.TryCreateAsync("packs/1", new byte[1], Stop);
        Shell.RunChecked("chattr", "+i", _temp["disk", "packs"]);

        await AssertDeniedAsync(async () => await store.TryCreateAsync("packs/2", new byte[1], Stop));
        await AssertDeniedAsync(async () => await store.DeleteAsync("packs/1", Stop));

        Assert.Equal(["packs/1"], await ListAsync(store));
    }

    [Fact]
    public async Task Leftovers_older_than_a_day_are_removed_with_the_first_object()
    {
        Directory.CreateDirectory(_temp[".tmp"]);
        string old = new('0', 32);
        string young = new('1', 32);
        await File.WriteAllTextAsync(_temp[".tmp", old], "x", Stop);
        await File.WriteAllTextAsync(_temp[".tmp", young], "x", Stop);
        await File.WriteAllTextAsync(_temp[".tmp", "foreign"], "x", Stop);
        DateTime now = File.GetLastWriteTimeUtc(_temp[".tmp", young]);
        File.SetLastWriteTimeUtc(_temp[".tmp", old], now.AddHours(-25));
        File.SetLastWriteTimeUtc(_temp[".tmp", "foreign"], now.AddHours(-25));
        File.SetLastWriteTimeUtc(_temp[".tmp", young], now.AddHours(-23));

        await new FolderVaultStore(_temp.Path).TryCreateAsync("a", new byte[1], Stop);

        Assert.Equal([_temp[".tmp", young], _temp[".tmp", "foreign"]], Directory.GetFiles(_temp[".tmp"]).Order());
    }

    [Fact]
    public async Task A_folder_that_was_removed_in_between_is_made_again()
    {
        var store = new FolderVaultStore(_temp.Path);
        await store.TryCreateAsync("packs/ab/1", new byte[1], Stop);
        Directory.Delete(_temp["packs"], recursive: true);
        Directory.Delete(_temp[".tmp"], recursive: true);

        Assert.True(await store.TryCreateAsync("packs/ab/2", new byte[1], Stop));

        Assert.Equal(["packs/ab/2"], await ListAsync(store));
    }

    [Fact]
    [System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
    public async Task A_file_system_without_hard_links_renames_without_replacing()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows moves.");
        await File.WriteAllTextAsync(_temp["one"], "1", Stop);
        await File.WriteAllTextAsync(_temp["two"], "2", Stop);

        using SafeFileHandle folder = FolderNative.OpenFolder(_temp.Path);
        Assert.True(FolderNative.TryRename(folder, "one", folder, "new"));
        Assert.False(FolderNative.TryRename(folder, "two", folder, "new"));

        Assert.Equal("1", await File.ReadAllTextAsync(_temp["new"], Stop));
        Assert.Equal("2", await File.ReadAllTextAsync(_temp["two"], Stop));
        Assert.False(File.Exists(_temp["one"]));
        Assert.Throws<IOException>(() => FolderNative.TryRename(folder, "absent", folder, "newer"));
    }

    [Theory]
    [InlineData("vfat")]
    [InlineData("xfs")]
    [InlineData("btrfs")]
    [InlineData("ext4")]
    public async Task Every_file_system_creates_without_replacing(string kind)
    {
        Assert.SkipUnless(Shell.IsLinuxRoot, NeedsRoot);
        Assert.SkipUnless(MountedFileSystem.CanMake(kind), $"There is no mkfs.{kind}, or this kernel cannot mount {kind}.");
        using MountedFileSystem disk = MountedFileSystem.InImage(_temp["image"], _temp["disk"], kind);
        FolderVaultStore store = FolderVaultStore.Create(_temp["disk"]);

        Assert.True(await store.TryCreateAsync("packs/ab/1", new byte[] { 1 }, Stop));
        Assert.False(await store.TryCreateAsync("packs/ab/1", new byte[] { 2 }, Stop));

        byte[] content = new byte[2];
        Assert.Equal(1, await store.ReadAsync("packs/ab/1", 0, content, Stop));
        Assert.Equal(1, content[0]);
        Assert.Empty(Directory.GetFiles(Path.Combine(_temp["disk"], ".tmp")));
    }

    // Reading a process's memory at 0 is an input/output error; by its type it is a regular file.
    private async Task<MountedFileSystem> BrokenFileAsync(string name)
    {
        await File.WriteAllTextAsync(_temp[name], "x", Stop);
        return MountedFileSystem.Bound($"/proc/{Environment.ProcessId}/mem", _temp[name]);
    }

    private static async Task AssertUnreachableAsync(FolderVaultStore store)
    {
        foreach (Func<Task> call in new Func<Task>[]
        {
            async () => await store.TryCreateAsync("packs/2", new byte[1], Stop),
            async () => await store.TryCreateAsync("packs/1", new byte[1], Stop),
            async () => await store.TryCreateAsync("new/1", new byte[1], Stop),
            async () => await store.ReadAsync("packs/1", 0, new byte[1], Stop),
            async () => await store.StatAsync("packs/1", Stop),
            async () => await ListAsync(store),
            async () => await store.DeleteAsync("packs/1", Stop),
        })
        {
            BackupException error = await Assert.ThrowsAsync<BackupException>(call);
            Assert.Equal(BackupErrorId.VaultUnreachable, error.Id);
            Assert.Contains(store.Location, error.Message, StringComparison.Ordinal);
        }
    }

    private static async Task AssertDeniedAsync(Func<Task> call)
    {
        BackupException error = await Assert.ThrowsAsync<BackupException>(call);
        Assert.Equal(BackupErrorId.VaultAccessDenied, error.Id);
        Assert.False(error.IsTransient);
    }

    private static async Task<List<string>> ListAsync(FolderVaultStore store)
    {
        var names = new List<string>();
        await foreach (StoredObject item in store.ListAsync("", Stop))
        {
            names.Add(item.Name);
        }

        return names;
    }
}
