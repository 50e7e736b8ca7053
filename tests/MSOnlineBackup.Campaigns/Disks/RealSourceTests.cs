using MSOnlineBackup.Engine;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Engine.Sources.Rules;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.RecoveryPoints;

#pragma warning disable VSTHRD103 // Small files of a test.
namespace MSOnlineBackup.Campaigns.Disks;

/// <summary>What real file systems do to a source while, or between, it is backed up.</summary>
public sealed class RealSourceTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly Stack<MountedFileSystem> _mounts = [];

    private string Disk => _folder["disk"];

    private string Source => _folder["disk", "source"];

    public void Dispose()
    {
        while (_mounts.TryPop(out MountedFileSystem? mount))
        {
            mount.Dispose();
        }

        _folder.Dispose();
    }

    [Fact]
    public async Task No_name_of_a_folder_that_is_rewritten_meanwhile_is_lost()
    {
        Mount("btrfs");
        const int Files = 5000;
        Directory.CreateDirectory(Source);
        for (int i = 0; i < Files; i++)
        {
            File.WriteAllText(NameOf(i), $"{i}");
        }

        FolderVault vault = await FolderVault.CreateAsync(_folder["vault"]);
        await vault.BackUpAsync(Source);
        using var stop = new CancellationTokenSource();
        Task rewriting = Task.Run(
            () =>
            {
                for (int i = 0; !stop.IsCancellationRequested; i = (i + 7) % Files)
                {
                    File.WriteAllText(NameOf(i) + ".new", $"again {i}");
                    File.Move(NameOf(i) + ".new", NameOf(i), overwrite: true);
                }
            },
            CancellationToken.None);

        BackupResult second = await vault.BackUpAsync(Source);
        await stop.CancelAsync();
        await rewriting;

        var names = new HashSet<string>();
        await foreach (RecoverableItem item in (await vault.OpenAsync()).ListItemsAsync(second.Point, null, recursive: true, TestContext.Current.CancellationToken))
        {
            names.Add(item.FullPath);
        }

        Assert.DoesNotContain(Enumerable.Range(0, Files).Select(NameOf), name => !names.Contains(name));

        string NameOf(int i) => Path.Combine(Source, $"file-{i:d4}");
    }

    [Fact]
    public async Task Attributes_whose_names_are_too_long_to_be_listed_cost_no_content()
    {
        Mount("xfs");
        Directory.CreateDirectory(Source);
        string file = Path.Combine(Source, "file");
        File.WriteAllText(file, "content");
        for (int i = 0; i < 300; i++)
        {
            Assert.True(UnixFile.TrySetAttribute(UnixFile.Raw(file), $"user.{i:d3}-{new string('n', 240)}", [1]));
        }

        FolderVault vault = await FolderVault.CreateAsync(_folder["vault"]);
        BackupResult result = await vault.BackUpAsync(Source);

        Assert.Equal((file, BackupErrorId.SourceAttributeUnreadable), Assert.Single(vault.Skipped) is var told ? (told.Path, told.Id) : default);
        await vault.RestoreAsync(result.Point, _folder["target"]);
        Assert.Equal("content", await File.ReadAllTextAsync(_folder["target"] + file, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_locked_folder_keeps_what_it_held_and_a_locked_root_is_a_lost_source()
    {
        Mount("ext4", "-O", "encrypt");
        string secret = Path.Combine(Source, "secret");
        Directory.CreateDirectory(secret);
        using var key = EncryptedFolder.Encrypt(secret);
        Directory.CreateDirectory(Path.Combine(secret, "deep"));
        File.WriteAllText(Path.Combine(secret, "letter"), "words");
        File.WriteAllText(Path.Combine(secret, "deep", "poem"), "verses");
        File.WriteAllText(Path.Combine(Source, "open"), "plain");
        FolderVault vault = await FolderVault.CreateAsync(_folder["vault"]);
        await vault.BackUpAsync(Source);

        key.Lock();
        BackupResult locked = await vault.BackUpAsync(Source);

        Assert.Equal((secret, BackupErrorId.SourceItemLocked), Assert.Single(vault.Skipped) is var told ? (told.Path, told.Id) : default);
        Dictionary<string, EntryFlags> entries = await EntriesAsync(vault, locked.Point);
        Assert.Equal(
            [Source, Path.Combine(Source, "open"), secret, Path.Combine(secret, "deep"), Path.Combine(secret, "deep", "poem"), Path.Combine(secret, "letter")],
            entries.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(EntryFlags.KeptFromEarlier, entries[Path.Combine(secret, "letter")]);
        foreach (string source in new[] { secret, Path.Combine(secret, "deep"), Path.Combine(secret, "deep", "poem") })
        {
            BackupException error = await Assert.ThrowsAsync<BackupException>(() => vault.BackUpAsync(source));
            Assert.Equal((BackupErrorId.SourceLocked, $"'{secret}' is encrypted and locked"), (error.Id, error.Message.Split(':')[0]));
        }

        key.Unlock();
        BackupResult open = await vault.BackUpAsync(Source);
        Assert.All((await EntriesAsync(vault, open.Point)).Values, flags => Assert.False(flags.HasFlag(EntryFlags.KeptFromEarlier)));
    }

    [Fact]
    public async Task A_vault_below_its_source_is_left_out_by_whatever_name_and_told()
    {
        Directory.CreateDirectory(_folder["home", "state"]);
        File.WriteAllText(_folder["home", "state", "key"], "secret");
        File.WriteAllText(_folder["home", "letter"], "words");
        Directory.CreateSymbolicLink(_folder["link"], _folder["home"]);
        FolderVault vault = await FolderVault.CreateAsync(_folder["home", "vault"]);
        if (Shell.IsLinuxRoot)
        {
            _mounts.Push(MountedFileSystem.Bound(_folder["home", "vault"], _folder["home", "bound"]));
        }

        var notes = new List<string>();
        var sizes = new List<long>();
        for (int round = 0; round < 4; round++)
        {
            notes.Clear();
            BackupResult result = await BackUpAsync(vault, _folder["link"], notes);
            sizes.Add(result.Point.Sources[0].Manifest.Bytes);
            Assert.Equal(RecoveryPointStatus.Completed, result.Point.Status);
        }

        Assert.Equal([5L, 5L, 5L, 5L], sizes);
        Assert.Equal(Shell.IsLinuxRoot ? 3 : 2, notes.Count);
        Assert.Contains(notes, note => note.Contains(_folder["link", "vault"], StringComparison.Ordinal));
        foreach (string inside in new[] { _folder["home", "vault"], _folder["link", "vault", "stores"] })
        {
            Assert.Equal(BackupErrorId.SourceUnreadable, (await Assert.ThrowsAsync<BackupException>(() => BackUpAsync(vault, inside, notes))).Id);
        }
    }

    [Fact]
    public async Task A_disk_that_was_crossed_into_and_is_not_mounted_keeps_what_it_held()
    {
        Assert.SkipUnless(Shell.IsLinuxRoot, "Mounting needs root on Linux.");
        Directory.CreateDirectory(_folder["source"]);
        FolderVault vault = await FolderVault.CreateAsync(_folder["vault"]);
        using (MountedFileSystem.InMemory(_folder["source", "disk"], "1m"))
        {
            File.WriteAllText(_folder["source", "disk", "file"], "content");
            await BackUpAsync(vault, _folder["source"], [], crossMountPoints: true);
        }

        BackupResult result = await BackUpAsync(vault, _folder["source"], [], crossMountPoints: true);

        Assert.Equal(EntryFlags.KeptFromEarlier, (await EntriesAsync(vault, result.Point))[_folder["source", "disk", "file"]]);
        Assert.Equal(RecoveryPointStatus.CompletedWithWarnings, result.Point.Status);
    }

    [Fact]
    public async Task A_mount_whose_program_is_gone_is_noted_and_costs_nothing()
    {
        Assert.SkipUnless(Shell.IsLinuxRoot && File.Exists("/dev/fuse"), "A mount of FUSE needs root on Linux.");
        Directory.CreateDirectory(_folder["source", "mount"]);
        File.WriteAllText(_folder["source", "file"], "content");
        FolderVault vault = await FolderVault.CreateAsync(_folder["vault"]);
        Shell.RunChecked("sh", "-c", $"exec 3<>/dev/fuse; mount -i -t fuse -o fd=3,rootmode=40000,user_id=0,group_id=0 dead '{_folder["source", "mount"]}'");
        try
        {
            var notes = new List<string>();
            BackupResult result = await BackUpAsync(vault, _folder["source"], notes);

            Assert.Equal(RecoveryPointStatus.Completed, result.Point.Status);
            Assert.Contains(_folder["source", "mount"], Assert.Single(notes), StringComparison.Ordinal);
            Assert.Equal(
                [_folder["source"], _folder["source", "file"], _folder["source", "mount"]],
                (await EntriesAsync(vault, result.Point)).Keys.Order(StringComparer.Ordinal));
        }
        finally
        {
            Shell.RunChecked("umount", "-l", _folder["source", "mount"]);
        }
    }

    private void Mount(string kind, params string[] options)
    {
        Assert.SkipUnless(Shell.IsLinuxRoot && MountedFileSystem.CanMake(kind), $"Mounting {kind} needs root on Linux, and mkfs.{kind}.");
        _mounts.Push(MountedFileSystem.InImage(_folder["image"], Disk, kind, options: options));
    }

    private async Task<BackupResult> BackUpAsync(FolderVault vault, string source, List<string> notes, bool crossMountPoints = false)
    {
        var request = new BackupRequest
        {
            MachineName = "m",
            Sources = [new BackupSource.Tree(source, new SourceSelection { CrossMountPoints = crossMountPoints })],
            OwnFolders = [_folder["home", "state"]],
            Rules = SourceRules.Open with { Allowed = [SourceKind.Memory] },
        };
        return await (await vault.OpenAsync()).BackUpAsync(request, new JobMonitor { Noted = notes.Add }, TestContext.Current.CancellationToken);
    }

    private static async Task<Dictionary<string, EntryFlags>> EntriesAsync(FolderVault vault, RecoveryPoint point)
    {
        var entries = new Dictionary<string, EntryFlags>();
        await foreach (RecoverableItem item in (await vault.OpenAsync()).ListItemsAsync(point, null, recursive: true, TestContext.Current.CancellationToken))
        {
            entries.Add(item.FullPath, item.Entry.Flags);
        }

        return entries;
    }
}
